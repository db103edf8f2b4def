//! Deleting a means of payment: at the provider first.

use diesel::PgConnection;
use wire::payment::{DeletePaymentMethod, OperationName, Provider, operations};

use super::token;
use crate::{
    crypt::EncryptionKeys,
    domain::{
        Domain, DomainError,
        attempt::{self, Asked, Begun},
    },
    error::ApiError,
    proxy_client::ProxyClient,
    store::{
        buyer,
        id::PaymentMethodId,
        payment_method::{self, PaymentMethodChanges},
        subscription::{self, SubscriptionFilter},
    },
};

/// Has the provider forget a means of payment. One that it has forgotten before is as good.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::Conflict`] while a subscription is charged to it; the provider's refusal,
/// or why it could not be asked.
pub async fn delete(
    domain: &Domain,
    proxy: &ProxyClient,
    id: PaymentMethodId,
    actor: &str,
) -> Result<(), ApiError> {
    let Some(asking) = begin(domain, id, actor).await? else { return Ok(()) };
    let Asking { begun, provider, request } = asking;
    let answer = proxy.pay::<operations::DeletePaymentMethod>(provider, &request).await;
    let now = domain.clock.now();
    attempt::conclude(
        domain,
        begun,
        answer,
        |_| None,
        move |connection, _, _| {
            let gone = PaymentMethodChanges { active: Some(false), deleted: Some(Some(now)) };
            Ok(payment_method::update(connection, id, None, &gone)?)
        },
    )
    .await?;
    Ok(())
}

struct Asking {
    begun: Begun,
    provider: Provider,
    request: DeletePaymentMethod,
}

/// Nothing when the provider need not be asked.
async fn begin(domain: &Domain, id: PaymentMethodId, actor: &str) -> Result<Option<Asking>, DomainError> {
    let found = super::get(domain, id).await?;
    let Some(provider) = found.row.provider.neutral() else { return Err(DomainError::NotFound) };
    let subject = format!("payment_method/{id}");
    let operation = OperationName::DeletePaymentMethod;
    let asked = Asked::new(domain, provider, operation, found.buyer_id, subject.clone(), &subject, actor);
    let keys = domain.keys.clone();
    let begin = move |connection: &mut PgConnection| begin_locked(connection, &keys, id, &asked, provider);
    domain.database.write(begin).await
}

fn begin_locked(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    id: PaymentMethodId,
    asked: &Asked,
    provider: Provider,
) -> Result<Option<Asking>, DomainError> {
    // Whoever adds a subscription locks the buyer as well.
    buyer::lock(connection, asked.buyer_id)?;
    let row = payment_method::by_id(connection, id)?.ok_or(DomainError::NotFound)?;
    if row.deleted.is_some() {
        return Ok(None);
    }
    let charged = SubscriptionFilter {
        payment_method_id: Some(id),
        ended: Some(false),
        ..SubscriptionFilter::default()
    };
    if subscription::count(connection, &charged)? > 0 {
        return Err(DomainError::Conflict("A subscription is charged to this payment method."));
    }
    let begun = asked.begin(connection)?;
    let request = DeletePaymentMethod { attempt: begun.attempt, payment_method: token(keys, &row)? };
    Ok(Some(Asking { begun, provider, request }))
}
