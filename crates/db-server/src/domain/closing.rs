//! Closing a buyer: what providers hold is given up first, and only if all of that succeeds the buyer is closed here.

use diesel::PgConnection;
use uuid::Uuid;
use wire::payment::OperationName;

use super::{Domain, DomainError, paymethod, subscription};
use crate::{
    error::ApiError,
    proxy_client::ProxyClient,
    store::{
        Page, buyer,
        id::{BuyerId, PaymentMethodId, SubscriptionId},
        payment_attempt,
        payment_method::{self, PaymentMethodFilter},
        subscription::{self as subscriptions, SubscriptionFilter},
    },
};

/// More than any buyer has.
const ALL: Page = Page { limit: 10_000, offset: 0 };
/// What a provider may have done on the buyer's behalf without our knowing.
const ADDING: [&str; 2] = [OperationName::StorePaymentMethod.name(), OperationName::Subscribe.name()];

/// What would be lost sight of.
const ADDED: DomainError =
    DomainError::Conflict("Something is being added at a provider, or nobody knows whether it was.");

/// What providers hold of a buyer.
#[derive(Default)]
struct Holdings {
    subscriptions: Vec<SubscriptionId>,
    payment_methods: Vec<PaymentMethodId>,
}

impl Holdings {
    const fn is_empty(&self) -> bool {
        self.subscriptions.is_empty() && self.payment_methods.is_empty()
    }
}

/// Closes a buyer: no longer active, without address, under a uuid that says nothing. The buyer's subscriptions are
/// cancelled and the payment methods deleted at the providers before that; what has been given up there stays so when
/// something later fails.
///
/// # Errors
/// [`DomainError::NotFound`] when there is no such active buyer; [`ApiError::NotClosed`] when a provider does not give
/// something up; [`DomainError::Conflict`] while something is being added; and what the database gives.
pub async fn close(domain: &Domain, proxy: &ProxyClient, id: BuyerId, actor: &str) -> Result<(), ApiError> {
    let held = domain.database.read(move |connection| held_of(connection, id)).await?;
    for subscription in held.subscriptions {
        subscription::cancel(domain, proxy, subscription, actor).await.map_err(not_closed)?;
    }
    for method in held.payment_methods {
        paymethod::delete(domain, proxy, method, actor).await.map_err(not_closed)?;
    }
    let anonymous = format!("anonymised-uuid:{}", Uuid::new_v4());
    let close = move |connection: &mut PgConnection| close_here(connection, id, &anonymous);
    Ok(domain.database.write::<_, DomainError, _>(close).await?)
}

/// What providers hold of a buyer that is active, and for whom nothing is being added.
fn held_of(connection: &mut PgConnection, id: BuyerId) -> Result<Holdings, DomainError> {
    let buyer = buyer::by_id(connection, id)?;
    if !buyer.is_some_and(|buyer| buyer.active) {
        return Err(DomainError::NotFound);
    }
    if payment_attempt::count_open(connection, id, &ADDING)? > 0 {
        return Err(ADDED);
    }
    let charged =
        SubscriptionFilter { buyer_id: Some(id), ended: Some(false), ..SubscriptionFilter::default() };
    let kept =
        PaymentMethodFilter { buyer_id: Some(id), deleted: Some(false), ..PaymentMethodFilter::default() };
    let subscriptions = subscriptions::list(connection, &charged, ALL)?.rows;
    let payment_methods = payment_method::list(connection, &kept, ALL)?.rows;
    Ok(Holdings {
        subscriptions: subscriptions.iter().map(|row| row.id).collect(),
        payment_methods: payment_methods.iter().map(|row| row.id).collect(),
    })
}

/// Closes the buyer if nothing has been added meanwhile. Whoever adds something locks the buyer too.
fn close_here(connection: &mut PgConnection, id: BuyerId, anonymous: &str) -> Result<(), DomainError> {
    buyer::lock(connection, id)?;
    let held = held_of(connection, id)?;
    if !held.is_empty() {
        return Err(ADDED);
    }
    if buyer::close(connection, id, anonymous)? { Ok(()) } else { Err(DomainError::NotFound) }
}

/// Whatever a provider says, the buyer is as before. What is under way may be tried again by the client.
fn not_closed(error: ApiError) -> ApiError {
    match error {
        ApiError::Provider(_) | ApiError::Declined { .. } | ApiError::Proxy(_) => {
            ApiError::NotClosed(Box::new(error))
        }
        error => error,
    }
}
