//! Buyers as providers know them: made at a provider when the buyer has nothing there yet.

use diesel::PgConnection;
use wire::payment::{CreateCustomer, Customer, OperationName, Provider, operations};

use super::{
    Domain, DomainError,
    attempt::{self, Asked, Begun, Concluded},
    error::field_with,
};
use crate::{
    error::ApiError,
    field_errors::Code,
    proxy_client::ProxyClient,
    store::{
        buyer::{self, BuyerRow},
        id::BuyerId,
        payment_customer::{self, NewPaymentCustomer, PaymentCustomerRow},
    },
    uri::DANGLING,
};

/// Names the buyer in a request, and so in the errors about it.
const BUYER: &str = "buyer";

/// What a beginning finds.
enum Found {
    /// The provider knows the buyer.
    Known(PaymentCustomerRow),
    /// The provider is to be asked.
    New(Begun, String),
}

/// The buyer at the provider; made there when the provider does not know the buyer yet.
///
/// # Errors
/// A buyer that does not exist or is closed, the provider's refusal, or why it could not be asked.
pub async fn at_provider(
    domain: &Domain,
    proxy: &ProxyClient,
    provider: Provider,
    buyer_id: BuyerId,
    actor: &str,
) -> Result<Concluded<PaymentCustomerRow, Customer>, ApiError> {
    let asked = asked(domain, provider, buyer_id, actor);
    let begin = move |connection: &mut PgConnection| {
        let buyer = open_buyer(connection, buyer_id)?;
        if let Some(known) = payment_customer::of_buyer(connection, buyer_id, provider.into())? {
            return Ok(Found::Known(known));
        }
        Ok(Found::New(asked.begin(connection)?, buyer.uuid))
    };
    let (begun, uuid) = match domain.database.write::<_, DomainError, _>(begin).await? {
        Found::Known(row) => return Ok(Concluded::unasked(row)),
        Found::New(begun, uuid) => (begun, uuid),
    };
    let request = CreateCustomer { attempt: begun.attempt, reference: Some(uuid), email: None };
    let answer = proxy.pay::<operations::CreateCustomer>(provider, &request).await;
    attempt::conclude(domain, begun, answer, reference, move |connection, customer, _| {
        let provider_id = customer.reference.clone();
        let new = NewPaymentCustomer { buyer_id, provider: provider.into(), provider_id };
        Ok(payment_customer::insert(connection, &new)?)
    })
    .await
}

/// The buyer of a request, locked until the database transaction ends: nobody closes it meanwhile.
///
/// # Errors
/// The field `buyer` when there is no such buyer, or it is closed.
pub fn open_buyer(connection: &mut PgConnection, id: BuyerId) -> Result<BuyerRow, DomainError> {
    let buyer = buyer::lock(connection, id)?;
    let buyer = buyer.ok_or_else(|| field_with(BUYER, Code::DoesNotExist, DANGLING))?;
    if buyer.active { Ok(buyer) } else { Err(field_with(BUYER, Code::Invalid, "The buyer is not active.")) }
}

fn asked(domain: &Domain, provider: Provider, buyer_id: BuyerId, actor: &str) -> Asked {
    let subject = format!("buyer/{buyer_id}");
    let all = subject.clone();
    Asked::new(domain, provider, OperationName::CreateCustomer, buyer_id, subject, &all, actor)
}

fn reference(customer: &Customer) -> Option<&str> {
    Some(&customer.reference)
}
