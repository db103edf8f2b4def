//! The reference provider's notices about payments, as events of the inbox.

use diesel::PgConnection;
use wire::{
    payment::{Advice, AttemptId, Decline, Event, EventKind, Outcome, Provider},
    reference::Notice,
};

use super::take;
use crate::{
    domain::{Domain, DomainError},
    proxy_client::ProxyClient,
    store::payment_operation,
};

/// Takes a notice of the reference provider that is genuine, if it is about a payment; says whether it was.
///
/// # Errors
/// Why it could not be kept, so that the provider is to deliver it again.
pub async fn receive_notice(
    domain: &Domain,
    proxy: &ProxyClient,
    notice: &Notice,
) -> Result<bool, DomainError> {
    let Ok(attempt) = notice.ext_transaction_id.parse::<AttemptId>() else { return Ok(false) };
    let find = move |connection: &mut PgConnection| payment_operation::by_attempt(connection, attempt.uuid());
    if domain.database.read_one(find).await?.is_none() {
        return Ok(false);
    }
    take(domain, proxy, Provider::Reference, of_notice(notice, attempt)).await?;
    Ok(true)
}

/// A notice that says that the payer has paid says not what: the provider is asked.
fn of_notice(notice: &Notice, attempt: AttemptId) -> Event {
    let message = "The payment failed at the provider.".to_owned();
    let declined = notice.error.clone().map(|code| Outcome::Declined {
        decline: Decline { code, message, advice: Advice::OtherMethod },
        result: None,
    });
    let word = if declined.is_some() { "error" } else { "success" };
    Event {
        id: format!("{word}:{attempt}"),
        provider: Provider::Reference,
        kind: EventKind::Payment,
        provider_kind: word.to_owned(),
        occurred: None,
        attempt: Some(attempt),
        payment_reference: None,
        payment: declined,
        refund: None,
        subscription: None,
        body: serde_json::Value::Null,
    }
}
