//! PayPal's refusals: the one table of what each issue means, and how one is read.
//!
//! Source: PayPal's error references of Orders v2, Payments v2 and Payment Method Tokens v3. An issue that is not in the
//! table is a rejection: PayPal has refused the request, and says so before it moves anything.

use actix_web::http::StatusCode;
use serde::Deserialize;
use wire::payment::{Advice, Decline, FieldError, Outcome};

use crate::providers::exchange::{Received, Unintelligible};

/// What an issue comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    /// The payer's bank or PayPal's own checks said no.
    Declined(Advice),
    /// The request was wrong or came at the wrong time.
    Rejected,
    /// The payer must do something first: the order says what.
    PayerAction,
    /// It has been done before, by whomever: the object says how it stands.
    DoneBefore,
    /// The same request is still under way, or has been executed under another key.
    Unknown,
}

/// Every issue that is not simply a rejection, and those rejections that the documentation names.
pub(super) const ISSUES: &[(&str, Meaning)] = &[
    ("INSTRUMENT_DECLINED", Meaning::Declined(Advice::OtherMethod)),
    ("TRANSACTION_REFUSED", Meaning::Declined(Advice::OtherMethod)),
    ("PAYER_CANNOT_PAY", Meaning::Declined(Advice::OtherMethod)),
    ("PAYER_ACCOUNT_RESTRICTED", Meaning::Declined(Advice::OtherMethod)),
    ("PAYER_ACCOUNT_LOCKED_OR_CLOSED", Meaning::Declined(Advice::OtherMethod)),
    ("CARD_EXPIRED", Meaning::Declined(Advice::OtherMethod)),
    ("CARD_BRAND_NOT_SUPPORTED", Meaning::Declined(Advice::OtherMethod)),
    ("TRANSACTION_LIMIT_EXCEEDED", Meaning::Declined(Advice::OtherMethod)),
    ("PAYMENT_DENIED", Meaning::Declined(Advice::OtherMethod)),
    ("REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", Meaning::Declined(Advice::OtherMethod)),
    ("REFUND_FAILED_INSUFFICIENT_FUNDS", Meaning::Declined(Advice::Retry)),
    ("COMPLIANCE_VIOLATION", Meaning::Declined(Advice::Never)),
    ("TRANSACTION_BLOCKED_BY_PAYEE", Meaning::Declined(Advice::Never)),
    ("PAYEE_BLOCKED_TRANSACTION", Meaning::Declined(Advice::Never)),
    ("ORDER_NOT_APPROVED", Meaning::PayerAction),
    ("PAYER_ACTION_REQUIRED", Meaning::PayerAction),
    ("ORDER_ALREADY_CAPTURED", Meaning::DoneBefore),
    ("ORDER_ALREADY_AUTHORIZED", Meaning::DoneBefore),
    ("ORDER_ALREADY_COMPLETED", Meaning::DoneBefore),
    ("PREVIOUSLY_VOIDED", Meaning::DoneBefore),
    // Our invoice id is our attempt id: a payment of this very attempt is there already.
    ("DUPLICATE_INVOICE_ID", Meaning::Unknown),
    ("PREVIOUS_REQUEST_IN_PROGRESS", Meaning::Unknown),
    ("CAPTURE_FULLY_REFUNDED", Meaning::Rejected),
    ("REFUND_AMOUNT_EXCEEDED", Meaning::Rejected),
    ("PENDING_CAPTURE", Meaning::Rejected),
    ("MAX_CAPTURE_AMOUNT_EXCEEDED", Meaning::Rejected),
    ("AUTHORIZATION_ALREADY_CAPTURED", Meaning::Rejected),
    ("AUTHORIZATION_VOIDED", Meaning::Rejected),
    ("AUTHORIZATION_EXPIRED", Meaning::Rejected),
    ("PREVIOUSLY_CAPTURED", Meaning::Rejected),
    ("ACTION_DOES_NOT_MATCH_INTENT", Meaning::Rejected),
    ("INVALID_RESOURCE_ID", Meaning::Rejected),
];

/// What becomes of a processor's response code to a card; any other one is [`Advice::OtherMethod`].
pub(super) const PROCESSOR_ADVICE: &[(&str, Advice)] = &[
    ("0500", Advice::OtherMethod),
    ("5100", Advice::OtherMethod),
    ("5120", Advice::Retry),
    ("5180", Advice::OtherMethod),
    ("5400", Advice::OtherMethod),
    ("5650", Advice::Retry),
    ("00N7", Advice::OtherMethod),
    ("9500", Advice::Never),
    ("9520", Advice::Never),
];

/// A refusal: of the API, or of the access token (RFC 6750).
#[derive(Debug)]
pub(super) struct Refusal {
    message: String,
    details: Vec<Detail>,
    status: StatusCode,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Body {
    Api {
        name: String,
        #[serde(default)]
        message: String,
        #[serde(default)]
        details: Vec<Detail>,
    },
    Token {
        error: String,
        #[serde(default)]
        error_description: String,
    },
}

#[derive(Debug, Deserialize)]
struct Detail {
    issue: String,
    #[serde(default)]
    description: String,
    field: Option<String>,
}

impl Refusal {
    /// Reads the refusal that a 4xx holds; a page of somebody in between is none.
    ///
    /// # Errors
    /// [`Unintelligible`].
    pub(super) fn read(received: &Received) -> Result<Self, Unintelligible> {
        let body: Body = received.json()?;
        let status = received.status;
        Ok(match body {
            Body::Api { name, message, mut details } => {
                if details.is_empty() {
                    details.push(Detail { issue: name, description: message.clone(), field: None });
                }
                Self { message, details, status }
            }
            Body::Token { error, error_description } => {
                let detail = Detail { issue: error, description: error_description.clone(), field: None };
                Self { message: error_description, details: vec![detail], status }
            }
        })
    }

    /// What it means: the first issue that is in the table decides.
    pub(super) fn meaning(&self) -> Meaning {
        let known = |detail: &Detail| ISSUES.iter().find(|(issue, _)| *issue == detail.issue);
        match self.details.iter().find_map(known) {
            Some(&(_, meaning)) => meaning,
            None if matches!(self.status, StatusCode::CONFLICT | StatusCode::REQUEST_TIMEOUT) => {
                Meaning::Unknown
            }
            None => Meaning::Rejected,
        }
    }

    /// Whether it names an issue.
    pub(super) fn is_about(&self, issue: &str) -> bool {
        self.details.iter().any(|detail| detail.issue == issue)
    }

    /// As an outcome in which nothing was made.
    pub(super) fn outcome<T>(self, received: &Received) -> Outcome<T> {
        let first = self.details.first();
        let (code, message) = first.map_or(("unknown", ""), |detail| (&detail.issue, &detail.description));
        match self.meaning() {
            Meaning::Declined(advice) => Outcome::Declined {
                decline: Decline { code: code.to_owned(), message: message.to_owned(), advice },
                result: None,
            },
            Meaning::Unknown => Outcome::Unknown { reason: format!("PayPal answers {code}.") },
            Meaning::Rejected | Meaning::PayerAction | Meaning::DoneBefore => {
                let errors = self.details.into_iter().map(|detail| FieldError {
                    field: detail.field,
                    code: detail.issue,
                    message: detail.description,
                });
                received.rejected(self.message, errors.collect())
            }
        }
    }
}

/// What may help after a processor's response code.
pub(super) fn advice(code: &str) -> Advice {
    PROCESSOR_ADVICE
        .iter()
        .find(|(known, _)| *known == code)
        .map_or(Advice::OtherMethod, |&(_, advice)| advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_both_tables_is_there_once_and_documented() {
        let page = include_str!("../../../../../docs/providers/paypal.md");
        for (index, (issue, _)) in ISSUES.iter().enumerate() {
            assert_eq!(ISSUES.iter().position(|(known, _)| known == issue), Some(index), "{issue}");
            assert!(page.contains(&format!("`{issue}`")), "{issue}");
        }
        for (code, _) in PROCESSOR_ADVICE {
            assert!(page.contains(&format!("`{code}`")), "{code}");
        }
    }
}
