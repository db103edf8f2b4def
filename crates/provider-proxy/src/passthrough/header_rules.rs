//! Headers that a target's settings set or remove, in requests to it or in its answers.

use chassis::settings::Section;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::template::{ClaimError, Template};

/// The tables `request_headers` and `response_headers`: `set = { NAME = "value", … }` and `remove = ["NAME", …]`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HeaderRules {
    remove: Vec<HeaderName>,
    set: Vec<(HeaderName, Setting)>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Setting {
    Constant(HeaderValue),
    OfClaims(Template),
}

/// Headers that say how a message is framed or where it goes, or that are about one connection (RFC 9110, 7.6.1), or
/// by which a caller knows the proxy's own answers: no rule touches them.
const UNTOUCHABLE: [&str; 16] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "location",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-proxy-error",
    "x-request-id",
];

impl HeaderRules {
    /// Reads the table; every fault is recorded.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        let mut rules = Self::default();
        for name in section.or::<Vec<String>>("remove", Vec::new()) {
            match header_name(&name) {
                Ok(name) => rules.remove.push(name),
                Err(message) => section.fault("remove", message),
            }
        }
        let set = section.section("set");
        for key in set.children() {
            let value: String = set.required(&key);
            match header_name(&key).and_then(|name| Ok((name, Setting::parse(&value)?))) {
                Ok(rule) => rules.set.push(rule),
                Err(message) => set.fault(&key, message),
            }
        }
        rules
    }

    /// Changes the headers: first what is removed, then what is set, which replaces all values of that name.
    ///
    /// # Errors
    /// [`ClaimError`] for a claim that is missing, no text, or cannot be in a header.
    pub fn apply(&self, headers: &mut HeaderMap, claims: &Map<String, Value>) -> Result<(), ClaimError> {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, setting) in &self.set {
            headers.insert(name.clone(), setting.value(claims)?);
        }
        Ok(())
    }
}

fn header_name(name: &str) -> Result<HeaderName, &'static str> {
    let name: HeaderName = name.parse().map_err(|_| "not the name of a header")?;
    if UNTOUCHABLE.contains(&name.as_str()) {
        return Err("this header is the proxy's own business");
    }
    Ok(name)
}

impl Setting {
    fn parse(value: &str) -> Result<Self, &'static str> {
        let template = Template::parse(value)?;
        match template.constant() {
            None => Ok(Self::OfClaims(template)),
            Some(_) => Ok(Self::Constant(value.parse().map_err(|_| "not the value of a header")?)),
        }
    }

    fn value(&self, claims: &Map<String, Value>) -> Result<HeaderValue, ClaimError> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::OfClaims(template) => {
                let mut value = String::new();
                template.fill(claims, &mut value, write_visible)?;
                // The fixed parts are the operator's, who is told of it through the first request.
                HeaderValue::from_str(&value).map_err(|_| ClaimError { claim: "of a header".into() })
            }
        }
    }
}

/// A claim must not end its header, and a name beyond ASCII cannot be told in one.
fn write_visible(claim: &str, out: &mut String) -> bool {
    let visible = claim.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let usable = visible && !claim.is_empty() && claim.trim() == claim;
    if usable {
        out.push_str(claim);
    }
    usable
}

#[cfg(test)]
mod tests {
    use chassis::{environment::Environment, settings::Reader};
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<HeaderRules, String> {
        let reader = Reader::new(text.parse().unwrap(), Environment::default());
        let rules = HeaderRules::read(&reader.root());
        reader.finish().map(|()| rules).map_err(|error| error.to_string())
    }

    fn applied(rules: &str, claims: Value) -> Result<Vec<(String, String)>, ClaimError> {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("x-kept", "1"), ("x-gone", "1"), ("x-gone", "2"), ("x-old", "1"), ("x-old", "2")]
        {
            headers.append(name, value.parse().unwrap());
        }
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        read(rules).unwrap().apply(&mut headers, &claims)?;
        let shown = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        Ok(headers.iter().map(|(name, value)| (name.to_string(), shown(value))).collect())
    }

    #[test]
    fn headers_are_removed_and_set() {
        let rules = r#"
            remove = ["X-Gone", "x-absent"]
            set = { X-Old = "new", x-caller = "{claims.sub} of {claims.area}", x-json = '{"a":1}' }
        "#;
        let mut headers = applied(rules, json!({"sub": "alice", "area": "shop 1"})).unwrap();
        headers.sort();
        let expected =
            [("x-caller", "alice of shop 1"), ("x-json", r#"{"a":1}"#), ("x-kept", "1"), ("x-old", "new")];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_claim_that_would_break_the_header_refuses_the_request() {
        for value in [
            json!("a\r\nx-evil: 1"),
            json!("a\nb"),
            json!("a\u{0}"),
            json!(""),
            json!(" a"),
            json!(7),
            json!("é"),
        ] {
            let refused = applied("set = { x-caller = '{claims.sub}' }", json!({ "sub": value }));
            assert_eq!(refused, Err(ClaimError { claim: "sub".into() }), "{value}");
        }
        assert!(applied("set = { x-caller = '{claims.sub}' }", json!({})).is_err());
    }

    #[test]
    fn no_rule_touches_what_frames_a_message_or_says_where_it_goes() {
        for name in UNTOUCHABLE {
            let capitals = name.to_uppercase();
            let set = read(&format!("set = {{ \"{capitals}\" = \"x\" }}")).unwrap_err();
            assert!(set.starts_with(&format!("set.{capitals}: ")), "{set}");
            let removed = read(&format!("remove = [\"{capitals}\"]")).unwrap_err();
            assert!(removed.starts_with("remove: "), "{removed}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let report = read(
            "remove = ['a b', 'host']\nsett = 1\nset = { 'a:b' = 'x', x-a = \"a\\nb\", x-b = 7, x-c = '{claims.}' }",
        )
        .unwrap_err();
        let keys: Vec<_> = report.lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(
            keys,
            ["remove", "remove", "set.\"a:b\"", "set.x-a", "set.x-b", "set.x-c", "sett"],
            "{report}"
        );
    }
}
