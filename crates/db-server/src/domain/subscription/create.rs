//! Starting a subscription.

use diesel::PgConnection;
use wire::{
    Money,
    payment::{OperationName, Provider, Subscribe, Subscription, operations},
};

use super::{Subscribed, changes_of, date, locked_chargeable, reference};
use crate::{
    crypt::EncryptionKeys,
    domain::{
        Domain, DomainError,
        attempt::{self, Asked, Begun, Concluded, Standing},
        error::field_with,
        inbox,
        paymethod::{Chargeable, chargeable},
    },
    error::ApiError,
    field_errors::Code,
    proxy_client::ProxyClient,
    store::{
        code::SubscriptionStatus,
        id::{BuyerId, PaymentMethodId, ProductId},
        product,
        subscription::{self, SubscriptionFilter, SubscriptionRow},
    },
    uri::DANGLING,
};

/// A subscription to be started.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// What is charged.
    pub paymethod_id: PaymentMethodId,
    /// The plan.
    pub plan: Plan,
    /// What is charged each time instead of the plan's own price; more than nothing.
    pub amount: Option<Money>,
    /// Which provider the client takes the means of payment to be at.
    pub provider: Option<Provider>,
    /// Whose the client takes it to be.
    pub buyer_id: Option<BuyerId>,
}

/// The plan of a subscription.
#[derive(Clone, Debug)]
pub enum Plan {
    /// By the provider's id.
    Named(String),
    /// Of a product, whose public id the plan has at the provider.
    OfProduct(ProductId),
}

/// What the provider is asked for.
struct Asking {
    begun: Begun,
    method: Chargeable,
    plan: String,
    product_id: Option<ProductId>,
}

/// Starts a subscription.
///
/// # Errors
/// What is wrong with the request, the provider's refusal, or why it could not be asked.
pub async fn create(
    domain: &Domain,
    proxy: &ProxyClient,
    new: NewSubscription,
    actor: &str,
) -> Result<Concluded<Subscribed, Subscription>, ApiError> {
    let amount = new.amount;
    let Asking { begun, method, plan, product_id } = begin(domain, new, actor).await?;
    let request = Subscribe {
        attempt: begun.attempt,
        customer: Some(method.customer.provider_id.clone()),
        payment_method: method.token.clone(),
        plan: plan.clone(),
        amount,
    };
    let answer = proxy.pay::<operations::Subscribe>(method.provider, &request).await;
    let buyer_id = method.customer.buyer_id;
    let keep = move |connection: &mut PgConnection, subscription: &Subscription, standing: &Standing| {
        let row = keep(connection, &method, plan, product_id, subscription, standing)?;
        Ok(Subscribed { row, buyer_id })
    };
    let concluded = attempt::conclude(domain, begun, answer, reference, keep).await;
    inbox::subscription_is_here(domain).await;
    concluded
}

async fn begin(domain: &Domain, new: NewSubscription, actor: &str) -> Result<Asking, DomainError> {
    let (keys, wanted) = (domain.keys.clone(), new.clone());
    let find = move |connection: &mut PgConnection| {
        let method = chargeable(connection, &keys, wanted.paymethod_id)?;
        Ok::<_, DomainError>((method.provider, method.customer.buyer_id, plan_of(connection, &wanted.plan)?))
    };
    let (provider, buyer_id, (plan, product_id)) = domain.database.read(find).await?;
    let subject = format!("payment_method/{} plan/{plan}", new.paymethod_id);
    let all = format!("{subject} {}", new.amount.map(|amount| amount.to_string()).unwrap_or_default());
    let asked = Asked::new(domain, provider, OperationName::Subscribe, buyer_id, subject, &all, actor);
    let keys = domain.keys.clone();
    let begin = move |connection: &mut PgConnection| {
        let method = check(connection, &keys, &new)?;
        check_new(connection, &new, &plan)?;
        Ok(Asking { begun: asked.begin(connection)?, method, plan, product_id })
    };
    domain.database.write(begin).await
}

/// The means of payment, if it is the one that the client takes it for.
fn check(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    new: &NewSubscription,
) -> Result<Chargeable, DomainError> {
    let method = locked_chargeable(connection, keys, new.paymethod_id)?;
    if new.provider.is_some_and(|provider| provider != method.provider) {
        return Err(field_with("paymethod", Code::Invalid, "The payment method is at another provider."));
    }
    if new.buyer_id.is_some_and(|buyer_id| buyer_id != method.customer.buyer_id) {
        return Err(field_with("paymethod", Code::Invalid, "The payment method is another buyer's."));
    }
    Ok(method)
}

fn plan_of(connection: &mut PgConnection, plan: &Plan) -> Result<(String, Option<ProductId>), DomainError> {
    match plan {
        Plan::Named(plan) => {
            let product = product::by_public_id(connection, plan)?;
            Ok((plan.clone(), product.map(|product| product.id)))
        }
        Plan::OfProduct(id) => {
            let product = product::by_id(connection, *id)?;
            let product =
                product.ok_or_else(|| field_with("seller_product", Code::DoesNotExist, DANGLING))?;
            Ok((product.public_id, Some(*id)))
        }
    }
}

/// A payer who asks twice does not pay twice.
fn check_new(connection: &mut PgConnection, new: &NewSubscription, plan: &str) -> Result<(), DomainError> {
    let same = SubscriptionFilter {
        payment_method_id: Some(new.paymethod_id),
        plan: Some(plan.to_owned()),
        active: Some(true),
        ..SubscriptionFilter::default()
    };
    if subscription::count(connection, &same)? == 0 {
        return Ok(());
    }
    let field = match new.plan {
        Plan::Named(_) => "plan",
        Plan::OfProduct(_) => "seller_product",
    };
    Err(field_with(field, Code::NotUnique, "There is such a subscription to this payment method already."))
}

fn keep(
    connection: &mut PgConnection,
    method: &Chargeable,
    plan: String,
    product_id: Option<ProductId>,
    subscription: &Subscription,
    standing: &Standing,
) -> Result<SubscriptionRow, DomainError> {
    let (provider, id) = (method.row.provider, &subscription.reference);
    if let Some(known) = subscription::by_provider_id_for_update(connection, provider, id)? {
        return Ok(subscription::update(connection, known.id, None, &changes_of(subscription))?);
    }
    let status = SubscriptionStatus::from(subscription.status);
    let declined = matches!(standing, Standing::Declined(_));
    let new = subscription::NewSubscription {
        payment_method_id: method.row.id,
        provider,
        product_id,
        plan,
        provider_id: id.clone(),
        status,
        amount_minor: subscription.amount.map(|amount| amount.minor_units),
        currency: subscription.amount.map(|amount| amount.currency.code().to_owned()),
        active: !status.has_ended() && !declined,
        next_billing_date: subscription.next_billing.as_deref().and_then(date),
    };
    Ok(subscription::insert(connection, &new)?)
}
