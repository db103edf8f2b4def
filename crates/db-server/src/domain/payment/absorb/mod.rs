//! What a provider says about a payment, written down: the single way in for the API's own answer, for webhooks, for
//! look-ups and for what an operator has found out.
//!
//! A fact that is known already changes nothing, and the order of facts makes no difference to where they lead.

mod contradiction;
mod operation;
mod page;
mod payment;
mod refund;
mod settlement;
mod write;

pub use contradiction::INTEGRITY;
pub use refund::refund_transaction;
#[cfg(test)]
pub(in crate::domain) use write::movements;
pub use write::transaction_status;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use wire::payment::{Captured, Checkout, Decline, Outcome, Payment, Refunded, Rejection};

use super::machine::Known;
use crate::{
    crypt::EncryptionKeys,
    domain::{Domain, DomainError},
    proxy_client::Unanswered,
    store::{
        payment::{PaymentChanges, PaymentRow},
        payment_operation::{self, PaymentOperationRow},
        refund::RefundRow,
    },
};

/// By what facts are written down.
#[derive(Clone, Debug)]
pub struct Context {
    /// What encrypts the payer's next action.
    pub keys: EncryptionKeys,
    /// What time it is.
    pub now: DateTime<Utc>,
    /// Who says so: the client's key, or `provider:NAME`, `janitor`, or `operator:NAME`.
    pub actor: String,
}

impl Context {
    /// That of this moment.
    #[must_use]
    pub fn of(domain: &Domain, actor: &str) -> Self {
        Self { keys: domain.keys.clone(), now: domain.clock.now(), actor: actor.to_owned() }
    }
}

/// Something that is known about a payment. `operation` is what the provider was asked, where the fact answers that.
#[derive(Clone, Debug)]
pub enum Fact {
    /// How the payment stands.
    Payment {
        /// What was asked: to authorize, to complete a checkout, or to void.
        operation: Option<PaymentOperationRow>,
        /// What the provider says.
        outcome: Outcome<Payment>,
    },
    /// What came of preparing a checkout.
    Checkout {
        /// What was asked.
        operation: PaymentOperationRow,
        /// What the provider says.
        outcome: Outcome<Checkout>,
    },
    /// What came of a capture.
    Capture {
        /// What was asked.
        operation: PaymentOperationRow,
        /// What the provider says.
        outcome: Outcome<Captured>,
    },
    /// How a refund stands.
    Refund {
        /// What was asked; none for one that was made at the provider, or is known by its reference only.
        operation: Option<PaymentOperationRow>,
        /// What the provider says.
        outcome: Outcome<Refunded>,
    },
    /// There is evidence that the provider has not done it: nothing was sent, or it knows of nothing when it would.
    NotDone {
        /// What was to be asked.
        operation: PaymentOperationRow,
        /// Why.
        refusal: Refused,
        /// Why there is no answer, if somebody has just asked.
        why: Option<Unanswered>,
    },
    /// It was sent, and nobody knows what came of it.
    Unknown {
        /// What was asked.
        operation: PaymentOperationRow,
        /// Why there is no answer, if somebody has just asked.
        why: Option<Unanswered>,
    },
}

/// Why something was not done, as it is kept and shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The provider's code, or one of ours such as `not_sent`.
    pub code: String,
    /// For a person; holds no secret.
    pub message: String,
}

impl Fact {
    /// The same about the operation as it is now: while the provider was asked, somebody else may have said more.
    fn refreshed(mut self, connection: &mut PgConnection) -> Result<Self, DomainError> {
        let operation = match &mut self {
            Self::Payment { operation, .. } | Self::Refund { operation, .. } => operation.as_mut(),
            Self::Checkout { operation, .. }
            | Self::Capture { operation, .. }
            | Self::NotDone { operation, .. }
            | Self::Unknown { operation, .. } => Some(operation),
        };
        if let Some(operation) = operation {
            let now = payment_operation::by_id(connection, operation.id)?;
            *operation = now.ok_or(DomainError::NotFound)?;
        }
        Ok(self)
    }
}

impl From<&Decline> for Refused {
    fn from(decline: &Decline) -> Self {
        Self { code: decline.code.clone(), message: decline.message.clone() }
    }
}

impl From<&Rejection> for Refused {
    fn from(rejection: &Rejection) -> Self {
        let first = rejection.errors.first();
        Self {
            code: first.map_or_else(|| "rejected".to_owned(), |error| error.code.clone()),
            message: first.map_or(&rejection.message, |error| &error.message).clone(),
        }
    }
}

/// What is written down now.
#[derive(Clone, Debug)]
pub struct Absorbed {
    /// The payment.
    pub payment: PaymentRow,
    /// The operation that the fact answers.
    pub operation: Option<PaymentOperationRow>,
    /// The refund that the fact is about.
    pub refund: Option<RefundRow>,
    /// How it was taken.
    pub taken: Taken,
}

/// How a fact was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It is on the books, now or before.
    Known,
    /// It contradicts what was asked for, in its amount or currency, or is about a second thing that was made of it; it is
    /// logged and told as an event, and changes nothing else.
    Contradicts,
    /// It cannot be told yet what it is about: to be asked again once the open operations are settled.
    TooEarly,
}

/// What is being written.
struct Work<'a> {
    connection: &'a mut PgConnection,
    context: &'a Context,
    payment: PaymentRow,
    known: Known,
    changes: PaymentChanges,
    operation: Option<PaymentOperationRow>,
    refund: Option<RefundRow>,
    /// The kinds of the events that are told besides that of the status.
    told: Vec<String>,
    /// The provider's id of a second thing that it has made of what it was asked for once.
    other_reference: Option<String>,
}

/// Writes down what a fact means, in the caller's database transaction. The payment's row is locked.
///
/// # Errors
/// What the database gives; `payments_refunded_minor_check` cannot be broken by what was begun here.
pub fn absorb(
    connection: &mut PgConnection,
    context: &Context,
    payment: PaymentRow,
    fact: Fact,
) -> Result<Absorbed, DomainError> {
    let fact = fact.refreshed(connection)?;
    let (known, changes) = (Known::of(&payment), PaymentChanges::of(&payment));
    let (operation, refund, told) = (None, None, Vec::new());
    let other_reference = None;
    let mut work =
        Work { connection, context, payment, known, changes, operation, refund, told, other_reference };
    let taken = work.take(fact)?;
    work.write(taken)
}

impl Work<'_> {
    fn take(&mut self, fact: Fact) -> Result<Taken, DomainError> {
        match fact {
            Fact::Payment { operation, outcome } => self.payment_stands(operation, outcome),
            Fact::Checkout { operation, outcome } => self.checkout_stands(operation, outcome),
            Fact::Capture { operation, outcome } => self.capture_stands(operation, outcome),
            Fact::Refund { operation, outcome } => self.refund_stands(operation, outcome),
            Fact::NotDone { operation, refusal, .. } => self.not_done(operation, refusal),
            Fact::Unknown { operation, .. } => {
                self.unknown(operation)?;
                Ok(Taken::Known)
            }
        }
    }
}
