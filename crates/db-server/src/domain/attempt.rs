//! Asking a provider to change something: begin, which is committed; call; conclude.
//!
//! What `begin` commits is the id under which the provider is asked. After a crash, or when nobody knows how the call
//! ended, the same request is asked again under the same id, so that the provider does it once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use wire::payment::{Action, AttemptId, Decline, OperationName, Outcome, Provider};

use super::{Domain, DomainError};
use crate::{
    error::ApiError,
    lookup::LookupHash,
    provider_errors::ProviderErrors,
    proxy_client::ProxyError,
    store::{
        buyer,
        id::{BuyerId, PaymentAttemptId},
        payment_attempt::{self, NewPaymentAttempt, PaymentAttemptRow},
    },
};

/// For how long an attempt that has not been concluded is taken to be still under way.
const UNDER_WAY: Duration = Duration::from_secs(60);
/// For how long the same request is asked again under the same id. PayPal forgets an order's id the soonest, after
/// 6 hours; asked again later, a provider could do it twice.
const ASKED_AGAIN: Duration = Duration::from_secs(6 * 60 * 60);
/// The outcome of what never reached the provider.
const NOT_SENT: &str = "not_sent";
/// The outcome when nobody knows it.
const UNKNOWN: &str = "unknown";

/// What a provider is to be asked for.
pub struct Asked {
    /// Which provider.
    pub provider: Provider,
    /// For what.
    pub operation: OperationName,
    /// On whose behalf.
    pub buyer_id: BuyerId,
    /// What must not be done twice at the same time. It is kept as it is, so it holds nothing secret.
    pub subject: String,
    /// The hashes of all that is asked for, the one to be written first.
    hashes: Vec<LookupHash>,
    /// The client's key.
    actor: String,
    /// What time it is.
    now: DateTime<Utc>,
}

/// An attempt that has been written down.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    /// Its row.
    id: PaymentAttemptId,
    buyer_id: BuyerId,
    /// Under which id the provider is asked.
    pub attempt: AttemptId,
    provider: Provider,
}

/// How something stands that the provider has made.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It is done.
    Done,
    /// The payer must do something first.
    RequiresAction(Action),
    /// The provider will say later.
    Pending,
    /// The payer's bank or the provider said no, and the provider keeps it all the same.
    Declined(Decline),
}

/// What a provider has made, and how it stands.
#[derive(Clone, Debug)]
pub struct Concluded<R, T> {
    /// What was written down about it.
    pub row: R,
    /// What the provider says of it; none when it need not be asked.
    pub result: Option<T>,
    /// How it stands.
    pub standing: Standing,
}

impl<R, T> Concluded<R, T> {
    /// Something that needed no asking.
    pub const fn unasked(row: R) -> Self {
        Self { row, result: None, standing: Standing::Done }
    }
}

impl Asked {
    /// What is to be asked for. `all` is everything that is asked for and may be secret; only its hash is kept.
    #[must_use]
    pub fn new(
        domain: &Domain,
        provider: Provider,
        operation: OperationName,
        buyer_id: BuyerId,
        subject: String,
        all: &str,
        actor: &str,
    ) -> Self {
        let hashes = domain.lookup.hashes(all);
        let (actor, now) = (actor.to_owned(), domain.clock.now());
        Self { provider, operation, buyer_id, subject, hashes, actor, now }
    }

    /// Writes the attempt down, or takes up the one about the same whose outcome is not known.
    ///
    /// # Errors
    /// [`DomainError::Conflict`] when that one is under way, asked for something else, or is too old to be asked again.
    pub fn begin(&self, connection: &mut PgConnection) -> Result<Begun, DomainError> {
        let (provider, operation) = (self.provider.into(), self.operation.name());
        let row = match payment_attempt::open_for_update(connection, provider, operation, &self.subject)? {
            Some(open) => {
                self.check_open(&open)?;
                log::info!("asking {} again: {operation} {}", self.provider, open.attempt);
                payment_attempt::ask_again(connection, open.id)?
            }
            None => payment_attempt::insert(connection, &self.new_row(AttemptId::new())?).map_err(raced)?,
        };
        let attempt = AttemptId::try_from(row.attempt);
        let attempt = attempt.map_err(|_| DomainError::Integrity("The attempt's id is none."))?;
        Ok(Begun { id: row.id, buyer_id: self.buyer_id, attempt, provider: self.provider })
    }

    fn new_row(&self, attempt: AttemptId) -> Result<NewPaymentAttempt, DomainError> {
        let hash = self.hashes.first().cloned();
        Ok(NewPaymentAttempt {
            attempt: attempt.uuid(),
            buyer_id: self.buyer_id,
            provider: self.provider.into(),
            operation: self.operation.name().to_owned(),
            subject: self.subject.clone(),
            request_hash: hash.ok_or(DomainError::Integrity("There is no look-up key."))?,
            actor: self.actor.clone(),
        })
    }

    fn check_open(&self, open: &PaymentAttemptRow) -> Result<(), DomainError> {
        let age = |since: DateTime<Utc>| (self.now - since).to_std().unwrap_or_default();
        if open.outcome.is_none() && age(open.modified) < UNDER_WAY {
            return Err(DomainError::Conflict("The provider is being asked for this already."));
        }
        if !self.hashes.contains(&open.request_hash) {
            return Err(DomainError::Conflict(
                "An earlier request about the same has no known outcome. Repeat that one first.",
            ));
        }
        if age(open.created) > ASKED_AGAIN {
            return Err(DomainError::Conflict(
                "An earlier request about the same has no known outcome, and is too old to be repeated.",
            ));
        }
        Ok(())
    }
}

/// Commits what came of an attempt. `keep` writes down what the provider has made.
///
/// # Errors
/// The provider's refusal, why it could not be asked, [`ProxyError::Unknown`] when nobody knows, and what `keep` and
/// the database give; then the same request can be sent again.
pub async fn conclude<T, R, K>(
    domain: &Domain,
    begun: Begun,
    answer: Result<Outcome<T>, ProxyError>,
    reference: fn(&T) -> Option<&str>,
    keep: K,
) -> Result<Concluded<R, T>, ApiError>
where
    T: Clone + Send + 'static,
    R: Send + 'static,
    K: FnOnce(&mut PgConnection, &T, &Standing) -> Result<R, DomainError> + Send + 'static,
{
    let outcome = outcome_of(&answer);
    let made = answer.as_ref().ok().and_then(made);
    let conclude = move |connection: &mut PgConnection| {
        let provider_id = made.as_ref().and_then(|(result, _)| reference(result));
        // The buyer comes first here as in what begins, so that neither waits for the other.
        buyer::lock(connection, begun.buyer_id)?;
        payment_attempt::settle(connection, begun.id, outcome, provider_id)?;
        let kept = made.map(|(result, standing)| {
            Ok::<_, DomainError>(Concluded {
                row: keep(connection, &result, &standing)?,
                result: Some(result),
                standing,
            })
        });
        kept.transpose()
    };
    let kept = domain.database.write(conclude).await;
    let kept = kept.inspect_err(|_| left_open(begun, outcome))?;
    verdict(begun.provider, answer, kept)
}

/// What the client is told.
fn verdict<T, R>(
    provider: Provider,
    answer: Result<Outcome<T>, ProxyError>,
    kept: Option<Concluded<R, T>>,
) -> Result<Concluded<R, T>, ApiError> {
    match (answer?, kept) {
        (Outcome::Declined { decline, .. }, _) => Err(ApiError::Declined { provider, decline }),
        (Outcome::Rejected { rejection }, _) => {
            Err(ApiError::Provider(ProviderErrors::of_rejection(provider, &rejection)))
        }
        (Outcome::Unknown { reason }, _) => {
            Err(ProxyError::Unknown { target: provider.name(), reason }.into())
        }
        (_, Some(kept)) => Ok(kept),
        (_, None) => Err(ApiError::Abandoned),
    }
}

/// The word that is kept.
fn outcome_of<T>(answer: &Result<Outcome<T>, ProxyError>) -> &'static str {
    match answer {
        Ok(outcome) => outcome.name(),
        Err(error) if error.outcome_is_unknown() => UNKNOWN,
        Err(_) => NOT_SENT,
    }
}

/// What the provider has made or keeps.
fn made<T: Clone>(outcome: &Outcome<T>) -> Option<(T, Standing)> {
    let standing = match outcome {
        Outcome::Succeeded { .. } => Standing::Done,
        Outcome::RequiresAction { action, .. } => Standing::RequiresAction(action.clone()),
        Outcome::Pending { .. } => Standing::Pending,
        Outcome::Declined { decline, .. } => Standing::Declined(decline.clone()),
        Outcome::Rejected { .. } | Outcome::Unknown { .. } => return None,
    };
    outcome.result().cloned().map(|result| (result, standing))
}

/// Two requests that began at the same moment.
fn raced(error: crate::store::StoreError) -> DomainError {
    match error.constraint() {
        Some("payment_attempts_open_key") => {
            DomainError::Conflict("The provider is being asked for this already.")
        }
        _ => error.into(),
    }
}

/// What the provider has made is not lost: the same request finds it under the same id.
fn left_open(begun: Begun, outcome: &str) {
    log::error!("attempt {} at {} is {outcome} and could not be concluded", begun.attempt, begun.provider);
}

#[cfg(test)]
mod tests;
