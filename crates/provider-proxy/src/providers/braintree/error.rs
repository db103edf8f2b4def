//! Braintree's `api-error-response`: validation errors, nested as the objects are, and what was made nevertheless.

use wire::payment::{FieldError, Outcome};

use super::{
    table::{self, Special},
    xml::Element,
};
use crate::providers::exchange::Received;

/// The name of the document.
pub(super) const NAME: &str = "api-error-response";

/// The code of an error that Braintree gives none for.
const UNKNOWN: &str = "unknown";

/// In characters; Braintree's own are far shorter.
const LONGEST_MESSAGE: usize = 1000;

/// Why a request was not done.
#[derive(Debug)]
pub(super) struct Refused<'answer> {
    errors: Vec<FieldError>,
    message: String,
    answer: &'answer Element,
}

impl<'answer> Refused<'answer> {
    /// Reads the document, if it is one.
    pub(super) fn read(answer: &'answer Element) -> Option<Self> {
        (answer.name() == NAME).then(|| {
            let mut errors = Vec::new();
            if let Some(outermost) = answer.child("errors") {
                collect(outermost, &mut errors);
            }
            Self { errors, message: bounded(answer.text("message").unwrap_or_default()), answer }
        })
    }

    /// The declined transaction, verification or subscription that was kept.
    pub(super) fn made(&self, name: &str) -> Option<&'answer Element> {
        self.answer.child(name)
    }

    /// The outcome when nothing was made.
    pub(super) fn rejected<T>(self, received: &Received) -> Outcome<T> {
        received.rejected(self.message, self.errors)
    }
}

/// Each object has an array of its own errors, and in it the objects within.
fn collect(object: &Element, errors: &mut Vec<FieldError>) {
    for child in object.children() {
        if child.name() == "errors" {
            errors.extend(child.children().iter().map(field_error));
        } else {
            collect(child, errors);
        }
    }
}

fn field_error(error: &Element) -> FieldError {
    FieldError {
        field: error.text("attribute").filter(|&field| field != "base").map(bounded),
        code: bounded(error.text("code").unwrap_or(UNKNOWN)),
        message: bounded(error.text("message").unwrap_or_default()),
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(LONGEST_MESSAGE).collect()
}

/// What is special about an outcome: a duplicate, or a code that does not simply say that nothing was done.
pub(super) fn special<T>(outcome: &Outcome<T>) -> Option<Special> {
    match outcome {
        Outcome::Declined { decline, .. } => {
            (decline.code == table::DUPLICATE).then_some(Special::PerhapsBefore)
        }
        Outcome::Rejected { rejection } => {
            rejection.errors.iter().find_map(|error| table::find(&table::SPECIAL, &error.code))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_all_objects_are_given_with_their_fields_and_codes() {
        let text = include_bytes!("fixtures/sale_invalid.xml");
        let answer = Element::parse(text).unwrap();
        let refused = Refused::read(&answer).unwrap();
        let told: Vec<_> =
            refused.errors.iter().map(|error| (error.field.as_deref(), error.code.as_str())).collect();
        assert_eq!(
            told,
            [(Some("amount"), "81503"), (None, "91508"), (Some("number"), "81715"), (None, UNKNOWN)]
        );
        assert_eq!(refused.message, "Amount is an invalid format.\nCannot determine payment method.");
        assert!(refused.made("transaction").is_none());
        assert!(Refused::read(&Element::parse(b"<transaction/>").unwrap()).is_none());
    }
}
