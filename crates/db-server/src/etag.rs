//! Entity tags from primary key and counter, and the two conditions on them (RFC 9110, 8.8.3 and 13.1).

use std::fmt;

use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};

/// The version of what is shown at a path: `"PK-COUNTER"`, with a digest behind it where more than the one row shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ETag(String);

impl ETag {
    /// The tag of one row that is shown alone.
    #[must_use]
    pub fn of_row(pk: i64, counter: i64) -> Self {
        Self(format!("\"{pk}-{counter}\""))
    }

    /// The tag of a row that is shown with something else, such as other rows or a provider's object.
    #[must_use]
    pub fn of_row_and(pk: i64, counter: i64, rest: Digest) -> Self {
        Self(format!("\"{pk}-{counter}-{:016x}\"", rest.0))
    }

    /// The tag of a list.
    #[must_use]
    pub fn of_list(content: Digest) -> Self {
        Self(format!("\"list-{:016x}\"", content.0))
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A digest that tells versions apart: FNV-1a of 64 bits, the same on every instance. It guards nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digest(u64);

impl Digest {
    /// The digest of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes; where they end makes a difference.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        let length = (bytes.len() as u64).to_le_bytes();
        Self(bytes.iter().chain(&length).fold(self.0, step))
    }

    /// The digest itself, to add to another.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: i64) -> Self {
        self.bytes(&number.to_le_bytes())
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the client has this version already (`If-None-Match`), so that 304 is enough.
#[must_use]
pub fn is_known(headers: &HeaderMap, tag: &ETag) -> bool {
    tags(headers, &IF_NONE_MATCH)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag.0)
}

/// The versions on which a change depends (`If-Match`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum IfMatch {
    /// The client states none.
    #[default]
    Anything,
    /// One of these rows, as (primary key, counter).
    Rows(Vec<(i64, i64)>),
}

impl IfMatch {
    /// Reads the condition. A tag that is weak or not ours matches nothing.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        if !headers.contains_key(IF_MATCH) || tags(headers, &IF_MATCH).any(|tag| tag == "*") {
            return Self::Anything;
        }
        Self::Rows(tags(headers, &IF_MATCH).filter_map(row_of).collect())
    }

    /// Whether the condition holds for a row.
    #[must_use]
    pub fn holds(&self, pk: i64, counter: i64) -> bool {
        match self {
            Self::Anything => true,
            Self::Rows(rows) => rows.contains(&(pk, counter)),
        }
    }
}

fn tags<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
    // Our tags hold no comma, so that a comma always separates.
    headers
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// The row of a tag; what is shown beside the row is not what a change of it depends on.
fn row_of(tag: &str) -> Option<(i64, i64)> {
    let mut parts = tag.strip_prefix('"')?.strip_suffix('"')?.splitn(3, '-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_known_version_is_recognised_in_every_form_of_the_header() {
        let tag = ETag::of_row(12, 3);
        assert_eq!(tag.to_string(), "\"12-3\"");
        for values in
            [&["\"12-3\""][..], &["\"1-1\", \"12-3\""], &["W/\"12-3\""], &["*"], &["\"x\"", "\"12-3\""]]
        {
            assert!(is_known(&headers(IF_NONE_MATCH, values), &tag), "{values:?}");
        }
        for values in [&["\"12-4\""][..], &["12-3"], &["\"13-3\""], &[""], &[]] {
            assert!(!is_known(&headers(IF_NONE_MATCH, values), &tag), "{values:?}");
        }
    }

    #[test]
    fn a_change_depends_on_the_row_alone() {
        let tag = ETag::of_row_and(12, 3, Digest::new().number(1)).to_string();
        let condition = IfMatch::read(&headers(IF_MATCH, &[&tag]));
        assert!(condition.holds(12, 3));
        assert!(!condition.holds(12, 4));
        assert!(!condition.holds(13, 3));
    }

    #[test]
    fn without_the_header_or_with_a_star_anything_matches() {
        assert_eq!(IfMatch::read(&HeaderMap::new()), IfMatch::Anything);
        assert_eq!(IfMatch::read(&headers(IF_MATCH, &["*"])), IfMatch::Anything);
    }

    #[test]
    fn a_weak_foreign_or_empty_tag_matches_nothing() {
        for value in ["W/\"12-3\"", "\"abc\"", "", "12-3", "\"12\"", "\"list-0123\""] {
            assert!(!IfMatch::read(&headers(IF_MATCH, &[value])).holds(12, 3), "{value}");
        }
    }

    #[test]
    fn a_list_changes_its_tag_with_each_row_and_each_counter() {
        let digest = |rows: &[(i64, i64)]| {
            rows.iter().fold(Digest::new(), |digest, &(pk, counter)| digest.number(pk).number(counter))
        };
        let tag = ETag::of_list(digest(&[(2, 1), (1, 1)]));
        assert_eq!(tag, ETag::of_list(digest(&[(2, 1), (1, 1)])));
        for other in [&[(2, 1), (1, 2)][..], &[(2, 1)], &[(1, 1), (2, 1)], &[]] {
            assert_ne!(tag, ETag::of_list(digest(other)));
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_the_reader_panic(value in "[ -~]{0,40}") {
            let _ = IfMatch::read(&headers(IF_MATCH, &[&value])).holds(1, 1);
            let _ = is_known(&headers(IF_NONE_MATCH, &[&value]), &ETag::of_row(1, 1));
        }

        #[test]
        fn a_tag_read_back_holds_for_its_row_and_no_other(pk in 1..i64::MAX, counter in 0..i64::MAX) {
            let condition = IfMatch::read(&headers(IF_MATCH, &[&ETag::of_row(pk, counter).to_string()]));
            prop_assert!(condition.holds(pk, counter));
            prop_assert!(!condition.holds(pk, counter + 1));
        }
    }
}
