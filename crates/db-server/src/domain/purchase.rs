//! Starting a payment at the reference provider: begin, which is committed; call; settle.
//!
//! What `begin` commits says that the outcome is unknown, so that this is also what a crash leaves behind.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use wire::reference::{Start, StartTransaction, StartedTransaction};

use super::{
    Domain, DomainError,
    error::field,
    lifecycle::{self, State},
    notice,
};
use crate::{
    error::ApiError,
    proxy_client::{ProxyClient, ProxyError},
    store::{
        code::{Provider, TransactionStatus::Pending},
        id::TransactionId,
        payment, reference,
        transaction::{self, TransactionChanges, TransactionRow},
    },
};

/// The `status_reason` while the provider is being asked, and after a crash.
const STARTING: &str = "starting";
/// The `status_reason` when nobody knows whether the provider has started the payment.
const UNKNOWN: &str = "unknown";
/// For how long a start that has not been settled is taken to be still under way.
const UNDER_WAY: Duration = Duration::from_secs(60);
/// Names the transaction in a request, and so in the errors about it.
const TRANSACTION: &str = "ext_transaction_id";

/// Starts a payment, and links our transaction of that uuid when there is one.
///
/// # Errors
/// What forbids it, the provider's refusal, or why the provider could not be asked.
pub async fn start(
    domain: &Domain,
    proxy: &ProxyClient,
    request: StartTransaction,
    actor: String,
) -> Result<StartedTransaction, ApiError> {
    let begun = begin(domain, request.clone(), actor.clone()).await?;
    let answer = proxy.call::<Start>(&request).await;
    if let Some(before) = begun {
        settle(domain, before, &answer, actor).await?;
    }
    Ok(answer?)
}

/// Commits that the payment is being started; gives the transaction as it was before.
async fn begin(
    domain: &Domain,
    request: StartTransaction,
    actor: String,
) -> Result<Option<TransactionRow>, DomainError> {
    let (lockdown, now) = (domain.lockdown, domain.clock.now());
    let begin = move |connection: &mut PgConnection| {
        let uuid = &request.ext_transaction_id;
        let Some(before) = transaction::by_uuid_for_update(connection, uuid)? else { return Ok(None) };
        if payment::has_transaction(connection, before.id)? {
            return Err(field(TRANSACTION, "The transaction belongs to a payment of /payments/."));
        }
        let changes = begin_changes(&before, &request, lockdown, now)?;
        check_product(connection, &before, &request)?;
        transaction::update(connection, before.id, Some(before.counter), &changes, &actor)?;
        Ok(Some(before))
    };
    domain.database.write(begin).await
}

/// What beginning changes, if the transaction allows it.
fn begin_changes(
    before: &TransactionRow,
    request: &StartTransaction,
    lockdown: Duration,
    now: DateTime<Utc>,
) -> Result<TransactionChanges, DomainError> {
    if before.provider.is_some_and(|provider| provider != Provider::Reference) {
        return Err(field(TRANSACTION, "The transaction belongs to another provider."));
    }
    let of_transaction = |rule: lifecycle::Rule| field(TRANSACTION, rule.to_string());
    let state = State { provider: Some(Provider::Reference), ..State::of(before) };
    lifecycle::check_age(before.created, now, lockdown).map_err(of_transaction)?;
    if !lifecycle::awaits_outcome(before.status) {
        return Err(field(TRANSACTION, "The transaction has its outcome already."));
    }
    lifecycle::check_move(state, Pending).map_err(of_transaction)?;
    check_amount(before, request)?;
    check_not_begun(before, now)?;
    Ok(TransactionChanges {
        provider: Some(Some(Provider::Reference)),
        status: Some(Pending),
        status_reason: Some(Some(STARTING.into())),
        // From here on a notice can be held against it.
        amount_minor: Some(Some(request.price.minor_units)),
        currency: Some(Some(request.price.currency.code().into())),
        ..TransactionChanges::default()
    })
}

fn check_amount(before: &TransactionRow, request: &StartTransaction) -> Result<(), DomainError> {
    if before.amount_minor.is_some_and(|amount| amount != request.price.minor_units) {
        return Err(field("price", "The transaction has another amount."));
    }
    if before.currency.as_deref().is_some_and(|currency| currency != request.price.currency.code()) {
        return Err(field("currency", "The transaction has another currency."));
    }
    Ok(())
}

/// A payer with two pages for one transaction could pay twice, and the second payment would go unseen.
fn check_not_begun(before: &TransactionRow, now: DateTime<Utc>) -> Result<(), DomainError> {
    if before.uid_pay.is_some() {
        return Err(DomainError::Conflict("The transaction has been started at the provider already."));
    }
    let age = (now - before.modified).to_std().unwrap_or_default();
    if before.status_reason.as_deref() == Some(STARTING) && before.status == Pending && age < UNDER_WAY {
        return Err(DomainError::Conflict("The transaction is being started at the provider."));
    }
    Ok(())
}

/// The payer must be asked for the product that the transaction is about.
fn check_product(
    connection: &mut PgConnection,
    before: &TransactionRow,
    request: &StartTransaction,
) -> Result<(), DomainError> {
    let link = match before.product_id {
        Some(product) => reference::product_by_product(connection, product)?,
        None => None,
    };
    if link.is_some_and(|link| link.reference_id == request.product_id) {
        return Ok(());
    }
    Err(field("product_id", "The transaction's seller_product is not set up as this product."))
}

/// Commits what came of it.
async fn settle(
    domain: &Domain,
    before: TransactionRow,
    answer: &Result<StartedTransaction, ProxyError>,
    actor: String,
) -> Result<(), DomainError> {
    let id = before.id;
    let outcome = Outcome::of(answer);
    let settle = move |connection: &mut PgConnection| {
        let row = transaction::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)?;
        if let Some(changes) = settle_changes(&row, &before, &outcome) {
            transaction::update(connection, id, Some(row.counter), &changes, &actor)?;
        }
        Ok(())
    };
    domain.database.write(settle).await.inspect_err(|_| left_unsettled(id, answer))
}

/// The payment itself is not lost: the provider's notice finds the transaction by its uuid.
fn left_unsettled(id: TransactionId, answer: &Result<StartedTransaction, ProxyError>) {
    let outcome = match answer {
        Ok(started) => format!("has started it as {}", started.resource.resource_pk.escape_debug()),
        Err(error) => format!("has not: {error}"),
    };
    log::error!("transaction {id} stays as begun, though the provider {outcome}");
}

/// What came of asking the provider.
#[derive(Debug, Eq, PartialEq)]
enum Outcome {
    /// It has started the payment under this id.
    Started(String),
    /// Nobody knows.
    Unknown,
    /// It has not, for this reason.
    Not(String),
}

impl Outcome {
    fn of(answer: &Result<StartedTransaction, ProxyError>) -> Self {
        match answer {
            Ok(started) => Self::Started(started.resource.resource_pk.clone()),
            Err(error) if error.outcome_is_unknown() => Self::Unknown,
            Err(error) => Self::Not(notice::reason(&error.to_string())),
        }
    }
}

/// What settling changes. A notice may have been faster: then the outcome stands.
fn settle_changes(
    row: &TransactionRow,
    before: &TransactionRow,
    outcome: &Outcome,
) -> Option<TransactionChanges> {
    let undecided = row.status == Pending;
    match outcome {
        Outcome::Started(uid_pay) => Some(TransactionChanges {
            uid_pay: Some(Some(uid_pay.clone())),
            status_reason: undecided.then_some(None),
            ..TransactionChanges::default()
        }),
        Outcome::Unknown if undecided => Some(TransactionChanges {
            status_reason: Some(Some(UNKNOWN.into())),
            ..TransactionChanges::default()
        }),
        Outcome::Not(reason) if undecided => Some(TransactionChanges {
            provider: Some(before.provider),
            status: Some(before.status),
            status_reason: Some(Some(reason.clone())),
            amount_minor: Some(before.amount_minor),
            currency: Some(before.currency.clone()),
            ..TransactionChanges::default()
        }),
        Outcome::Unknown | Outcome::Not(_) => None,
    }
}

#[cfg(test)]
mod tests;
