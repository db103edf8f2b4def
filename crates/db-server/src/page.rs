//! The query of a list: strict filters, `limit` and `page`; and the `meta` of its answer.

mod cursor;

use std::{fmt, mem::take, str::FromStr};

use chassis::card_number;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use thiserror::Error;

pub use cursor::{Cursor, CursorList, CursorMeta};

use crate::{
    email::Email,
    field_errors::{ALL, Code, FieldError, FieldErrors},
    form,
    store::{code::Provider, page::Page},
    uri::{self, Kind, parse_id},
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
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { errors: card_numbers(&pairs), pairs, taken: Vec::new() }
    }

    /// A filter by text.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.take(name)?;
        if let Err(error) = form::check_text(&text) {
            self.errors.add(name, error);
            return None;
        }
        Some(text)
    }

    /// A filter by e-mail address.
    pub fn email(&mut self, name: &'static str) -> Option<Email> {
        let text = self.text(name)?;
        match Email::parse(&text) {
            Some(email) => Some(email),
            None => self.wrong(name, "Enter a valid email address."),
        }
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
            None => self.reject(name, FieldError::choice()),
        }
    }

    /// A filter by one of the words that a choice has.
    pub fn word<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        let text = self.take(name)?;
        match text.parse() {
            Ok(choice) => Some(choice),
            Err(_) => self.reject(name, FieldError::choice()),
        }
    }

    /// Which page is asked for, once every filter has been taken.
    ///
    /// # Errors
    /// [`QueryError`] for a parameter that nobody took, or one whose value is wrong.
    pub fn finish(self) -> Result<PageRequest, QueryError> {
        self.finish_with(DEFAULT_LIMIT)
    }

    fn finish_with(mut self, default_limit: u32) -> Result<PageRequest, QueryError> {
        if self.errors.hold(Code::CardNumber) {
            return Err(QueryError::Wrong(card_numbers(&self.pairs)));
        }
        let limit = self.number("limit", default_limit, MAX_LIMIT);
        let page = self.number("page", 1, u32::MAX);
        self.refuse_unknown()?;
        self.errors.or(()).map_err(QueryError::Wrong)?;
        Ok(PageRequest { limit, page, pairs: self.pairs })
    }

    /// The same of a list that says nothing about its pages, so that a page holds as much as one may.
    ///
    /// # Errors
    /// As [`Query::finish`].
    pub fn finish_plain(self) -> Result<PageRequest, QueryError> {
        self.finish_with(MAX_LIMIT)
    }

    /// The query as it is, to be passed on.
    ///
    /// # Errors
    /// [`QueryError`] for a parameter that holds a card number.
    pub fn passed_on(mut self) -> Result<String, QueryError> {
        take(&mut self.errors).or(()).map_err(QueryError::Wrong)?;
        Ok(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.pairs).finish())
    }

    /// That there is no parameter at all: what is asked for has neither filters nor pages.
    ///
    /// # Errors
    /// [`QueryError`] for any parameter.
    pub fn none(mut self) -> Result<(), QueryError> {
        take(&mut self.errors).or(()).map_err(QueryError::Wrong)?;
        self.refuse_unknown()
    }

    fn refuse_unknown(&self) -> Result<(), QueryError> {
        let names = self.pairs.iter().map(|(name, _)| name.clone());
        let mut unknown: Vec<_> = names.filter(|name| !self.taken.contains(&name.as_str())).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort();
        unknown.dedup();
        Err(QueryError::Unknown(unknown))
    }

    /// A position in a sequence: a whole number, not negative.
    pub fn position(&mut self, name: &'static str) -> Option<i64> {
        let text = self.take(name)?;
        match text.parse() {
            Ok(number) if number >= 0 => Some(number),
            _ => self.wrong(name, "Enter a whole number, 0 or more."),
        }
    }

    /// A time in whole seconds; none when it is not given.
    pub fn seconds(&mut self, name: &'static str, max: u32) -> u32 {
        let Some(text) = self.take(name) else { return 0 };
        match text.parse() {
            Ok(number) if number <= max => number,
            _ => self.wrong(name, format!("Enter a whole number from 0 to {max}.")).unwrap_or_default(),
        }
    }

    /// A whole number from 1 to a largest.
    pub fn number(&mut self, name: &'static str, default: u32, max: u32) -> u32 {
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
        self.reject(name, FieldError::invalid(message))
    }

    fn reject<T>(&mut self, name: &str, error: FieldError) -> Option<T> {
        self.errors.add(name, error);
        None
    }
}

/// The parameters that hold a card number. A name that does is not repeated.
fn card_numbers(pairs: &[(String, String)]) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (name, value) in pairs {
        let is_time = name.ends_with("__gte") || name.ends_with("__lt");
        if is_time || ["limit", "page", "after", "wait"].contains(&name.as_str()) {
            // Times and numbers, of which others are refused as such.
            continue;
        }
        if card_number::is_in(name) {
            errors.add(ALL, FieldError::card_number());
        } else if card_number::is_in(value) && !uri::is_ours(value) {
            errors.add(name, FieldError::card_number());
        }
    }
    errors
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
        link(path, &self.pairs, "page", page)
    }
}

/// The same query at another place.
fn link(path: &str, pairs: &[(String, String)], place: &str, at: impl fmt::Display) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut link = format!("{path}?");
    for (name, value) in pairs.iter().filter(|(name, _)| name != place) {
        // Names are those of our filters: letters and underscores.
        link.push_str(&format!("{name}={}&", encode(value)));
    }
    link.push_str(&format!("{place}={at}"));
    link
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
mod tests;
