//! What Braintree answers instead of a result: a bare status, or 422 with an `api-error-response`.

use actix_web::http::StatusCode;

use super::xml::{Element, Node};

/// A refused request.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// Wrong keys or merchant.
    Unauthorized,
    /// The version of the API is too old, or is missing.
    UpgradeRequired,
    /// The body is no XML.
    BadRequest,
    /// There is no such object.
    NotFound,
    /// The request was understood and cannot be done, or was declined.
    Invalid(Box<Invalid>),
}

/// The content of an `api-error-response`.
#[derive(Clone, Debug, Default)]
pub(super) struct Invalid {
    /// What is wrong with which field.
    pub(super) faults: Vec<Fault>,
    /// The message; that of the faults when absent.
    pub(super) message: Option<String>,
    /// The transaction, verification or subscription that was made nevertheless.
    pub(super) made: Option<Element>,
}

/// One validation error.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// The objects that the field is in, from outside.
    path: &'static [&'static str],
    /// The field, or `base`.
    attribute: &'static str,
    code: &'static str,
    message: &'static str,
}

impl Fault {
    pub(super) const fn new(
        path: &'static [&'static str],
        attribute: &'static str,
        code: &'static str,
        message: &'static str,
    ) -> Self {
        Self { path, attribute, code, message }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Invalid(Box::new(Invalid { faults: vec![fault], ..Invalid::default() }))
    }
}

impl From<Vec<Fault>> for Refusal {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Invalid(Box::new(Invalid { faults, ..Invalid::default() }))
    }
}

impl Refusal {
    /// A decline: nothing was wrong with the request, and what was made of it is shown.
    pub(super) fn declined(message: &str, made: Element) -> Self {
        Self::Invalid(Box::new(Invalid {
            faults: Vec::new(),
            message: Some(message.to_owned()),
            made: Some(made),
        }))
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// The body; none for a bare status.
    pub(super) fn body(&self, request: Option<&Node>) -> Option<Element> {
        match self {
            Self::Invalid(invalid) => Some(invalid.show(request)),
            _ => None,
        }
    }
}

impl Invalid {
    fn show(&self, request: Option<&Node>) -> Element {
        let faults: Vec<&Fault> = self.faults.iter().collect();
        let mut children = vec![level("errors", &faults, 0)];
        if let Some(request) = request.filter(|request| !request.name().is_empty()) {
            children.push(Element::node("params", vec![request.echo()]));
        }
        let message = self.message.clone().unwrap_or_else(|| {
            let messages: Vec<_> = self.faults.iter().map(|fault| fault.message).collect();
            messages.join("\n")
        });
        children.push(Element::text("message", message));
        children.extend(self.made.clone());
        Element::node("api-error-response", children)
    }
}

/// The errors of one object, and in it those of the objects within.
fn level(name: &str, faults: &[&Fault], depth: usize) -> Element {
    let here = faults.iter().filter(|fault| fault.path.len() == depth).map(|fault| {
        Element::node(
            "error",
            vec![
                Element::text("code", fault.code),
                Element::symbol("attribute", fault.attribute),
                Element::text("message", fault.message),
            ],
        )
    });
    let mut children = vec![Element::array("errors", here.collect())];
    let mut names: Vec<&str> = faults.iter().filter_map(|fault| fault.path.get(depth).copied()).collect();
    names.sort_unstable();
    names.dedup();
    for inner in names {
        let within: Vec<&Fault> =
            faults.iter().filter(|fault| fault.path.get(depth) == Some(&inner)).copied().collect();
        children.push(level(&inner.replace('_', "-"), &within, depth + 1));
    }
    Element::node(name, children)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_nested_as_the_objects_are() {
        let refusal = Refusal::from(vec![
            Fault::new(&["transaction"], "amount", "81502", "Amount is required."),
            Fault::new(&["transaction", "credit_card"], "number", "81715", "Number is invalid."),
        ]);
        let request = Node::parse(b"<transaction><type>sale</type></transaction>").unwrap();
        let text = refusal.body(Some(&request)).unwrap().document();
        let flat: String = text.lines().map(str::trim).collect();
        let expected = "<errors><errors type=\"array\"/><transaction><errors type=\"array\"><error>\
            <code>81502</code><attribute type=\"symbol\">amount</attribute><message>Amount is required.</message>\
            </error></errors><credit-card><errors type=\"array\"><error><code>81715</code>\
            <attribute type=\"symbol\">number</attribute><message>Number is invalid.</message></error></errors>\
            </credit-card></transaction></errors><params><transaction><type>sale</type></transaction></params>\
            <message>Amount is required.Number is invalid.</message>";
        assert!(flat.contains(expected), "{flat}");
    }
}
