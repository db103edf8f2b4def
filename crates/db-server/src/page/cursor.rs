//! Lists that go on behind their last object, and their filters by time.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{DEFAULT_LIMIT, MAX_LIMIT, Query, QueryError, card_numbers, link};
use crate::{field_errors::Code, uri::parse_id};

impl Query {
    /// A filter by time: RFC 3339, such as `2014-01-31T00:00:00Z`.
    pub fn time(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        let text = self.take(name)?;
        // An unescaped plus in a query is a space.
        match DateTime::parse_from_rfc3339(&text.replace(' ', "+")) {
            Ok(time) => Some(time.to_utc()),
            Err(_) => self.wrong(name, "Enter a time such as 2014-01-31T00:00:00Z."),
        }
    }

    /// Which part of a list that goes on behind its last object, once every filter has been taken.
    ///
    /// # Errors
    /// As [`Query::finish`].
    pub fn finish_cursor(mut self) -> Result<Cursor, QueryError> {
        if self.errors.hold(Code::CardNumber) {
            return Err(QueryError::Wrong(card_numbers(&self.pairs)));
        }
        let limit = self.number("limit", DEFAULT_LIMIT, MAX_LIMIT);
        let after = match self.take("after") {
            None => None,
            Some(text) => match parse_id(&text) {
                Some(id) => Some(id),
                None => self.wrong("after", "Enter the primary key of the last object."),
            },
        };
        self.refuse_unknown()?;
        self.errors.or(()).map_err(QueryError::Wrong)?;
        Ok(Cursor { limit, after, pairs: self.pairs })
    }
}

/// The part of a list that a client asks for, by the last object that it has seen.
#[derive(Clone, Debug)]
pub struct Cursor {
    limit: u32,
    after: Option<i64>,
    pairs: Vec<(String, String)>,
}

impl Cursor {
    /// The primary key of the last object that the client has seen.
    #[must_use]
    pub const fn after(&self) -> Option<i64> {
        self.after
    }

    /// How many rows to read: one more than are shown, which tells whether there are more.
    #[must_use]
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The answer for these objects, with their primary keys, of which the last one may be too many.
    #[must_use]
    pub fn answer<T>(&self, path: &str, mut objects: Vec<(i64, T)>) -> CursorList<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_next = objects.len() > limit;
        objects.truncate(limit);
        let last = objects.last().filter(|_| has_next).map(|(id, _)| *id);
        let next = last.map(|last| link(path, &self.pairs, "after", last));
        CursorList {
            meta: CursorMeta { next, limit: self.limit },
            objects: objects.into_iter().map(|(_, object)| object).collect(),
        }
    }
}

/// A part of a list that goes on behind its last object.
#[derive(Debug, Serialize)]
pub struct CursorList<T> {
    /// Where it goes on.
    pub meta: CursorMeta,
    /// The resources, newest first.
    pub objects: Vec<T>,
}

/// Where a list goes on.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub struct CursorMeta {
    /// The path and query of what follows.
    pub next: Option<String>,
    /// How many resources are shown at most.
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(query: &str) -> Result<Cursor, QueryError> {
        let mut query = Query::parse(query);
        query.time("created__gte");
        query.finish_cursor()
    }

    #[test]
    fn a_list_goes_on_behind_the_last_object_that_is_shown() {
        let start = cursor("limit=2&created__gte=2026-01-01T00:00:00Z").unwrap();
        assert_eq!((start.after(), start.rows()), (None, 3));
        let list = start.answer("/payments/", vec![(9, 'a'), (8, 'b'), (7, 'c')]);
        assert_eq!(list.objects, ['a', 'b']);
        let expected = "/payments/?limit=2&created__gte=2026%2D01%2D01T00%3A00%3A00Z&after=8";
        assert_eq!(list.meta, CursorMeta { next: Some(expected.into()), limit: 2 });
        let next = cursor(expected.split_once('?').unwrap().1).unwrap();
        assert_eq!(next.after(), Some(8));
        assert_eq!(next.answer("/payments/", vec![(7, 'c')]).meta.next, None);
    }

    #[test]
    fn what_is_no_time_and_no_cursor_is_refused_by_name() {
        for (query, field) in [
            ("created__gte=2026-01-01", "created__gte"),
            ("created__gte=now", "created__gte"),
            ("after=-1", "after"),
            ("after=0", "after"),
            ("limit=501", "limit"),
        ] {
            let Err(QueryError::Wrong(errors)) = cursor(query) else { panic!("{query}") };
            assert!(errors.has(field), "{query}");
        }
        assert!(cursor("created__gte=2026-01-01T00:00:00%2B02:00").is_ok());
        assert!(matches!(cursor("page=2"), Err(QueryError::Unknown(_))));
    }
}
