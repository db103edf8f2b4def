//! What a target may be asked: a list of methods and paths, and nothing when the list is empty.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::path;

/// The entries of `allow`; a request needs one that fits.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Allow(Vec<Rule>);

/// `METHOD /path/pattern`.
///
/// A pattern is compared segment by segment with the path below the target, each percent-decoded once. `*` is one
/// segment that is not empty; `**`, at the end only, is one segment or more, of which the last may be empty. All else
/// stands for itself: a slash at the end makes a difference, and so does upper case. `/` is the target's own URL, with
/// and without a slash. `*` as the method is any.
///
/// An encoded slash is part of its segment. Since there are servers to which it is a separator, a segment that holds
/// one fits `**` and the same segment written out, and never `*`.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Rule {
    method: Option<Box<str>>,
    segments: Vec<Segment>,
    and_below: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    /// Percent-decoded.
    Literal(Box<[u8]>),
    Any,
}

impl Allow {
    /// Adds an entry.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, entry: &str) -> Result<(), &'static str> {
        self.0.push(Rule::parse(entry)?);
        Ok(())
    }

    /// Whether nothing is allowed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a path below the target may be asked for; it has passed [`path::check`].
    #[must_use]
    pub fn allows(&self, method: &str, tail: &str) -> bool {
        self.0.iter().any(|rule| rule.fits(method, tail))
    }
}

impl Rule {
    fn parse(entry: &str) -> Result<Self, &'static str> {
        let (method, pattern) = entry.split_once(' ').ok_or("expected METHOD /path/pattern")?;
        let method = match method {
            "*" => None,
            "TRACE" | "CONNECT" => return Err("TRACE and CONNECT are never passed on"),
            _ if !method.is_empty()
                && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') =>
            {
                Some(method.into())
            }
            _ => return Err("expected a method in upper case, or *, before the path"),
        };
        let below = pattern.strip_prefix('/').ok_or("expected a path that begins with a slash")?;
        if path::check(pattern, None).is_err() {
            return Err("the path is none that a caller could ask for");
        }
        let (below, and_below) = match below.strip_suffix("**") {
            Some("") => (None, true),
            Some(above) => (Some(above.strip_suffix('/').ok_or(WHOLE)?), true),
            None => (Some(below), false),
        };
        let segments = below.into_iter().flat_map(|below| below.split('/')).map(Segment::parse);
        Ok(Self { method, segments: segments.collect::<Result<_, _>>()?, and_below })
    }

    fn fits(&self, method: &str, tail: &str) -> bool {
        if self.method.as_deref().is_some_and(|known| known != method) {
            return false;
        }
        let mut asked = tail.strip_prefix('/').unwrap_or(tail).split('/');
        let all_fit =
            self.segments.iter().all(|known| asked.next().is_some_and(|segment| known.fits(segment)));
        all_fit && asked.next().is_some() == self.and_below
    }
}

const WHOLE: &str = "* stands for one whole segment and ** for the rest, at the end; an asterisk is %2A";

impl Segment {
    fn parse(segment: &str) -> Result<Self, &'static str> {
        match segment {
            "*" => Ok(Self::Any),
            _ if segment.contains('*') => Err(WHOLE),
            _ => Ok(Self::Literal(percent_decode_str(segment).collect())),
        }
    }

    fn fits(&self, segment: &str) -> bool {
        match self {
            Self::Any => !segment.is_empty() && !path::in_any_reading(segment, path::has_slash),
            Self::Literal(known) => **known == *Cow::from(percent_decode_str(segment)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(entries: &[&str]) -> Allow {
        let mut allow = Allow::default();
        for entry in entries {
            allow.add(entry).unwrap();
        }
        allow
    }

    #[test]
    fn without_an_entry_nothing_is_allowed() {
        assert!(!Allow::default().allows("GET", "/"));
        assert!(!Allow::default().allows("GET", ""));
    }

    #[test]
    fn a_pattern_matches_what_it_says_and_no_more() {
        for (entry, method, tail, allowed) in [
            ("GET /v1/charges", "GET", "/v1/charges", true),
            ("GET /v1/charges", "GET", "/v1/charges/", false),
            ("GET /v1/charges/", "GET", "/v1/charges", false),
            ("GET /v1/charges", "GET", "/v1/charges/x", false),
            ("GET /v1/charges", "GET", "/v1", false),
            ("GET /v1/charges", "GET", "/V1/charges", false),
            ("GET /v1/charges", "GET", "/v1/chargesx", false),
            ("GET /v1/charges", "POST", "/v1/charges", false),
            ("GET /v1/charges", "HEAD", "/v1/charges", false),
            ("GET /v1/charges", "GETX", "/v1/charges", false),
            ("* /v1/charges", "DELETE", "/v1/charges", true),
            ("GET /v1/*", "GET", "/v1/x", true),
            ("GET /v1/*", "GET", "/v1/", false),
            ("GET /v1/*", "GET", "/v1/x/y", false),
            ("GET /v1/*/refund", "GET", "/v1/x/refund", true),
            ("GET /v1/*/refund", "GET", "/v1/x/y/refund", false),
            ("GET /v1/**", "GET", "/v1/x/y", true),
            ("GET /v1/**", "GET", "/v1/", true),
            ("GET /v1/**", "GET", "/v1", false),
            ("GET /v1/**", "GET", "/v2/x", false),
            ("GET /**", "GET", "", true),
            ("GET /**", "GET", "/a/b/", true),
            ("GET /", "GET", "", true),
            ("GET /", "GET", "/", true),
            ("GET /", "GET", "/a", false),
            ("GET /*", "GET", "/", false),
        ] {
            assert_eq!(allow(&[entry]).allows(method, tail), allowed, "{entry}: {method} {tail}");
        }
    }

    #[test]
    fn percent_encoding_neither_slips_past_a_pattern_nor_hides_from_it() {
        for (entry, tail, allowed) in [
            ("GET /v1/charges", "/v1/%63harges", true),
            ("GET /v1/charges", "/v1/%2563harges", false),
            ("GET /v1/charges", "/v1%2Fcharges", false),
            ("GET /v1/*", "/v1/a%20b", true),
            ("GET /v1/*", "/v1/ch_1%2Frefund", false),
            ("GET /v1/*", "/v1/ch_1%252Frefund", false),
            ("GET /v1/*", "/v1/a%255Cb", false),
            ("GET /v1/**", "/v1/ch_1%2Frefund", true),
            ("GET /v1/a%2Fb", "/v1/a%2fb", true),
            ("GET /v1/a%2Fb", "/v1/a/b", false),
            ("GET /v1/a%2Ab", "/v1/a*b", true),
            ("GET /v1/caf%C3%A9", "/v1/caf%c3%a9", true),
        ] {
            assert_eq!(allow(&[entry]).allows("GET", tail), allowed, "{entry}: {tail}");
        }
    }

    #[test]
    fn one_entry_that_fits_is_enough() {
        let allow = allow(&["GET /a", "POST /b/*"]);
        assert!(allow.allows("GET", "/a") && allow.allows("POST", "/b/c"));
        assert!(!allow.allows("POST", "/a") && !allow.allows("GET", "/b/c"));
    }

    #[test]
    fn an_entry_that_could_be_misread_is_refused() {
        for entry in [
            "",
            "GET",
            "/a",
            "get /a",
            "GET  /a",
            "GET a",
            "GET https://x/a",
            "GET /a//b",
            "GET /../a",
            "GET /a?b=c",
            "GET /a b",
            "GET /{id}",
            "GET /a*",
            "GET /a**",
            "GET /**/a",
            "GET /***",
            "GET,POST /a",
            "TRACE /a",
            "CONNECT /a",
            " /a",
        ] {
            assert!(Allow::default().add(entry).is_err(), "{entry}");
        }
    }
}
