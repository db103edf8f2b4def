//! Braintree's XML, written for requests.

use std::fmt::Write as _;

use quick_xml::escape::escape;

/// A request as it is written.
#[derive(Debug)]
pub(in super::super) struct Written {
    text: String,
    name: &'static str,
}

impl Written {
    /// An element that holds others.
    pub(in super::super) fn new(name: &'static str) -> Self {
        Self { text: format!("<{name}>"), name }
    }

    /// A text in it.
    pub(in super::super) fn text(mut self, name: &str, text: &str) -> Self {
        // Writing to memory does not fail.
        let _ = write!(self.text, "<{name}>{}</{name}>", escape(text));
        self
    }

    /// A text in it, if there is one.
    pub(in super::super) fn optional(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// A time of RFC 3339 in it.
    pub(in super::super) fn datetime(mut self, name: &str, at: &str) -> Self {
        let _ = write!(self.text, "<{name} type=\"datetime\">{}</{name}>", escape(at));
        self
    }

    /// Yes or no in it.
    pub(in super::super) fn flag(mut self, name: &str, flag: bool) -> Self {
        let _ = write!(self.text, "<{name} type=\"boolean\">{flag}</{name}>");
        self
    }

    /// A list of texts in it.
    pub(in super::super) fn list<'a>(
        mut self,
        name: &str,
        items: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        let _ = write!(self.text, "<{name} type=\"array\">");
        for item in items {
            let _ = write!(self.text, "<item>{}</item>", escape(item.as_str()));
        }
        let _ = write!(self.text, "</{name}>");
        self
    }

    /// Another element in it.
    pub(in super::super) fn node(mut self, inner: Self) -> Self {
        self.text.push_str(&inner.finish());
        self
    }

    /// The whole text.
    pub(in super::super) fn finish(mut self) -> String {
        let _ = write!(self.text, "</{}>", self.name);
        self.text
    }
}
