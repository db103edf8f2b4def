//! Braintree's XML: elements with type attributes, read from requests and written to answers.
//!
//! Source: what the official SDKs write and read (`braintree/util/generator.py` and `parser.py` of the Python one): a
//! list is `type="array"`, nothing is `nil="true"`, names have underscores in requests and hyphens in answers.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesStart, Event};

/// An element of an answer.
#[derive(Clone, Debug)]
pub(super) struct Element {
    name: String,
    kind: Option<&'static str>,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Nil,
    Text(String),
    Children(Vec<Element>),
}

impl Element {
    /// A text.
    pub(super) fn text(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), kind: None, content: Content::Text(text.into()) }
    }

    /// A text, or nothing.
    pub(super) fn optional(name: &str, text: Option<impl Into<String>>) -> Self {
        text.map_or_else(|| Self::nil(name), |text| Self::text(name, text))
    }

    /// Nothing.
    pub(super) fn nil(name: &str) -> Self {
        Self { name: name.to_owned(), kind: None, content: Content::Nil }
    }

    /// `true` or `false`.
    pub(super) fn boolean(name: &str, value: bool) -> Self {
        Self::typed(name, "boolean", value.to_string())
    }

    /// A whole number.
    pub(super) fn integer(name: &str, value: usize) -> Self {
        Self::typed(name, "integer", value.to_string())
    }

    /// A time in UTC, to the second.
    pub(super) fn datetime(name: &str, value: DateTime<Utc>) -> Self {
        Self::typed(name, "datetime", value.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    /// A day.
    pub(super) fn date(name: &str, value: NaiveDate) -> Self {
        Self::typed(name, "date", value.to_string())
    }

    /// A Ruby symbol.
    pub(super) fn symbol(name: &str, value: &str) -> Self {
        Self::typed(name, "symbol", value.to_owned())
    }

    /// Elements in it.
    pub(super) fn node(name: &str, children: Vec<Self>) -> Self {
        Self { name: name.to_owned(), kind: None, content: Content::Children(children) }
    }

    /// A list.
    pub(super) fn array(name: &str, children: Vec<Self>) -> Self {
        Self { name: name.to_owned(), kind: Some("array"), content: Content::Children(children) }
    }

    /// A list of texts, each an `item`.
    pub(super) fn items<'a>(name: &str, items: impl IntoIterator<Item = &'a String>) -> Self {
        Self::array(name, items.into_iter().map(|item| Self::text("item", item.as_str())).collect())
    }

    /// One page of what was searched for.
    pub(super) fn collection(name: &str, children: Vec<Self>) -> Self {
        Self { name: name.to_owned(), kind: Some("collection"), content: Content::Children(children) }
    }

    fn typed(name: &str, kind: &'static str, text: String) -> Self {
        Self { name: name.to_owned(), kind: Some(kind), content: Content::Text(text) }
    }

    /// The whole document, indented as Braintree's.
    pub(super) fn document(&self) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut text, 0);
        text
    }

    fn write(&self, text: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        let name = &self.name;
        let kind = self.kind.map(|kind| format!(" type=\"{kind}\"")).unwrap_or_default();
        match &self.content {
            Content::Nil => text.push_str(&format!("{indent}<{name} nil=\"true\"/>\n")),
            Content::Text(content) => {
                text.push_str(&format!("{indent}<{name}{kind}>{}</{name}>\n", escape(content.as_str())));
            }
            Content::Children(children) if children.is_empty() => {
                text.push_str(&format!("{indent}<{name}{kind}/>\n"));
            }
            Content::Children(children) => {
                text.push_str(&format!("{indent}<{name}{kind}>\n"));
                children.iter().for_each(|child| child.write(text, depth + 1));
                text.push_str(&format!("{indent}</{name}>\n"));
            }
        }
    }
}

/// An element of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    /// With underscores, whichever the client writes.
    name: String,
    text: String,
    children: Vec<Node>,
    array: bool,
}

/// Elements within each other; no request has more.
const DEEPEST: usize = 32;

impl Node {
    /// Reads a request. An empty one has an element without a name.
    ///
    /// None when it is not well-formed, has a document type, or refers to an entity.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        if text.trim().is_empty() {
            return Some(Self::default());
        }
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) if open.len() <= DEEPEST => open.push(Self::open(&tag)?),
                Event::Empty(tag) => open.last_mut()?.children.push(Self::open(&tag)?),
                Event::End(_) => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
                Event::Text(content) => open.last_mut()?.text.push_str(&content.xml10_content()),
                Event::CData(content) => open.last_mut()?.text.push_str(&content),
                Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                    Some(character) => open.last_mut()?.text.push(character),
                    None => open.last_mut()?.text.push_str(resolve_predefined_entity(&reference)?),
                },
                Event::Decl(_) | Event::Comment(_) => {}
                Event::Eof => break,
                Event::Start(_) | Event::PI(_) | Event::DocType(_) => return None,
            }
        }
        let mut document = open.pop().filter(|_| open.is_empty())?;
        let root = document.children.pop()?;
        document.children.is_empty().then_some(root)
    }

    fn open(tag: &BytesStart<'_>) -> Option<Self> {
        let kind = tag.try_get_attribute("type").ok()?;
        Some(Self {
            name: tag.name().as_ref().replace('-', "_"),
            array: kind.is_some_and(|kind| kind.value == "array"),
            ..Self::default()
        })
    }

    /// The element's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The elements in it.
    pub(super) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The first element of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of an element, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str()).filter(|text| !text.trim().is_empty())
    }

    /// Whether an element says yes.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1"))
    }

    /// The text itself.
    pub(super) fn content(&self) -> &str {
        &self.text
    }

    /// The texts of a list's items.
    pub(super) fn items(&self) -> Vec<&str> {
        self.children.iter().map(Self::content).collect()
    }

    /// The same as it stands in an answer's `params`, without the secrets of a card.
    pub(super) fn echo(&self) -> Element {
        let shown = self.children.iter().filter(|child| !matches!(child.name.as_str(), "number" | "cvv"));
        let children: Vec<_> = shown.map(Self::echo).collect();
        let name = self.name.replace('_', "-");
        if self.array {
            Element::array(&name, children)
        } else if !self.children.is_empty() {
            Element::node(&name, children)
        } else {
            Element::optional(&name, Some(&self.text).filter(|text| !text.is_empty()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_type_attributes() {
        let element = Element::node(
            "transaction",
            vec![
                Element::text("order-id", "a & <b>"),
                Element::nil("plan-id"),
                Element::boolean("recurring", false),
                Element::array("refund-ids", vec![]),
                Element::items("ids", &["x".to_owned()]),
            ],
        );
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<transaction>\n  \
            <order-id>a &amp; &lt;b&gt;</order-id>\n  <plan-id nil=\"true\"/>\n  \
            <recurring type=\"boolean\">false</recurring>\n  <refund-ids type=\"array\"/>\n  \
            <ids type=\"array\">\n    <item>x</item>\n  </ids>\n</transaction>\n";
        assert_eq!(element.document(), expected);
    }

    #[test]
    fn a_request_is_read_whichever_way_it_is_written() {
        let body = "<?xml version=\"1.0\"?><transaction><order-id>&#252; &amp;</order-id><amount>1</amount>\
            <options><submit_for_settlement type=\"boolean\">true</submit_for_settlement></options>\
            <ids type=\"array\"><item>a</item><item>b</item></ids><tax/></transaction>";
        let node = Node::parse(body.as_bytes()).unwrap();
        assert_eq!((node.name(), node.get("order_id"), node.get("tax")), ("transaction", Some("ü &"), None));
        assert!(node.child("options").unwrap().flag("submit_for_settlement"));
        assert_eq!(node.child("ids").unwrap().items(), ["a", "b"]);
        assert_eq!(Node::parse(b"").unwrap().name(), "");
    }

    #[test]
    fn what_is_no_plain_xml_is_not_read() {
        for body in [
            "<a>",
            "<a></b>",
            "text",
            "<a/><b/>",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
            "<a>&e;</a>",
            "<?php x?><a/>",
            &"<a>".repeat(40),
        ] {
            assert!(Node::parse(body.as_bytes()).is_none(), "{body}");
        }
    }
}
