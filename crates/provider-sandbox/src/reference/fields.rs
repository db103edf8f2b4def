//! Reads a request body field by field, and reports everything that is wrong with it at once.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use chrono::NaiveDate;
use serde_json::{Map, Value};
use url::Url;

use super::error::Refusal;

/// The longest text in a field, in characters; URLs included.
const MAX_TEXT: usize = 2000;

/// What a field must look like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Any text that is not blank.
    Text,
    /// A key that can stand in a path as it is, but for percent-encoding.
    Key,
    /// An e-mail address.
    Email,
    /// An absolute http or https URL.
    Url,
    /// A decimal with two places, such as `0.99`.
    Money,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// The fields of a JSON body. Whatever nobody asks for is an error in the end.
#[derive(Debug)]
pub(super) struct Fields {
    given: Map<String, Value>,
    problems: BTreeMap<String, String>,
}

impl Fields {
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let given = serde_json::from_slice(body).map_err(|_| Refusal::InvalidContent)?;
        Ok(Self { given, problems: BTreeMap::new() })
    }

    /// A field that must be there. Empty when it is not valid; `finish` then refuses.
    pub(super) fn required(&mut self, name: &str, rule: Rule) -> String {
        let text = self.optional(name, rule);
        if text.is_none() {
            self.problems.entry(name.to_owned()).or_insert("This field is required.".into());
        }
        text.unwrap_or_default()
    }

    /// A field that may be absent.
    pub(super) fn optional(&mut self, name: &str, rule: Rule) -> Option<String> {
        let checked = match self.given.remove(name)? {
            Value::String(text) => rule.check(&text).map(|()| text),
            _ => Err("must be a string".into()),
        };
        checked.map_err(|problem| self.problem(name, problem)).ok()
    }

    /// A date as `YYYY-MM-DD`, or null. The outer option is None when the field is absent.
    pub(super) fn date(&mut self, name: &str) -> Option<Option<String>> {
        match self.given.remove(name)? {
            Value::Null => Some(None),
            // The length too: the parser would accept `2013-1-2`.
            Value::String(text) if text.len() == 10 && text.parse::<NaiveDate>().is_ok() => Some(Some(text)),
            _ => {
                self.problem(name, "must be a date as YYYY-MM-DD");
                None
            }
        }
    }

    /// A field that may only repeat what is known already.
    pub(super) fn fixed(&mut self, name: &str, known: &str) {
        if self.given.remove(name).is_some_and(|value| value != known) {
            self.problem(name, "cannot be changed");
        }
    }

    /// Records what is wrong with a field; the first problem of a field stays.
    pub(super) fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.entry(name.to_owned()).or_insert(message.into());
    }

    /// Whether a field has passed so far, so that a further check has something to look at.
    pub(super) fn is_valid(&self, name: &str) -> bool {
        !self.problems.contains_key(name)
    }

    /// Refuses when anything was wrong, or when a field is left that nobody knows.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        for name in std::mem::take(&mut self.given).keys() {
            self.problem(name, "This field is not recognised.");
        }
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::InvalidArgument(self.problems)) }
    }
}

impl FromRequest for Fields {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        let is_json = media_type.trim().eq_ignore_ascii_case("application/json");
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            let body = body.await.map_err(|_| Refusal::RequestEntityTooLarge)?;
            if is_json { Self::parse(&body) } else { Err(Refusal::UnsupportedMediaType) }
        })
    }
}

impl Rule {
    fn check(self, text: &str) -> Result<(), String> {
        if text.trim().is_empty() {
            return Err("This field is required.".into());
        }
        if text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
            return Err(format!("must be at most {MAX_TEXT} printable characters"));
        }
        match self {
            Self::Text => Ok(()),
            Self::Key if text.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#%\\".contains(&byte)) => {
                Ok(())
            }
            Self::Key => Err("must be printable ASCII without / ? # % and \\".into()),
            Self::Email if is_email(text) => Ok(()),
            Self::Email => Err("Please enter a valid email address.".into()),
            Self::Url if is_url(text) => Ok(()),
            Self::Url => Err("Please enter a valid URL.".into()),
            Self::Money if is_money(text) => Ok(()),
            Self::Money => Err("This field must be in the format of 0.00.".into()),
            Self::OneOf(choices) if choices.contains(&text) => Ok(()),
            Self::OneOf(choices) => Err(format!("value must be one of {}", choices.join(", "))),
        }
    }
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}

fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn is_money(text: &str) -> bool {
    let digits = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    text.split_once('.').is_some_and(|(whole, cents)| digits(whole, 1..=9) && digits(cents, 2..=2))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_wrong_is_reported_at_once_and_by_name() {
        let body = json!({"name": 7, "email": "nobody", "colour": "red", "agreement": "2013-1-2"});
        let mut fields = Fields::parse(body.to_string().as_bytes()).unwrap();
        fields.required("uuid", Rule::Key);
        fields.required("name", Rule::Text);
        fields.required("email", Rule::Email);
        assert_eq!(fields.date("agreement"), None);
        let Err(Refusal::InvalidArgument(problems)) = fields.finish() else { panic!("it is refused") };
        assert_eq!(problems["uuid"], "This field is required.");
        assert_eq!(problems["name"], "must be a string");
        assert_eq!(problems["colour"], "This field is not recognised.");
        assert_eq!(problems.keys().collect::<Vec<_>>(), ["agreement", "colour", "email", "name", "uuid"]);
    }

    #[test]
    fn each_rule_takes_and_refuses_what_it_says() {
        let holds = |rule: Rule, text: &str| rule.check(text).is_ok();
        for money in ["0.99", "10.00", "123456789.01"] {
            assert!(holds(Rule::Money, money), "{money}");
        }
        for money in
            ["", "1", "1.0", ".99", "1.000", "-1.00", "+1.00", "1,00", "1e2.00", "1234567890.00", " 1.00"]
        {
            assert!(!holds(Rule::Money, money), "{money}");
        }
        for url in ["http://localhost:1/x", "https://example.com/?a=b"] {
            assert!(holds(Rule::Url, url), "{url}");
        }
        for url in ["/x", "example.com", "ftp://example.com/", "http://", "javascript:x"] {
            assert!(!holds(Rule::Url, url), "{url}");
        }
        assert!(holds(Rule::Key, "solitude:0f-1"));
        for key in ["a/b", "a b", "a?b", "é", "%2F"] {
            assert!(!holds(Rule::Key, key), "{key}");
        }
        for email in ["@b", "a@", "a@b@c", "a b@c"] {
            assert!(!holds(Rule::Email, email), "{email}");
        }
        assert!(!holds(Rule::Text, "a\nb"));
        assert!(!holds(Rule::OneOf(&["A"]), "a"));
    }

    #[test]
    fn a_date_is_one_that_exists() {
        for (written, read) in [
            (json!("2013-09-30"), Some(Some("2013-09-30".to_owned()))),
            (json!(null), Some(None)),
            (json!("2013-02-30"), None),
            (json!("30.09.2013"), None),
            (json!(20130930), None),
        ] {
            let mut fields = Fields::parse(json!({"agreement": written}).to_string().as_bytes()).unwrap();
            assert_eq!(fields.date("agreement"), read, "{written}");
        }
    }
}
