//! Ending a subscription: at the provider first.

use diesel::PgConnection;
use wire::payment::{CancelSubscription, OperationName, Subscription, operations};

use super::{Subscribed, changes_of, reference};
use crate::{
    domain::{
        Domain, DomainError,
        attempt::{self, Asked, Begun, Concluded},
    },
    error::ApiError,
    proxy_client::ProxyClient,
    store::{
        id::SubscriptionId,
        subscription::{self, SubscriptionRow},
    },
};

/// Ends a subscription at once. One that has ended before is as good.
///
/// # Errors
/// [`DomainError::NotFound`], the provider's refusal, or why it could not be asked.
pub async fn cancel(
    domain: &Domain,
    proxy: &ProxyClient,
    id: SubscriptionId,
    actor: &str,
) -> Result<Concluded<Subscribed, Subscription>, ApiError> {
    let Subscribed { row, buyer_id } = super::get(domain, id).await?;
    let provider = row.provider.neutral().ok_or(DomainError::NotFound)?;
    let subject = format!("subscription/{id}");
    let operation = OperationName::CancelSubscription;
    let asked = Asked::new(domain, provider, operation, buyer_id, subject.clone(), &subject, actor);
    let begin = move |connection: &mut PgConnection| begin(connection, id, &asked);
    let (row, begun) = domain.database.write::<_, DomainError, _>(begin).await?;
    let Some(begun) = begun else { return Ok(Concluded::unasked(Subscribed { row, buyer_id })) };
    let request = CancelSubscription { attempt: begun.attempt, subscription: row.provider_id };
    let answer = proxy.pay::<operations::CancelSubscription>(provider, &request).await;
    attempt::conclude(domain, begun, answer, reference, move |connection, subscription, _| {
        let row = subscription::update(connection, id, None, &changes_of(subscription))?;
        Ok(Subscribed { row, buyer_id })
    })
    .await
}

/// Nothing is begun when it has ended.
fn begin(
    connection: &mut PgConnection,
    id: SubscriptionId,
    asked: &Asked,
) -> Result<(SubscriptionRow, Option<Begun>), DomainError> {
    let row = subscription::by_id(connection, id)?.ok_or(DomainError::NotFound)?;
    let begun = if row.status.has_ended() { None } else { Some(asked.begin(connection)?) };
    Ok((row, begun))
}
