//! What a client is told about a payment that it has asked for as a sale, in the words of the Solitude API.

use diesel::PgConnection;
use serde_json::Value;
use wire::{
    ErrorKind,
    payment::{FieldError, Outcome, Provider, Rejection},
};

use super::{Answer, Rows, Verdict};
use crate::{
    domain::{DomainError, payment::Fact, transaction::Transaction},
    error::unanswered,
    provider_errors::ProviderErrors,
    proxy_client::Unanswered,
    store::{
        provider_charge::{self, ProviderChargeRow},
        transaction,
    },
    uri::Kind,
};

/// Shows a sale that has been made, or that the provider has not decided yet.
pub type ShowSale = fn(&Transaction, &ProviderChargeRow) -> Value;

/// What whoever has just asked has heard, beyond what the rows keep of it.
#[derive(Default)]
pub(in crate::domain::payment) struct Heard {
    rejection: Option<Rejection>,
    why: Option<Unanswered>,
}

impl Heard {
    /// What a fact says beyond what is written down of it.
    pub(in crate::domain::payment) fn of(fact: &Fact) -> Self {
        match fact {
            Fact::Payment { outcome: Outcome::Rejected { rejection }, .. } => {
                Self { rejection: Some(rejection.clone()), why: None }
            }
            Fact::NotDone { why, .. } | Fact::Unknown { why, .. } => {
                Self { rejection: None, why: why.clone() }
            }
            _ => Self::default(),
        }
    }
}

impl Rows<'_> {
    /// The answer to a sale.
    ///
    /// # Errors
    /// [`DomainError::Integrity`] when the rows of the sale are not there, and what the database gives.
    pub(in crate::domain::payment) fn sale_answer(
        &self,
        connection: &mut PgConnection,
        heard: &Heard,
        show: ShowSale,
    ) -> Result<Answer, DomainError> {
        let provider = self.payment.provider.neutral();
        let provider = provider.ok_or(DomainError::Integrity("The provider has no payments."))?;
        let verdict = self.verdict();
        let mut retry_after = None;
        let (status, body) = match verdict {
            Verdict::Done => (self.flow.done(), self.made(connection, show)?),
            Verdict::Unknown | Verdict::NotSent => self.not_answered(verdict, provider, heard),
            Verdict::Declined => {
                let (code, message) = self.reason(verdict);
                (422, ProviderErrors::declined(provider, code, message).json())
            }
            Verdict::Rejected => {
                let errors = self.rejected(provider, heard);
                retry_after.clone_from(&errors.retry_after);
                (422, errors.json())
            }
        };
        Ok(Answer { status, body: body.to_string(), replayed: false, retry_after })
    }

    fn made(&self, connection: &mut PgConnection, show: ShowSale) -> Result<Value, DomainError> {
        let id = self.payment.transaction_id;
        let family = transaction::with_relations(connection, &[id])?.pop().flatten();
        let charge = provider_charge::of_transaction(connection, id)?;
        match (family, charge) {
            (Some((row, relations)), Some(charge)) => Ok(show(&Transaction { row, relations }, &charge)),
            _ => Err(DomainError::Integrity("The sale has no transaction, or no charge.")),
        }
    }

    fn not_answered(&self, verdict: Verdict, provider: Provider, heard: &Heard) -> (u16, Value) {
        let is_unknown = verdict == Verdict::Unknown;
        let why = heard.why.clone().unwrap_or_else(|| Unanswered {
            target: provider.name().to_owned(),
            // There was an answer, or somebody else has asked: all that is left is that it says nothing.
            kind: if is_unknown { Some(ErrorKind::Protocol) } else { self.kind() },
            status: None,
        });
        let (status, mut body) = unanswered(&why, is_unknown);
        if is_unknown {
            body["proxy_error"]["transaction"] = Kind::Transaction.uri(self.payment.transaction_id).into();
        }
        (status.as_u16(), body)
    }

    /// Every error while somebody knows them; the first, which is kept, afterwards.
    fn rejected(&self, provider: Provider, heard: &Heard) -> ProviderErrors {
        if let Some(rejection) = &heard.rejection {
            return ProviderErrors::of_rejection(provider, rejection);
        }
        let (code, message) = self.reason(Verdict::Rejected);
        let error = FieldError { field: None, code: code.to_owned(), message: message.to_owned() };
        let (message, errors) = (message.to_owned(), vec![error]);
        let rejection = Rejection { status: 422, message, errors, retry_after: None };
        ProviderErrors::of_rejection(provider, &rejection)
    }
}
