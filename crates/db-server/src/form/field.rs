//! What a field can be: each kind of value is taken from the form, and checked, in a method of its own.

use chrono::NaiveDate;
use serde_json::Value;
use url::Url;
use wire::payment::Token;

use super::{Form, Given, check};
use crate::{
    email::Email,
    field_errors::FieldError,
    password::Password,
    pin::Pin,
    uri::{self, Kind},
};

/// The longest free text, in characters.
const MAX_NOTES: usize = 65_536;

impl Form {
    /// A client's or provider's id: at most 255 characters, none of them a control character.
    pub fn id(&mut self, name: &str) -> Given<String> {
        self.string(name, check::id)
    }

    /// A text of at most 255 characters.
    pub fn text(&mut self, name: &str) -> Given<String> {
        self.string(name, check::text)
    }

    /// A free text.
    pub fn notes(&mut self, name: &str) -> Given<String> {
        self.string(name, |text| check::length(text, MAX_NOTES).and_then(|()| check::nul(text)))
    }

    /// A token or nonce that a provider gave: at most 255 characters, none of them a control character. It is kept
    /// nowhere as it is, and no `Debug` shows it.
    pub fn token(&mut self, name: &str) -> Given<Token> {
        Some(self.id(name)?.map(Token::from))
    }

    /// A text that is handed on to whoever can tell by its signature whether it is genuine. It is kept nowhere.
    pub fn signed(&mut self, name: &str) -> Given<String> {
        // Whatever it looks like, nobody has typed it.
        self.cards.remove(name);
        self.string(name, check::nul)
    }

    /// An absolute `http` or `https` URL of at most 255 characters.
    pub fn url(&mut self, name: &str) -> Given<String> {
        self.string(name, |text| {
            check::id(text)?;
            let known = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if known { Ok(()) } else { Err(FieldError::invalid("Enter a valid URL.")) }
        })
    }

    /// A date as `YYYY-MM-DD`.
    pub fn date(&mut self, name: &str) -> Given<String> {
        self.string(name, |text| {
            // The parser alone would take `2014-1-1` and `+014-01-01` too.
            let shape = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
            let plain = text.bytes().map(shape).eq(*b"0000-00-00");
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d");
            if plain && date.is_ok() {
                Ok(())
            } else {
                Err(FieldError::invalid("Enter a date as YYYY-MM-DD."))
            }
        })
    }

    /// An amount as a decimal string; a whole number may also be written as a number. It is checked with its currency.
    pub fn decimal(&mut self, name: &str) -> Given<String> {
        // Digits are what an amount is made of, and one that is as long as a card number is refused for its length.
        self.cards.remove(name);
        match self.take(name)? {
            Value::Number(number) if number.is_u64() => Some(Some(number.to_string())),
            Value::Number(_) => self.wrong(name, "Write the amount as a decimal string, such as \"0.99\"."),
            value => self.check_string(name, value, check::text),
        }
    }

    /// A flag.
    pub fn boolean(&mut self, name: &str) -> Given<bool> {
        match self.take(name)? {
            Value::Null => Some(None),
            Value::Bool(flag) => Some(Some(flag)),
            _ => self.wrong(name, "Expected true or false."),
        }
    }

    /// One of the numbers that a choice has.
    pub fn choice<T>(&mut self, name: &str, from_code: impl Fn(i64) -> Option<T>) -> Given<T> {
        let code = match self.take(name)? {
            Value::Null => return Some(None),
            Value::Number(number) => number.as_i64(),
            _ => return self.wrong(name, "Expected a whole number."),
        };
        match code.and_then(from_code) {
            Some(choice) => Some(Some(choice)),
            None => self.reject(name, FieldError::choice()),
        }
    }

    /// One of the words that a choice has.
    pub fn word<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Given<T> {
        match self.take(name)? {
            Value::Null => Some(None),
            value @ Value::String(_) => match serde_json::from_value(value) {
                Ok(word) => Some(Some(word)),
                Err(_) => self.reject(name, FieldError::choice()),
            },
            _ => self.wrong(name, "Expected a string."),
        }
    }

    /// A position in a sequence: a whole number, not negative.
    pub fn position(&mut self, name: &str) -> Given<i64> {
        match self.take(name)? {
            Value::Null => Some(None),
            Value::Number(number) if number.as_i64().is_some_and(|number| number >= 0) => {
                Some(number.as_i64())
            }
            _ => self.wrong(name, "Expected a whole number, 0 or more."),
        }
    }

    /// A list of so many texts at most, each as [`Form::id`] takes it.
    pub fn words(&mut self, name: &str, most: usize) -> Given<Vec<String>> {
        let items = match self.take(name)? {
            Value::Null => return Some(None),
            Value::Array(items) if items.len() <= most => items,
            _ => return self.wrong(name, format!("Expected a list of at most {most} texts.")),
        };
        let mut words = Vec::new();
        for item in items {
            match item {
                Value::String(word) if check::id(&word).is_ok() => words.push(word),
                _ => return self.wrong(name, "Expected a list of texts."),
            }
        }
        Some(Some(words))
    }

    /// A PIN: four digits. `null` is none; a blank is none of either.
    pub fn pin(&mut self, name: &str) -> Given<Pin> {
        match self.take(name)? {
            Value::Null => Some(None),
            Value::String(text) => match Pin::parse(text) {
                Some(pin) => Some(Some(pin)),
                None => self.wrong(name, "Enter a PIN of 4 digits."),
            },
            _ => self.wrong(name, "Enter a PIN of 4 digits."),
        }
    }

    /// A password, which may look like anything. `null` and a blank are none.
    pub fn password(&mut self, name: &str) -> Given<Password> {
        // Whatever it looks like, it is kept nowhere.
        self.cards.remove(name);
        match self.take(name)? {
            Value::Null => Some(None),
            Value::String(text) if text.is_empty() => Some(None),
            Value::String(text) => match Password::parse(text) {
                Some(password) => Some(Some(password)),
                None => self.wrong(name, "Nobody's password is as long as this."),
            },
            _ => self.wrong(name, "Expected a string."),
        }
    }

    /// An e-mail address.
    pub fn email(&mut self, name: &str) -> Given<Email> {
        match self.text(name)? {
            None => Some(None),
            Some(text) => match Email::parse(&text) {
                Some(email) => Some(Some(email)),
                None => self.wrong(name, "Enter a valid email address."),
            },
        }
    }

    /// Another resource, by its `resource_uri`.
    pub fn reference<T: From<i64>>(&mut self, name: &str, kind: Kind) -> Given<T> {
        match self.take(name)? {
            Value::Null => Some(None),
            Value::String(text) => match kind.id(&text) {
                Ok(id) => Some(Some(T::from(id))),
                Err(error) => self.wrong(name, error.to_string()),
            },
            _ => self.wrong(name, uri::UriError::NotAUri.to_string()),
        }
    }
}
