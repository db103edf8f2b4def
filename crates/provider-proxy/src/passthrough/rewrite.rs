//! Where a target has what a caller asks for: its path, made of fixed parts, the caller's claims and the tail.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{
    path,
    template::{ClaimError, Part, Template},
};

/// The setting `rewrite`: a path with places for claims, at whose end the tail stands, as `/shops/{claims.sub}/{tail}`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rewrite(Template);

/// RFC 3986 unreserved characters stay.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Rewrite {
    /// Reads the setting.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let above = text.strip_suffix("/{tail}").ok_or("expected a path that ends with /{tail}")?;
        let template = Template::parse(above)?;
        let outline: String = template
            .parts()
            .iter()
            .map(|part| match part {
                Part::Text(text) => &**text,
                // Any segment; a dot beside it is no dot segment then.
                Part::Claim(_) => "x",
            })
            .collect();
        if !outline.is_empty() && (path::check(&outline, None).is_err() || outline.ends_with('/')) {
            return Err("expected a path in which only {claims.NAME} and {tail} have braces");
        }
        Ok(Self(template))
    }

    /// Appends the path that stands for a tail, which is empty or begins with a slash.
    ///
    /// # Errors
    /// [`ClaimError`] for a claim that is missing, no text, empty, or no single segment of a path.
    pub fn write(&self, claims: &Map<String, Value>, tail: &str, out: &mut String) -> Result<(), ClaimError> {
        self.0.fill(claims, out, write_segment)?;
        out.push_str(tail);
        Ok(())
    }
}

/// A caller whose name is `..` or `a/b` must not reach what is not its own, whatever the target makes of encoding.
fn write_segment(claim: &str, out: &mut String) -> bool {
    let refused = claim.is_empty()
        || claim.chars().any(char::is_control)
        || path::in_any_reading(claim, path::has_slash)
        || path::in_any_reading(claim, path::has_dots);
    if !refused {
        out.extend(utf8_percent_encode(claim, SEGMENT));
    }
    !refused
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rewritten(setting: &str, claims: Value, tail: &str) -> Result<String, String> {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        let mut out = String::new();
        let rewrite = Rewrite::parse(setting).unwrap();
        rewrite.write(&claims, tail, &mut out).map(|()| out).map_err(|error| error.claim.into())
    }

    #[test]
    fn claims_and_tail_stand_in_their_places() {
        for (setting, tail, expected) in [
            ("/shops/{claims.sub}/{tail}", "/transactions?", "/shops/BBY001/transactions?"),
            ("/shops/{claims.sub}/{tail}", "/", "/shops/BBY001/"),
            ("/shops/{claims.sub}/{tail}", "", "/shops/BBY001"),
            ("/v2/{tail}", "/a%2Fb", "/v2/a%2Fb"),
            ("/{tail}", "/a", "/a"),
            ("/{claims.sub}-{claims.area}/x/{tail}", "/a", "/BBY001-%C3%A9%20%253F/x/a"),
        ] {
            let claims = json!({"sub": "BBY001", "area": "é %3F"});
            assert_eq!(rewritten(setting, claims, tail).as_deref(), Ok(expected), "{setting}");
        }
    }

    #[test]
    fn a_claim_that_is_no_single_segment_refuses_the_request() {
        for value in [
            json!(null),
            json!(7),
            json!(true),
            json!(["a"]),
            json!({"a": "b"}),
            json!(""),
            json!("."),
            json!(".."),
            json!("..;x"),
            json!("%2e%2e"),
            json!("a/b"),
            json!("../a"),
            json!("a%2Fb"),
            json!("a\\b"),
            json!("a\nb"),
            json!("a\u{0}"),
            json!("a\u{7f}"),
        ] {
            let got = rewritten("/shops/{claims.sub}/{tail}", json!({ "sub": value }), "/x");
            assert_eq!(got, Err("sub".to_owned()), "{value}");
        }
        assert_eq!(rewritten("/{claims.sub}/{tail}", json!({}), "/x"), Err("sub".to_owned()));
    }

    #[test]
    fn a_setting_that_is_no_path_is_refused() {
        for setting in [
            "",
            "/shops",
            "/{tail}/x",
            "{tail}",
            "shops/{tail}",
            "/shops//{tail}",
            "/../{tail}",
            "/shops/{claims.}/{tail}",
            "/shops/{claims.sub/{tail}",
            "/shops/{sub}/{tail}",
            "/{tail}/{tail}",
            "//evil.test/{tail}",
            "/a?b={claims.sub}/{tail}",
        ] {
            assert!(Rewrite::parse(setting).is_err(), "{setting}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_claim_holds_it_is_one_segment_of_the_path(claim in ".*") {
            if let Ok(path) = rewritten("/shops/{claims.sub}/{tail}", json!({ "sub": claim }), "/x") {
                prop_assert_eq!(path::check(&path, None), Ok(()));
                let segments: Vec<_> = path.split('/').collect();
                prop_assert_eq!((segments.len(), segments[1], segments[3]), (4, "shops", "x"));
            }
        }
    }
}
