//! A sale, as the Solitude API has it: a payment that is taken at once, with what that API shows of a charge beside it.

use std::collections::BTreeMap;

use diesel::PgConnection;
use wire::{
    Currency, Money,
    payment::{Provider, Token},
};

use super::{
    asking,
    create::{Charged, Wanted, WantedSource, start},
};
use crate::{
    domain::{
        Domain, DomainError,
        payment::{
            Context,
            answer::{Answer, ShowSale},
            idempotency::Once,
            perform::{Flow, Step, perform},
        },
        paymethod::{PAYMETHOD, chargeable},
        plan::{self, Purchase},
    },
    error::ApiError,
    field_errors::{Code, FieldError, FieldErrors},
    proxy_client::ProxyClient,
    store::{
        id::{IdempotencyKeyId, PaymentMethodId},
        payment::PaymentRow,
        product::{self, ProductRow},
        provider_charge::{self, NewProviderCharge},
    },
    uri::DANGLING,
};

/// Names the product in a sale, and so in the errors about it.
const PRODUCT: &str = "product_id";

/// What a client wants to sell.
#[derive(Clone, Debug)]
pub struct NewSale {
    /// Through whom.
    pub provider: Provider,
    /// The provider's word for what is done, as the view on the charge shows it.
    pub kind: &'static str,
    /// How much, as the client wrote it; its currency is that of the product.
    pub amount: String,
    /// The public id of the product.
    pub product_id: String,
    /// What is charged.
    pub source: SaleSource,
}

/// What is charged.
#[derive(Clone, Debug)]
pub enum SaleSource {
    /// What the provider's script on the payer's side gave; good once.
    Nonce(Token),
    /// A stored payment method.
    PaymentMethod(PaymentMethodId),
}

/// Sells a product: a payment that is created, executed and answered once, and shown by `show`.
///
/// # Errors
/// The fields that are wrong, and what the database gives. What the provider says of it is an answer.
pub async fn sell(
    domain: &Domain,
    proxy: &ProxyClient,
    once: Once,
    new: NewSale,
    show: ShowSale,
) -> Result<Answer, ApiError> {
    let currency = domain.payments.currency;
    let begin = move |connection: &mut PgConnection, context: &Context, key: IdempotencyKeyId| {
        begin(connection, context, key, &new, currency)
    };
    perform(domain, proxy, once, Flow::Sale(show), begin).await
}

fn begin(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    new: &NewSale,
    currency: Currency,
) -> Result<Step, DomainError> {
    let mut errors = FieldErrors::default();
    let product = find_product(connection, new, &mut errors)?;
    let plan = match &product {
        Some(product) => plan::of_product(connection, product.id)?,
        None => None,
    };
    let amount = plan::read_amount(&new.amount, plan.as_ref(), currency, &mut errors);
    let charged = find_source(connection, context, new, &mut errors)?;
    errors.or(())?;
    let (Some(product), Some(amount), Some(charged)) = (product, amount, charged) else {
        // Without any of them there was an error, so that this is never reached.
        return Err(DomainError::NotFound);
    };
    plan::check(plan.as_ref(), Purchase::Sale, Some(amount), PRODUCT)?;
    let wanted = wanted(new, &product, amount);
    let (payment, operation) = start(connection, context, key, &wanted, &product, charged)?;
    insert_charge(connection, new, &payment)?;
    Ok(asking(key, payment, operation))
}

fn find_product(
    connection: &mut PgConnection,
    new: &NewSale,
    errors: &mut FieldErrors,
) -> Result<Option<ProductRow>, DomainError> {
    let product = product::by_public_id(connection, &new.product_id)?;
    if product.is_none() {
        errors.add(PRODUCT, FieldError::new(Code::DoesNotExist, "Product does not exist."));
    }
    Ok(product)
}

fn find_source(
    connection: &mut PgConnection,
    context: &Context,
    new: &NewSale,
    errors: &mut FieldErrors,
) -> Result<Option<Charged>, DomainError> {
    let id = match &new.source {
        SaleSource::Nonce(nonce) => return Ok(Some(Charged::once(nonce.clone(), None))),
        SaleSource::PaymentMethod(id) => *id,
    };
    match chargeable(connection, &context.keys, id) {
        Ok(method) if method.provider == new.provider => return Ok(Some(Charged::by(method))),
        Ok(_) => errors.add(PAYMETHOD, FieldError::new(Code::DoesNotExist, DANGLING)),
        Err(DomainError::Fields(found)) => errors.extend(found),
        Err(error) => return Err(error),
    }
    Ok(None)
}

/// The same as a payment.
fn wanted(new: &NewSale, product: &ProductRow, amount: Money) -> Wanted {
    let source = match &new.source {
        SaleSource::Nonce(nonce) => WantedSource::Nonce(nonce.clone()),
        SaleSource::PaymentMethod(id) => WantedSource::PaymentMethod(*id),
    };
    Wanted {
        provider: new.provider,
        amount,
        product_id: product.id,
        buyer_id: None,
        source,
        capture: true,
        description: None,
        metadata: BTreeMap::new(),
        return_url: None,
    }
}

/// What the Solitude API shows of the charge.
fn insert_charge(
    connection: &mut PgConnection,
    new: &NewSale,
    payment: &PaymentRow,
) -> Result<(), DomainError> {
    let charge = NewProviderCharge {
        transaction_id: payment.transaction_id,
        provider: payment.provider,
        payment_method_id: payment.payment_method_id,
        subscription_id: None,
        kind: new.kind.to_owned(),
        billing_period_start_date: None,
        billing_period_end_date: None,
        next_billing_date: None,
        next_billing_period_amount_minor: None,
    };
    provider_charge::insert(connection, &charge)?;
    Ok(())
}
