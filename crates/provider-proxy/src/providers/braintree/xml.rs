//! Braintree's XML: read without document types, entities or surprises in size; written for requests.
//!
//! Source: `braintree/util/parser.py` and `generator.py` of the official Python SDK: a list is `type="array"`, nothing is
//! `nil="true"`, names have hyphens in answers and underscores in requests.

mod written;

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use serde_json::{Map, Value};
use thiserror::Error;

pub(super) use self::written::Written;
use crate::providers::exchange::Unintelligible;

/// Elements within each other.
const DEEPEST: usize = 32;

/// Elements in one document.
const MOST: usize = 20_000;

/// Why a text is not taken for Braintree's XML; shows nothing of it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum XmlError {
    /// Not UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// Not well-formed, or cut off.
    #[error("not well-formed XML")]
    Malformed,
    /// A document type, a processing instruction or an entity.
    #[error("XML with a document type, an instruction or an entity")]
    Forbidden,
    /// Elements within each other without end.
    #[error("XML that is nested too deeply")]
    TooDeep,
    /// More elements than any answer has.
    #[error("XML with too many elements")]
    TooMany,
}

impl From<XmlError> for Unintelligible {
    fn from(error: XmlError) -> Self {
        Self::field(".", error.to_string())
    }
}

/// An element of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Element {
    name: String,
    kind: Option<String>,
    nil: bool,
    text: String,
    children: Vec<Self>,
}

impl Element {
    /// Reads a document.
    ///
    /// # Errors
    /// [`XmlError`].
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Encoding)?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        let mut open = vec![Self::default()];
        let mut count = 0;
        loop {
            let event = reader.read_event().map_err(|_| XmlError::Malformed)?;
            if matches!(event, Event::Start(_) | Event::Empty(_)) {
                count += 1;
                if count > MOST {
                    return Err(XmlError::TooMany);
                }
            }
            let depth = open.len();
            let Some(inner) = open.last_mut() else { return Err(XmlError::Malformed) };
            match event {
                Event::Start(_) if depth > DEEPEST => return Err(XmlError::TooDeep),
                Event::Start(tag) => open.push(Self::opened(&tag)?),
                Event::Empty(tag) => inner.children.push(Self::opened(&tag)?),
                Event::End(_) => close(&mut open)?,
                Event::Text(text) => inner.text.push_str(&text.xml10_content()),
                Event::CData(text) => inner.text.push_str(&text),
                Event::GeneralRef(reference) => {
                    match reference.resolve_char_ref().map_err(|_| XmlError::Malformed)? {
                        Some(character) => inner.text.push(character),
                        None => inner
                            .text
                            .push_str(resolve_predefined_entity(&reference).ok_or(XmlError::Forbidden)?),
                    }
                }
                Event::Decl(_) | Event::Comment(_) => {}
                Event::PI(_) | Event::DocType(_) => return Err(XmlError::Forbidden),
                Event::Eof => break,
            }
        }
        root(open)
    }

    fn opened(tag: &BytesStart<'_>) -> Result<Self, XmlError> {
        let mut element = Self { name: tag.name().as_ref().to_owned(), ..Self::default() };
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| XmlError::Malformed)?;
            match attribute.key.as_ref() {
                "type" => element.kind = Some(attribute.value.into_owned()),
                "nil" => element.nil = attribute.value == "true",
                _ => {}
            }
        }
        Ok(element)
    }

    /// The element's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The elements in it.
    pub(crate) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The first element of a name in it, unless that is nothing.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name).filter(|child| !child.nil)
    }

    /// The text of an element in it, unless that is empty or has elements of its own.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.child(name)?.own_text()
    }

    /// The text, unless it is empty.
    pub(crate) fn own_text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty() && self.children.is_empty())
    }

    /// The text of an element that every answer of this kind has.
    ///
    /// # Errors
    /// [`Unintelligible`] when it is missing.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Unintelligible> {
        self.text(name).ok_or_else(|| Unintelligible::field(name, "missing"))
    }

    /// The texts of a list's items.
    pub(crate) fn items(&self, name: &str) -> Vec<String> {
        let list = self.child(name).map(Self::children).unwrap_or_default();
        list.iter().filter_map(Self::own_text).map(str::to_owned).collect()
    }

    /// The same as JSON, with underscores in names, and without the tokens of payment methods.
    pub(crate) fn json(&self) -> Value {
        if self.nil {
            return Value::Null;
        }
        match (self.kind.as_deref(), self.own_text()) {
            (Some("array" | "collection"), _) => self.children.iter().map(Self::json).collect(),
            (Some("boolean"), text) => (text == Some("true")).into(),
            (Some("integer"), Some(text)) => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
            (_, Some(text)) => text.into(),
            (_, None) if self.children.is_empty() => Value::String(String::new()),
            (_, None) => {
                let fields = self.children.iter().filter(|child| !is_token(&child.name));
                let named = fields.map(|child| (child.name.replace('-', "_"), child.json()));
                Value::Object(named.collect::<Map<_, _>>())
            }
        }
    }
}

/// Whoever has one of these and our key can charge a payer.
fn is_token(name: &str) -> bool {
    let name = name.replace('_', "-");
    matches!(name.as_str(), "token" | "payment-method-token" | "nonce" | "payment-method-nonce")
}

fn close(open: &mut Vec<Element>) -> Result<(), XmlError> {
    let closed = open.pop().ok_or(XmlError::Malformed)?;
    open.last_mut().ok_or(XmlError::Malformed)?.children.push(closed);
    Ok(())
}

/// The only element of a document in which nothing is open any more.
fn root(mut open: Vec<Element>) -> Result<Element, XmlError> {
    let mut document = open.pop().filter(|_| open.is_empty()).ok_or(XmlError::Malformed)?;
    match (document.children.pop(), document.children.is_empty(), document.text.trim().is_empty()) {
        (Some(root), true, true) => Ok(root),
        _ => Err(XmlError::Malformed),
    }
}

#[cfg(test)]
mod tests;
