//! Finds where a SOAP message's login goes, and refuses every message that could be read in two ways.
//!
//! SOAP 1.1, section 3: no document type, no processing instructions. The elements are filled where Bango's WSDLs have
//! them: beside each other, in the operation or in its `request`.

use std::ops::Range;

use quick_xml::{
    NsReader,
    escape::escape,
    events::{BytesStart, Event},
    name::{Namespace, ResolveResult},
};

use super::super::CredentialError;

/// SOAP 1.1 and 1.2.
const SOAP: [&str; 2] =
    ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"];

const ELEMENTS: [&str; 2] = ["username", "password"];

/// In `Envelope`, `Body` and the operation, and perhaps in its `request`.
const DEPTHS: [usize; 2] = [3, 4];

/// Elements within each other.
const DEEPEST: usize = 64;

/// What XML 1.0 predefines in section 4.6.
const ENTITIES: [&str; 5] = ["amp", "lt", "gt", "quot", "apos"];

/// The places of user and password.
pub(super) struct Gaps([Gap; 2]);

#[derive(Clone)]
struct Gap {
    /// What is replaced, in bytes.
    place: Range<usize>,
    /// The element's name if it is written as `<name/>`, so that it has to be opened.
    empty: Option<String>,
    /// Where its parent begins.
    parent: usize,
}

impl Gaps {
    /// The message with both; all other bytes stay.
    pub(super) fn fill(&self, document: &str, username: &str, password: &str) -> String {
        let mut texts = [(&self.0[0], username), (&self.0[1], password)];
        texts.sort_unstable_by_key(|(gap, _)| gap.place.start);
        let mut filled = String::with_capacity(document.len() + 2 * (username.len() + password.len()) + 64);
        let mut from = 0;
        for (gap, text) in texts {
            filled.push_str(&document[from..gap.place.start]);
            match &gap.empty {
                None => filled.push_str(&escape(text)),
                Some(name) => {
                    filled.extend([">", &escape(text), "</", name, ">"]);
                }
            }
            from = gap.place.end;
        }
        filled.push_str(&document[from..]);
        filled
    }
}

/// Whether an encoding is UTF-8 or a part of it.
pub(super) fn is_utf8(encoding: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
}

/// Finds the two elements.
///
/// # Errors
/// [`CredentialError::Request`] when one of them is not there exactly once, or the message is not to be trusted.
pub(super) fn find(document: &str, namespaces: &[String]) -> Result<Gaps, CredentialError> {
    // A mark of the byte order is no part of the document.
    let mark = if document.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = NsReader::from_str(&document[mark..]);
    reader.config_mut().check_comments = true;
    let mut search = Search { document, namespaces, open: Vec::new(), ended: false, found: [None, None] };
    loop {
        let start = mark + position(&reader)?;
        let (namespace, event) =
            reader.read_resolved_event().map_err(|_| refuse("it is not well-formed XML"))?;
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(name)) => Some(name.to_owned()),
            ResolveResult::Unbound => None,
            ResolveResult::Unknown(_) => return Err(refuse("it uses a prefix without a namespace")),
        };
        if matches!(event, Event::Eof) {
            return search.finish();
        }
        let place = start..mark + position(&reader)?;
        search.take(event, namespace.as_deref(), place)?;
    }
}

fn position(reader: &NsReader<&[u8]>) -> Result<usize, CredentialError> {
    usize::try_from(reader.buffer_position()).map_err(|_| refuse("it is too large"))
}

const fn refuse(reason: &'static str) -> CredentialError {
    CredentialError::Request { reason }
}

struct Search<'a> {
    document: &'a str,
    namespaces: &'a [String],
    open: Vec<Element>,
    /// Whether the root has been closed.
    ended: bool,
    found: [Option<Gap>; 2],
}

/// An element that is open.
struct Element {
    start: usize,
    /// Whether it is called `Body`, which counts within the envelope alone.
    is_body: bool,
    /// Which of [`ELEMENTS`] it is, and where its content begins.
    login: Option<(usize, usize)>,
}

impl Search<'_> {
    fn take(
        &mut self,
        event: Event<'_>,
        namespace: Option<&str>,
        place: Range<usize>,
    ) -> Result<(), CredentialError> {
        let in_login = self.open.last().is_some_and(|element| element.login.is_some());
        match event {
            Event::Start(tag) => self.open(&tag, namespace, place, false)?,
            Event::Empty(tag) => self.open(&tag, namespace, place, true)?,
            Event::End(_) => self.close(place.start)?,
            Event::Text(text) if self.open.is_empty() && !text.trim().is_empty() => {
                return Err(refuse("it has text outside of its envelope"));
            }
            Event::Text(_) => {}
            Event::GeneralRef(reference) => {
                refuse_reference(&reference)?;
                if self.open.is_empty() {
                    return Err(refuse("it has text outside of its envelope"));
                }
            }
            Event::CData(_) | Event::Comment(_) if in_login => {
                return Err(refuse("an element of the login holds more than text"));
            }
            Event::CData(text) => refuse_words(&text)?,
            Event::Comment(text) => refuse_words(&text)?,
            Event::Decl(declaration) => {
                let is_first =
                    self.document.trim_start_matches('\u{feff}').len() == self.document.len() - place.start;
                let encoding =
                    declaration.encoding().transpose().map_err(|_| refuse("it is not well-formed XML"))?;
                let version = declaration.version().map_err(|_| refuse("it is not well-formed XML"))?;
                if !is_first || version != "1.0" || !encoding.is_none_or(|name| is_utf8(&name)) {
                    return Err(refuse("it is declared as something else than XML 1.0 in UTF-8"));
                }
            }
            Event::PI(_) => return Err(refuse("it has a processing instruction")),
            Event::DocType(_) => return Err(refuse("it has a document type")),
            Event::Eof => {}
        }
        Ok(())
    }

    fn open(
        &mut self,
        tag: &BytesStart<'_>,
        namespace: Option<&str>,
        place: Range<usize>,
        empty: bool,
    ) -> Result<(), CredentialError> {
        let depth = self.open.len();
        if self.ended || depth >= DEEPEST {
            return Err(refuse("it has elements where none belong"));
        }
        if self.open.last().is_some_and(|parent| parent.login.is_some()) {
            return Err(refuse("an element of the login holds more than text"));
        }
        let name = tag.local_name();
        let envelope = ["Envelope", "Body"].get(depth);
        let is_soap = namespace.is_some_and(|namespace| SOAP.contains(&namespace));
        let is_header = depth == 1 && name.as_ref() == "Header";
        if let Some(expected) = envelope
            && (!is_soap || (name.as_ref() != *expected && !is_header))
        {
            return Err(refuse("it is no SOAP message"));
        }
        let is_login =
            namespace.is_some_and(|namespace| self.namespaces.iter().any(|known| known == namespace));
        let login = ELEMENTS.iter().position(|element| is_login && name.as_ref() == *element);
        check_attributes(tag, login.is_some())?;
        if let Some(element) = login {
            self.enter(element, tag, place.clone(), empty)?;
        }
        if empty {
            self.ended = depth == 0;
        } else {
            let login = login.map(|element| (element, place.end));
            self.open.push(Element { start: place.start, is_body: name.as_ref() == "Body", login });
        }
        Ok(())
    }

    /// Notes one of the two elements; of one that is not empty the end follows.
    fn enter(
        &mut self,
        element: usize,
        tag: &BytesStart<'_>,
        place: Range<usize>,
        empty: bool,
    ) -> Result<(), CredentialError> {
        let in_body = self.open.get(1).is_some_and(|element| element.is_body);
        if !DEPTHS.contains(&self.open.len()) || !in_body {
            return Err(refuse("an element of the login is not where a login belongs"));
        }
        if self.found[element].is_some() {
            return Err(refuse("an element of the login is there twice"));
        }
        let parent = self.open.last().map_or(0, |parent| parent.start);
        let gap = if empty {
            // The slash and the bracket, and nothing of the attributes before them.
            let end = self.document[place.clone()].strip_suffix("/>").map(str::len);
            let end = end.ok_or_else(|| refuse("it is not well-formed XML"))?;
            let name = tag.name().as_ref().to_owned();
            Gap { place: place.start + end..place.end, empty: Some(name), parent }
        } else {
            Gap { place: place.end..place.end, empty: None, parent }
        };
        self.found[element] = Some(gap);
        Ok(())
    }

    fn close(&mut self, start: usize) -> Result<(), CredentialError> {
        let element = self.open.pop().ok_or_else(|| refuse("it is not well-formed XML"))?;
        if let Some((login, content)) = element.login
            && let Some(gap) = &mut self.found[login]
        {
            gap.place = content..start;
        }
        self.ended = self.open.is_empty();
        Ok(())
    }

    fn finish(self) -> Result<Gaps, CredentialError> {
        if !self.ended {
            return Err(refuse("it is not complete"));
        }
        let [Some(username), Some(password)] = self.found else {
            return Err(refuse("an element of the login is missing"));
        };
        if username.parent != password.parent {
            return Err(refuse("the elements of the login are not beside each other"));
        }
        Ok(Gaps([username, password]))
    }
}

fn check_attributes(tag: &BytesStart<'_>, is_login: bool) -> Result<(), CredentialError> {
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| refuse("it is not well-formed XML"))?;
        let (key, value) = (attribute.key.as_ref(), &attribute.value);
        let declares = key == "xmlns" || key.starts_with("xmlns:");
        // Readers disagree on whether a namespace is compared before or after its references are resolved.
        if value.contains('<') || (declares && value.contains(['&', '\t', '\r', '\n'])) {
            return Err(refuse("it declares a namespace in a way that can be read as another"));
        }
        if is_login && !declares {
            return Err(refuse("an element of the login has an attribute"));
        }
        for reference in value.split('&').skip(1) {
            let (reference, _) =
                reference.split_once(';').ok_or_else(|| refuse("it is not well-formed XML"))?;
            refuse_reference(reference)?;
        }
    }
    Ok(())
}

/// A character's number, or one of the five names; any other would need a document type.
fn refuse_reference(reference: &str) -> Result<(), CredentialError> {
    let is_number = reference.strip_prefix('#').is_some_and(|number| match number.strip_prefix('x') {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()),
    });
    if is_number || ENTITIES.contains(&reference) { Ok(()) } else { Err(refuse("it refers to an entity")) }
}

/// What looks like a login and is none has no business in the message.
fn refuse_words(text: &str) -> Result<(), CredentialError> {
    let text = text.to_ascii_lowercase();
    if ELEMENTS.iter().any(|element| text.contains(element)) {
        return Err(refuse("a comment or CDATA section speaks of a login"));
    }
    Ok(())
}
