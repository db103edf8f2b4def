//! What a client of the Solitude API asks Braintree for, through the neutral operations; what goes wrong is told under
//! that API's names.

use diesel::PgConnection;
use wire::{
    Currency, Money,
    payment::{
        AttemptId, ClientTokenRequest, Customer, Outcome, PaymentMethod, Provider, Subscription, Token,
        operations,
    },
};

use super::PROVIDER;
use crate::{
    domain::{
        Domain, DomainError,
        attempt::Concluded,
        customer,
        error::field_with,
        paymethod::{self, NewPaymethod},
        plan::{self, Purchase},
        subscription::{self, Plan, Subscribed},
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::{Code, FieldError, FieldErrors},
    provider_errors::ProviderErrors,
    proxy_client::{ProxyClient, ProxyError},
    store::{
        buyer::{self, BuyerRow},
        id::{BuyerId, PaymentMethodId, ProductId, SubscriptionId},
        payment_customer::{self, PaymentCustomerRow},
        payment_method::{self, PaymentMethodFilter, PaymentMethodRow},
        product,
        subscription::SubscriptionRow,
    },
    uri::DANGLING,
};

/// The fields of requests.
const UUID: &str = "uuid";
const BUYER_UUID: &str = "buyer_uuid";
const METHOD: &str = "paymethod";
const PLAN: &str = "plan";
const SUBSCRIPTION: &str = "subscription";

/// What we hold now, and what Braintree says of it; nothing when it did not have to be asked.
#[derive(Debug)]
pub struct Answered<R, T> {
    /// The row.
    pub row: R,
    /// Braintree's own.
    pub remote: Option<T>,
}

/// A subscription to be started.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// What is charged.
    pub method: PaymentMethodId,
    /// The public id of the product, which the plan has at Braintree.
    pub plan: String,
    /// What is charged each time instead of the plan's own price, as the client wrote it.
    pub amount: Option<String>,
}

/// What Braintree's script on the payer's side starts with.
///
/// # Errors
/// Braintree's refusal, or why it could not be asked.
pub async fn client_token(proxy: &ProxyClient) -> Result<Token, ApiError> {
    let request = ClientTokenRequest { attempt: AttemptId::new(), customer: None };
    match proxy.pay::<operations::ClientToken>(Provider::Braintree, &request).await? {
        Outcome::Succeeded { result }
        | Outcome::Pending { result }
        | Outcome::RequiresAction { result, .. } => Ok(result.token),
        Outcome::Declined { decline, .. } => {
            Err(ApiError::Provider(ProviderErrors::of_decline(Provider::Braintree, &decline)))
        }
        Outcome::Rejected { rejection } => {
            Err(ApiError::Provider(ProviderErrors::of_rejection(Provider::Braintree, &rejection)))
        }
        Outcome::Unknown { reason } => {
            Err(ProxyError::Unknown { target: Provider::Braintree.name(), reason }.into())
        }
    }
}

/// Makes a buyer known at Braintree.
///
/// # Errors
/// The field `uuid` when there is no such buyer, or Braintree knows it; Braintree's refusal, or why it could not be
/// asked.
pub async fn create_customer(
    domain: &Domain,
    proxy: &ProxyClient,
    uuid: String,
    actor: String,
) -> Result<Answered<PaymentCustomerRow, Customer>, ApiError> {
    let known = || field_with(UUID, Code::AlreadyExists, "Braintree buyer already exists.");
    let find = move |connection: &mut PgConnection| {
        let buyer = open_buyer(connection, &uuid, UUID)?;
        match payment_customer::of_buyer(connection, buyer.id, PROVIDER)? {
            Some(_) => Err(known()),
            None => Ok(buyer.id),
        }
    };
    let buyer_id = domain.database.read(find).await?;
    let made = customer::at_provider(domain, proxy, Provider::Braintree, buyer_id, &actor).await;
    let Concluded { row, result, .. } = made.map_err(told)?;
    // Somebody else was faster.
    let remote = Some(result.ok_or_else(known)?);
    Ok(Answered { row, remote })
}

/// Has Braintree verify and keep a card.
///
/// # Errors
/// The field `buyer_uuid`; Braintree's refusal, or why it could not be asked.
pub async fn store_payment_method(
    domain: &Domain,
    proxy: &ProxyClient,
    buyer_uuid: String,
    nonce: Token,
    actor: String,
) -> Result<Answered<PaymentMethodRow, PaymentMethod>, ApiError> {
    let max = domain.payments.max_methods;
    let find = move |connection: &mut PgConnection| buyer_with_room(connection, &buyer_uuid, max);
    let buyer_id = domain.database.read(find).await?;
    let new = NewPaymethod { provider: Provider::Braintree, buyer_id, nonce };
    let stored = paymethod::store(domain, proxy, new, &actor).await.map_err(told)?;
    Ok(Answered { row: stored.row.row, remote: stored.result })
}

/// Has Braintree forget a card.
///
/// # Errors
/// The field `paymethod`, [`DomainError::Conflict`] while a subscription is charged to it, Braintree's refusal, or why
/// it could not be asked.
pub async fn delete_payment_method(
    domain: &Domain,
    proxy: &ProxyClient,
    id: PaymentMethodId,
    actor: String,
) -> Result<(), ApiError> {
    check_method(domain, id).await?;
    paymethod::delete(domain, proxy, id, &actor).await.map_err(told)
}

/// Starts a subscription.
///
/// # Errors
/// What is wrong with the request, Braintree's refusal, or why it could not be asked.
pub async fn subscribe(
    domain: &Domain,
    proxy: &ProxyClient,
    new: NewSubscription,
    actor: String,
) -> Result<Answered<SubscriptionRow, Subscription>, ApiError> {
    let (currency, method) = (domain.payments.currency, new.method);
    let find = move |connection: &mut PgConnection| what_is_charged(connection, &new, currency);
    let (product, amount) = domain.database.read(find).await?;
    let new = subscription::NewSubscription {
        paymethod_id: method,
        plan: Plan::OfProduct(product),
        amount,
        provider: Some(Provider::Braintree),
        buyer_id: None,
    };
    subscription::create(domain, proxy, new, &actor).await.map(answered).map_err(told)
}

/// Ends a subscription; one that has ended before is as good.
///
/// # Errors
/// The field `subscription`, Braintree's refusal, or why it could not be asked.
pub async fn cancel_subscription(
    domain: &Domain,
    proxy: &ProxyClient,
    id: SubscriptionId,
    actor: String,
) -> Result<Answered<SubscriptionRow, Subscription>, ApiError> {
    check_subscription(domain, id).await?;
    subscription::cancel(domain, proxy, id, &actor).await.map(answered).map_err(told)
}

/// Has the coming charges of a subscription made to another card of the same buyer.
///
/// # Errors
/// The fields `subscription` and `paymethod`, Braintree's refusal, or why it could not be asked.
pub async fn change_payment_method(
    domain: &Domain,
    proxy: &ProxyClient,
    id: SubscriptionId,
    method: PaymentMethodId,
    actor: String,
) -> Result<Answered<SubscriptionRow, Subscription>, ApiError> {
    check_subscription(domain, id).await?;
    check_method(domain, method).await?;
    let changed = subscription::change(domain, proxy, id, IfMatch::Anything, method, &actor).await;
    changed.map(answered).map_err(told)
}

fn answered(concluded: Concluded<Subscribed, Subscription>) -> Answered<SubscriptionRow, Subscription> {
    Answered { row: concluded.row.row, remote: concluded.result }
}

/// The Solitude API knows no declines beside errors, and calls a product by its plan.
fn told(error: ApiError) -> ApiError {
    match error {
        ApiError::Declined { provider, decline } => {
            ApiError::Provider(ProviderErrors::of_decline(provider, &decline))
        }
        ApiError::Domain(DomainError::Fields(errors)) => {
            let errors =
                ["seller_product", "product"].iter().fold(errors, |errors, name| errors.renamed(name, PLAN));
            ApiError::Domain(errors.renamed("buyer", BUYER_UUID).into())
        }
        error => error,
    }
}

fn open_buyer(connection: &mut PgConnection, uuid: &str, field: &str) -> Result<BuyerRow, DomainError> {
    let buyer = buyer::by_uuid(connection, uuid)?;
    let buyer = buyer.ok_or_else(|| field_with(field, Code::DoesNotExist, "Buyer does not exist."))?;
    if buyer.active { Ok(buyer) } else { Err(field_with(field, Code::Invalid, "The buyer is not active.")) }
}

/// A buyer that Braintree knows, and who may have one card more.
fn buyer_with_room(connection: &mut PgConnection, uuid: &str, max: u32) -> Result<BuyerId, DomainError> {
    let buyer = open_buyer(connection, uuid, BUYER_UUID)?;
    let customer = payment_customer::of_buyer(connection, buyer.id, PROVIDER)?;
    let customer = customer
        .ok_or_else(|| field_with(BUYER_UUID, Code::DoesNotExist, "Braintree buyer does not exist."))?;
    let active = PaymentMethodFilter {
        customer_id: Some(customer.id),
        active: Some(true),
        ..PaymentMethodFilter::default()
    };
    if payment_method::count(connection, &active)? >= i64::from(max) {
        let message = format!("A buyer has at most {max} payment methods.");
        return Err(field_with(BUYER_UUID, Code::MaxSize, message));
    }
    Ok(buyer.id)
}

/// What a subscription is for, and how much is charged each time, if the product's plan allows both.
fn what_is_charged(
    connection: &mut PgConnection,
    new: &NewSubscription,
    currency: Currency,
) -> Result<(ProductId, Option<Money>), DomainError> {
    let mut errors = FieldErrors::default();
    let product = product::by_public_id(connection, &new.plan)?;
    if product.is_none() {
        errors.add(PLAN, FieldError::new(Code::DoesNotExist, "Product does not exist."));
    }
    let configured = match &product {
        Some(product) => plan::of_product(connection, product.id)?,
        None => None,
    };
    let text = new.amount.as_ref();
    let amount = text.and_then(|text| plan::read_amount(text, configured.as_ref(), currency, &mut errors));
    let method = payment_method::by_id(connection, new.method)?;
    if method.is_none_or(|method| method.provider != PROVIDER) {
        errors.add(METHOD, FieldError::new(Code::DoesNotExist, DANGLING));
    }
    errors.or(())?;
    plan::check(configured.as_ref(), Purchase::Subscription, amount, PLAN)?;
    Ok((product.ok_or(DomainError::NotFound)?.id, amount))
}

/// That Braintree has such a card.
async fn check_method(domain: &Domain, id: PaymentMethodId) -> Result<(), DomainError> {
    super::method(domain, id).await.map(|_| ()).map_err(|error| dangling(error, METHOD))
}

/// That Braintree has such a subscription.
async fn check_subscription(domain: &Domain, id: SubscriptionId) -> Result<(), DomainError> {
    super::subscription(domain, id).await.map(|_| ()).map_err(|error| dangling(error, SUBSCRIPTION))
}

fn dangling(error: DomainError, field: &str) -> DomainError {
    match error {
        DomainError::NotFound => field_with(field, Code::DoesNotExist, DANGLING),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_under_the_names_of_the_solitude_api() {
        let errors = [("seller_product", "plan"), ("buyer", "buyer_uuid"), ("paymethod", "paymethod")];
        for (neutral, name) in errors {
            let error = field_with(neutral, Code::Invalid, "x");
            let ApiError::Domain(DomainError::Fields(told)) = told(error.into()) else { panic!("no fields") };
            assert!(told.has(name) && (neutral == name || !told.has(neutral)), "{neutral}");
        }
    }

    #[test]
    fn a_decline_is_an_error_of_braintree() {
        let decline = wire::payment::Decline {
            code: "2000".into(),
            message: "Do Not Honor".into(),
            advice: wire::payment::Advice::OtherMethod,
        };
        let error = told(ApiError::Declined { provider: Provider::Braintree, decline });
        let ApiError::Provider(errors) = error else { panic!("{error:?}") };
        let expected = serde_json::json!({"code": "2000", "message": "Do Not Honor"});
        assert_eq!(errors.json(), serde_json::json!({"braintree": {"__all__": [expected]}}));
    }
}
