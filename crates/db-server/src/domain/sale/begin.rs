//! Whether a sale is allowed, and the transaction that stands for it from then on.

use diesel::PgConnection;
use uuid::Uuid;
use wire::{
    Money,
    payment::{AttemptId, Source},
};

use super::{Begun, NewSale, Sale, SaleSource, request};
use crate::{
    crypt::EncryptionKeys,
    domain::{
        Domain, DomainError,
        paymethod::{PAYMETHOD, chargeable},
        plan::{self, Purchase},
    },
    field_errors::{Code, FieldError, FieldErrors},
    store::{
        code::{Provider, TransactionStatus, TransactionType},
        id::{BuyerId, PaymentMethodId},
        product::{self, ProductRow},
        provider_charge::{self, NewProviderCharge},
        transaction::{self, NewTransaction},
    },
    uri::DANGLING,
};

/// The `status_reason` while the provider is being asked, and after a crash.
const STARTING: &str = "starting";
/// Names the product in a sale, and so in the errors about it.
const PRODUCT: &str = "product_id";

/// What is charged, once it is known to be good.
struct Checked {
    source: Source,
    method: Option<PaymentMethodId>,
    buyer: Option<BuyerId>,
}

/// Commits that the product is being sold.
pub(super) async fn begin(domain: &Domain, new: NewSale, actor: String) -> Result<Begun, DomainError> {
    let (keys, currency) = (domain.keys.clone(), domain.payments.currency);
    let begin = move |connection: &mut PgConnection| {
        let mut errors = FieldErrors::default();
        let product = find_product(connection, &new, &mut errors)?;
        let plan = match &product {
            Some(product) => plan::of_product(connection, product.id)?,
            None => None,
        };
        let amount = plan::read_amount(&new.amount, plan.as_ref(), currency, &mut errors);
        let checked = check_source(connection, &new, &keys, &mut errors)?;
        errors.or(())?;
        let (Some(product), Some(amount), Some(checked)) = (product, amount, checked) else {
            // Without any of them there was an error, so that this is never reached.
            return Err(DomainError::NotFound);
        };
        plan::check(plan.as_ref(), Purchase::Sale, Some(amount), PRODUCT)?;
        write(connection, &new, &product, amount, checked, &actor)
    };
    domain.database.write(begin).await
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

fn check_source(
    connection: &mut PgConnection,
    new: &NewSale,
    keys: &EncryptionKeys,
    errors: &mut FieldErrors,
) -> Result<Option<Checked>, DomainError> {
    let id = match &new.source {
        SaleSource::Nonce(nonce) => {
            let source = Source::Nonce { nonce: nonce.clone() };
            return Ok(Some(Checked { source, method: None, buyer: None }));
        }
        SaleSource::PaymentMethod(id) => *id,
    };
    match chargeable(connection, keys, id) {
        Ok(method) if method.provider == new.provider => {
            let customer = Some(method.customer.provider_id);
            let source = Source::PaymentMethod { token: method.token, customer };
            let buyer = Some(method.customer.buyer_id);
            return Ok(Some(Checked { source, method: Some(id), buyer }));
        }
        Ok(_) => errors.add(PAYMETHOD, FieldError::new(Code::DoesNotExist, DANGLING)),
        Err(DomainError::Fields(found)) => errors.extend(found),
        Err(error) => return Err(error),
    }
    Ok(None)
}

fn write(
    connection: &mut PgConnection,
    new: &NewSale,
    product: &ProductRow,
    amount: Money,
    checked: Checked,
    actor: &str,
) -> Result<Begun, DomainError> {
    let (attempt, provider) = (AttemptId::new(), Provider::from(new.provider));
    let transaction = NewTransaction {
        uuid: format!("solitude:{}", Uuid::new_v4()),
        amount_minor: Some(amount.minor_units),
        currency: Some(amount.currency.code().to_owned()),
        buyer_id: checked.buyer,
        seller_id: Some(product.seller_id),
        product_id: Some(product.id),
        provider: Some(provider),
        kind: TransactionType::Payment,
        status: TransactionStatus::Started,
        status_reason: Some(STARTING.to_owned()),
        ..NewTransaction::default()
    };
    let transaction = transaction::insert(connection, &transaction, actor)?;
    let charge = NewProviderCharge {
        transaction_id: transaction.id,
        provider,
        attempt: Some(attempt.uuid()),
        payment_method_id: checked.method,
        subscription_id: None,
        kind: new.kind.to_owned(),
        billing_period_start_date: None,
        billing_period_end_date: None,
        next_billing_date: None,
        next_billing_period_amount_minor: None,
    };
    let charge = provider_charge::insert(connection, &charge)?;
    Ok(Begun { sale: Sale { transaction, charge }, request: request(attempt, amount, checked.source) })
}
