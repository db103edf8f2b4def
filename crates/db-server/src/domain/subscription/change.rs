//! Having the coming charges of a subscription made to another means of payment.

use diesel::PgConnection;
use wire::payment::{ChangeSubscriptionPaymentMethod, OperationName, Subscription, operations};

use super::{Subscribed, changes_of, locked_chargeable, payer, reference};
use crate::{
    crypt::EncryptionKeys,
    domain::{
        Domain, DomainError,
        attempt::{self, Asked, Begun, Concluded},
        error::field_with,
        paymethod::{Chargeable, PAYMETHOD},
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::Code,
    proxy_client::ProxyClient,
    store::{
        id::{PaymentMethodId, SubscriptionId},
        subscription::{self, SubscriptionChanges, SubscriptionFilter, SubscriptionRow},
    },
};

/// What a beginning finds.
enum Found {
    /// It is charged to that means of payment.
    Same(Subscribed),
    /// The provider is to be asked.
    Other(Box<(Begun, Chargeable, SubscriptionRow)>),
}

/// Has a subscription charged to another means of payment of the same buyer at the same provider.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::Stale`], what is wrong with the request, the provider's refusal, or why it
/// could not be asked.
pub async fn change(
    domain: &Domain,
    proxy: &ProxyClient,
    id: SubscriptionId,
    expected: IfMatch,
    paymethod_id: PaymentMethodId,
    actor: &str,
) -> Result<Concluded<Subscribed, Subscription>, ApiError> {
    let found = begin(domain, id, expected, paymethod_id, actor).await?;
    let (begun, method, row) = match found {
        Found::Same(subscribed) => return Ok(Concluded::unasked(subscribed)),
        Found::Other(asking) => *asking,
    };
    let request = ChangeSubscriptionPaymentMethod {
        attempt: begun.attempt,
        subscription: row.provider_id,
        payment_method: method.token,
    };
    let answer = proxy.pay::<operations::ChangeSubscriptionPaymentMethod>(method.provider, &request).await;
    let buyer_id = method.customer.buyer_id;
    attempt::conclude(domain, begun, answer, reference, move |connection, subscription, _| {
        let changes =
            SubscriptionChanges { payment_method_id: Some(paymethod_id), ..changes_of(subscription) };
        let row = subscription::update(connection, id, None, &changes)?;
        Ok(Subscribed { row, buyer_id })
    })
    .await
}

async fn begin(
    domain: &Domain,
    id: SubscriptionId,
    expected: IfMatch,
    paymethod_id: PaymentMethodId,
    actor: &str,
) -> Result<Found, DomainError> {
    let Subscribed { row, buyer_id } = super::get(domain, id).await?;
    let provider = row.provider.neutral().ok_or(DomainError::NotFound)?;
    let (subject, all) = (format!("subscription/{id}"), format!("subscription/{id} {paymethod_id}"));
    let operation = OperationName::ChangeSubscriptionPaymentMethod;
    let asked = Asked::new(domain, provider, operation, buyer_id, subject, &all, actor);
    let keys = domain.keys.clone();
    let begin = move |connection: &mut PgConnection| {
        begin_locked(connection, &keys, id, &expected, paymethod_id, &asked)
    };
    domain.database.write(begin).await
}

fn begin_locked(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    id: SubscriptionId,
    expected: &IfMatch,
    paymethod_id: PaymentMethodId,
    asked: &Asked,
) -> Result<Found, DomainError> {
    let row = subscription::by_id(connection, id)?.ok_or(DomainError::NotFound)?;
    if !expected.holds(row.id.0, row.counter) {
        return Err(DomainError::Stale);
    }
    if row.status.has_ended() {
        return Err(DomainError::Conflict("The subscription has ended."));
    }
    let buyer_id = payer(connection, row.payment_method_id)?;
    if row.payment_method_id == paymethod_id {
        return Ok(Found::Same(Subscribed { row, buyer_id }));
    }
    let method = locked_chargeable(connection, keys, paymethod_id)?;
    if method.row.provider != row.provider {
        return Err(field_with(PAYMETHOD, Code::Invalid, "The payment method is at another provider."));
    }
    if method.customer.buyer_id != buyer_id {
        return Err(field_with(PAYMETHOD, Code::Invalid, "The payment method is another buyer's."));
    }
    check_other(connection, &row, paymethod_id)?;
    Ok(Found::Other(Box::new((asked.begin(connection)?, method, row))))
}

/// Of one plan there is one active subscription to one means of payment.
fn check_other(
    connection: &mut PgConnection,
    row: &SubscriptionRow,
    paymethod_id: PaymentMethodId,
) -> Result<(), DomainError> {
    let same = SubscriptionFilter {
        payment_method_id: Some(paymethod_id),
        plan: Some(row.plan.clone()),
        active: Some(true),
        ..SubscriptionFilter::default()
    };
    if row.active && subscription::count(connection, &same)? > 0 {
        let message = "There is such a subscription to this payment method already.";
        return Err(field_with(PAYMETHOD, Code::NotUnique, message));
    }
    Ok(())
}
