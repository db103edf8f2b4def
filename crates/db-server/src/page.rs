//! The query of a list: strict filters, `limit` and `page`; and the `meta` of its answer.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use thiserror::Error;

use crate::{
    field_errors::FieldErrors,
    form,
    store::{code::Provider, page::Page},
    uri::{Kind, parse_id},
};

/// How many resources a page has when the client does not say.
const DEFAULT_LIMIT: u32 = 20;
/// How many resources a page has at most.
const MAX_LIMIT: u32 = 500;

/// The query parameters of a list. A parameter that nobody takes is refused: a typo must not return everything.
#[derive(Debug)]
pub struct Query {
    pairs: Vec<(String, String)>,
    taken: Vec<&'static str>,
    errors: FieldErrors,
}

impl Query {
    /// Reads a query string.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        // The parser takes any bytes; what is not UTF-8 becomes U+FFFD and matches no row.
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { pairs, taken: Vec::new(), errors: FieldErrors::default() }
    }

    /// A filter by text.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.take(name)?;
        if let Err(message) = form::check_text(&text) {
            self.errors.add(name, message);
            return None;
        }
        Some(text)
    }

    /// A filter by a flag: `true`, `True`, `1`, `false`, `False`, `0`.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)?.as_str() {
            "true" | "True" | "1" => Some(true),
            "false" | "False" | "0" => Some(false),
            _ => self.wrong(name, "Enter true or false."),
        }
    }

    /// A filter by another resource: its primary key or its `resource_uri`.
    pub fn reference<T: From<i64>>(&mut self, name: &'static str, kind: Kind) -> Option<T> {
        let text = self.take(name)?;
        match parse_id(&text).or_else(|| kind.id(&text).ok()) {
            Some(id) => Some(T::from(id)),
            None => self.wrong(name, "Enter a primary key or a resource_uri."),
        }
    }

    /// A filter by provider, as its number.
    pub fn provider(&mut self, name: &'static str) -> Option<Provider> {
        let text = self.take(name)?;
        match text.parse().ok().and_then(Provider::from_code) {
            Some(provider) => Some(provider),
            None => self.wrong(name, "Not one of the available choices."),
        }
    }

    /// Which page is asked for, once every filter has been taken.
    ///
    /// # Errors
    /// [`QueryError`] for a parameter that nobody took, or one whose value is wrong.
    pub fn finish(mut self) -> Result<PageRequest, QueryError> {
        let limit = self.number("limit", DEFAULT_LIMIT, MAX_LIMIT);
        let page = self.number("page", 1, u32::MAX);
        let mut unknown: Vec<_> = self
            .pairs
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !self.taken.contains(&name.as_str()))
            .collect();
        if !unknown.is_empty() {
            unknown.sort();
            unknown.dedup();
            return Err(QueryError::Unknown(unknown));
        }
        self.errors.or(()).map_err(QueryError::Wrong)?;
        Ok(PageRequest { limit, page, pairs: self.pairs })
    }

    fn number(&mut self, name: &'static str, default: u32, max: u32) -> u32 {
        let Some(text) = self.take(name) else { return default };
        match text.parse() {
            Ok(number) if (1..=max).contains(&number) => number,
            _ => self.wrong(name, format!("Enter a whole number from 1 to {max}.")).unwrap_or(default),
        }
    }

    fn take(&mut self, name: &'static str) -> Option<String> {
        self.taken.push(name);
        let mut values = self.pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value);
        let value = values.next().cloned();
        if values.next().is_some() {
            return self.wrong(name, "Given more than once.");
        }
        value
    }

    fn wrong<T>(&mut self, name: &str, message: impl Into<String>) -> Option<T> {
        self.errors.add(name, message);
        None
    }
}

/// Why a list's query is refused.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum QueryError {
    /// Parameters that this list does not have.
    #[error("Incorrect query parameters: {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// Values that a filter cannot have.
    #[error("{0}")]
    Wrong(FieldErrors),
}

/// The page that a client asks for.
#[derive(Clone, Debug)]
pub struct PageRequest {
    limit: u32,
    page: u32,
    pairs: Vec<(String, String)>,
}

impl PageRequest {
    /// The rows of the page.
    #[must_use]
    pub fn rows(&self) -> Page {
        let limit = i64::from(self.limit);
        Page { limit, offset: (i64::from(self.page) - 1) * limit }
    }

    /// The answer for these objects out of so many; nothing when the page lies behind the last one.
    #[must_use]
    pub fn answer<T>(&self, path: &str, objects: Vec<T>, total_count: i64) -> Option<List<T>> {
        if objects.is_empty() && self.page > 1 {
            return None;
        }
        let has_next = i64::from(self.page) * i64::from(self.limit) < total_count;
        let meta = Meta {
            next: has_next.then(|| self.link(path, u64::from(self.page) + 1)),
            prev: (self.page > 1).then(|| self.link(path, u64::from(self.page) - 1)),
            page: self.page,
            total_count,
        };
        Some(List { meta, objects })
    }

    /// The same query for another page.
    fn link(&self, path: &str, page: u64) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut link = format!("{path}?");
        for (name, value) in self.pairs.iter().filter(|(name, _)| name != "page") {
            // Names are those of our filters: letters and underscores.
            link.push_str(&format!("{name}={}&", encode(value)));
        }
        link.push_str(&format!("page={page}"));
        link
    }
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    /// Where the page is.
    pub meta: Meta,
    /// The resources, newest first.
    pub objects: Vec<T>,
}

/// Where a page is in its list.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub struct Meta {
    /// The path and query of the next page.
    pub next: Option<String>,
    /// The path and query of the page before.
    pub prev: Option<String>,
    /// The number of this page, from 1.
    pub page: u32,
    /// How many resources there are on all pages.
    pub total_count: i64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::store::id::SellerId;

    fn finish(query: &str) -> Result<PageRequest, QueryError> {
        let mut query = Query::parse(query);
        query.text("uuid");
        query.boolean("active");
        query.reference::<SellerId>("seller", Kind::Seller);
        query.provider("provider");
        query.finish()
    }

    #[test]
    fn an_unknown_query_parameter_is_refused_by_name() {
        let error = finish("uuid=a&uiud=b").unwrap_err();
        assert_eq!(error.to_string(), "Incorrect query parameters: uiud");
        let error = finish("b=1&a=1&b=2").unwrap_err();
        assert_eq!(error.to_string(), "Incorrect query parameters: a, b");
    }

    #[test]
    fn a_wrong_value_of_a_filter_is_refused_by_name() {
        for (query, field) in [
            ("active=maybe", "active"),
            ("seller=x", "seller"),
            ("seller=/generic/product/1/", "seller"),
            ("provider=9", "provider"),
            ("provider=bango", "provider"),
            ("limit=0", "limit"),
            ("limit=501", "limit"),
            ("limit=-1", "limit"),
            ("page=0", "page"),
            ("page=4294967296", "page"),
            ("page=x", "page"),
            ("uuid=a&uuid=b", "uuid"),
            ("uuid=%00", "uuid"),
        ] {
            let Err(QueryError::Wrong(errors)) = finish(query) else { panic!("{query} is accepted") };
            assert!(errors.has(field), "{query}: {errors:?}");
        }
    }

    #[test]
    fn a_filter_reads_its_value() {
        let mut query = Query::parse("uuid=a%20b&active=True&seller=%2Fgeneric%2Fseller%2F7%2F&provider=2");
        assert_eq!(query.text("uuid").as_deref(), Some("a b"));
        assert_eq!(query.boolean("active"), Some(true));
        assert_eq!(query.reference::<SellerId>("seller", Kind::Seller), Some(SellerId(7)));
        assert_eq!(query.provider("provider"), Some(Provider::Reference));
        assert!(query.finish().is_ok());
    }

    #[test]
    fn a_page_has_twenty_resources_unless_the_client_says_otherwise() {
        let rows = finish("").unwrap().rows();
        assert_eq!((rows.limit, rows.offset), (20, 0));
        let rows = finish("limit=5&page=3").unwrap().rows();
        assert_eq!((rows.limit, rows.offset), (5, 10));
    }

    #[test]
    fn meta_leads_to_the_pages_around() {
        let request = finish("uuid=a%26b&page=2&limit=1").unwrap();
        let list = request.answer("/generic/seller/", vec![json!({})], 3).unwrap();
        assert_eq!(list.meta.next.as_deref(), Some("/generic/seller/?uuid=a%26b&limit=1&page=3"));
        assert_eq!(list.meta.prev.as_deref(), Some("/generic/seller/?uuid=a%26b&limit=1&page=1"));
        assert_eq!((list.meta.page, list.meta.total_count), (2, 3));
    }

    #[test]
    fn the_only_page_has_no_neighbours_and_one_behind_the_last_is_none() {
        let list = finish("").unwrap().answer("/x/", Vec::<u8>::new(), 0).unwrap();
        assert_eq!(list.meta, Meta { next: None, prev: None, page: 1, total_count: 0 });
        assert!(finish("page=2").unwrap().answer("/x/", Vec::<u8>::new(), 20).is_none());
    }

    proptest! {
        #[test]
        fn the_next_link_asks_for_the_same_filter(uuid in "[^\\x00-\\x1f\\x7f-\\x9f]{1,30}") {
            let encoded = utf8_percent_encode(&uuid, NON_ALPHANUMERIC).to_string();
            let request = finish(&format!("uuid={encoded}")).unwrap();
            let next = request.answer("/x/", vec![json!({})], 100).unwrap().meta.next.unwrap();
            let mut query = Query::parse(next.split_once('?').unwrap().1);
            prop_assert_eq!(query.text("uuid"), Some(uuid));
        }

        #[test]
        fn no_query_makes_the_reader_panic(query in ".{0,60}") {
            let _ = finish(&query);
        }
    }
}
