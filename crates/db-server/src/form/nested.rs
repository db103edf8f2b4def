//! The few fields of a request that are objects themselves.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Form, Given, check};
use crate::field_errors::{FieldError, FieldErrors};

/// How many texts one field has at most.
const MAX_TEXTS: usize = 20;
/// The longest name of a text, in characters.
const MAX_NAME: usize = 40;
/// The longest text, in characters.
const MAX_VALUE: usize = 500;

impl Form {
    /// An object of texts by name: at most 20, each of at most 500 characters, with names of at most 40.
    pub fn texts(&mut self, name: &str) -> Given<BTreeMap<String, String>> {
        let object = match self.object(name)? {
            Some(object) => object,
            None => return Some(None),
        };
        if object.len() > MAX_TEXTS {
            return self.wrong(name, "Ensure that there are at most 20 texts.");
        }
        let mut texts = BTreeMap::new();
        for (key, value) in object {
            let Value::String(text) = value else {
                return self.wrong(name, "Expected an object of texts.");
            };
            if let Err(error) = check_pair(&key, &text) {
                return self.reject(name, error);
            }
            texts.insert(key, text);
        }
        Some(Some(texts))
    }

    /// The fields of an object, to be read as those of a request; [`Form::take_errors_of`] ends it.
    pub fn nested(&mut self, name: &str) -> Given<Self> {
        let values = match self.object(name)? {
            Some(values) => values,
            None => return Some(None),
        };
        Some(Some(Self { values, ..Self::default() }))
    }

    /// Takes over what is wrong with the fields of an object, each under the names of both.
    pub fn take_errors_of(&mut self, name: &str, nested: Self) {
        if let Err(errors) = nested.finish() {
            self.errors.extend(FieldErrors::below(name, errors));
        }
    }

    fn object(&mut self, name: &str) -> Given<Map<String, Value>> {
        match self.take(name)? {
            Value::Null => Some(None),
            Value::Object(object) => Some(Some(object)),
            _ => self.wrong(name, "Expected an object."),
        }
    }
}

fn check_pair(name: &str, text: &str) -> Result<(), FieldError> {
    if name.is_empty() {
        return Err(FieldError::invalid("A text has no name."));
    }
    check::length(name, MAX_NAME)?;
    check::nul(name)?;
    check::length(text, MAX_VALUE)?;
    check::nul(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn texts_are_an_object_of_texts() {
        let mut given = form(r#"{"m": {"order": "6735", "empty": ""}}"#);
        let texts = given.texts("m").flatten().unwrap();
        assert_eq!((texts["order"].as_str(), texts["empty"].as_str()), ("6735", ""));
        assert_eq!(given.finish(), Ok(()));
        assert_eq!(form(r#"{"m": null}"#).texts("m"), Some(None));
        assert_eq!(form("{}").texts("m"), None);
        let long = format!(r#"{{"m": {{"a": "{}"}}}}"#, "x".repeat(501));
        let many: Vec<_> = (0..21).map(|number| format!(r#""{number}": "x""#)).collect();
        let many = format!(r#"{{"m": {{{}}}}}"#, many.join(","));
        for text in
            [r#"{"m": "x"}"#, r#"{"m": {"a": 1}}"#, r#"{"m": {"": "x"}}"#, r#"{"m": ["x"]}"#, &long, &many]
        {
            let mut given = form(text);
            assert_eq!(given.texts("m"), None);
            assert!(given.finish().unwrap_err().has("m"), "{text}");
        }
    }

    #[test]
    fn the_errors_of_a_nested_field_have_both_names() {
        let mut outer = form(r#"{"checkout": {"return_url": "no", "colour": 1}}"#);
        let mut inner = outer.nested("checkout").flatten().unwrap();
        let given = inner.url("return_url");
        assert_eq!(inner.required("return_url", given), None);
        outer.take_errors_of("checkout", inner);
        let errors = outer.finish().unwrap_err();
        assert!(errors.has("checkout.return_url") && errors.has("checkout.colour"), "{errors}");
    }
}
