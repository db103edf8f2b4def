//! Whether a sale is allowed, and the transaction that stands for it from then on.

use chassis::settings::ExposeSecret;
use diesel::PgConnection;
use uuid::Uuid;
use wire::{
    Currency, Money, MoneyError,
    payment::{AttemptId, Source, Token},
};

use super::{Begun, NewSale, Sale, SaleSource, request};
use crate::{
    crypt::EncryptionKeys,
    domain::{
        Domain, DomainError,
        plan::{self, Plan, Purchase},
    },
    field_errors::{Code, FieldError, FieldErrors},
    store::{
        code::{Provider, TransactionStatus, TransactionType},
        id::{BuyerId, PaymentMethodId},
        payment_customer,
        payment_method::{self, PaymentMethodRow},
        product::{self, ProductRow},
        provider_charge::{self, NewProviderCharge},
        transaction::{self, NewTransaction},
    },
    uri::DANGLING,
};

/// The `status_reason` while the provider is being asked, and after a crash.
const STARTING: &str = "starting";
/// Solitude holds amounts of at most nine digits.
const MAX_MINOR_UNITS: i64 = 999_999_999;
/// The fields of a sale.
const AMOUNT: &str = "amount";
const PRODUCT: &str = "product_id";
const METHOD: &str = "paymethod";

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
        let provider = Provider::from(new.provider);
        let mut errors = FieldErrors::default();
        let product = find_product(connection, &new, &mut errors)?;
        let plan = match &product {
            Some(product) => plan::of_product(connection, product.id)?,
            None => None,
        };
        let amount = read_amount(&new.amount, plan.as_ref(), currency, &mut errors);
        let checked = check_source(connection, &new, provider, &keys, &mut errors)?;
        errors.or(())?;
        let (Some(product), Some(amount), Some(checked)) = (product, amount, checked) else {
            // Without any of them there was an error, so that this is never reached.
            return Err(DomainError::NotFound);
        };
        plan::check(plan.as_ref(), Purchase::Sale, Some(amount), PRODUCT)?;
        write(connection, &new, provider, &product, amount, checked, &actor)
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

/// The amount in the currency of the product's plan; without a plan in that of the settings.
fn read_amount(
    text: &str,
    plan: Option<&Plan>,
    currency: Currency,
    errors: &mut FieldErrors,
) -> Option<Money> {
    let message = match Money::parse(text, plan.map_or(currency, |plan| plan.currency)) {
        Ok(money) if money.minor_units == 0 => "Enter an amount: more than 0.".to_owned(),
        Ok(money) if money.minor_units <= MAX_MINOR_UNITS => return Some(money),
        Ok(_) | Err(MoneyError::TooLarge) => {
            "Ensure that there are no more than 9 digits in total.".to_owned()
        }
        Err(error) => format!("Enter an amount: {error}."),
    };
    errors.add(AMOUNT, FieldError::invalid(message));
    None
}

fn check_source(
    connection: &mut PgConnection,
    new: &NewSale,
    provider: Provider,
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
    let method = payment_method::by_id(connection, id)?.filter(|method| method.provider == provider);
    let Some(method) = method else {
        errors.add(METHOD, FieldError::new(Code::DoesNotExist, DANGLING));
        return Ok(None);
    };
    check_method(connection, &method, keys, errors)
}

fn check_method(
    connection: &mut PgConnection,
    method: &PaymentMethodRow,
    keys: &EncryptionKeys,
    errors: &mut FieldErrors,
) -> Result<Option<Checked>, DomainError> {
    let customer = payment_customer::by_id(connection, method.customer_id)?;
    let customer = customer.filter(|customer| customer.active && method.active);
    let Some(customer) = customer else {
        errors.add(METHOD, FieldError::invalid("The payment method is not active."));
        return Ok(None);
    };
    let token = Token::from(keys.decrypt(&method.token)?.expose_secret());
    let source = Source::PaymentMethod { token, customer: Some(customer.provider_id) };
    Ok(Some(Checked { source, method: Some(method.id), buyer: Some(customer.buyer_id) }))
}

fn write(
    connection: &mut PgConnection,
    new: &NewSale,
    provider: Provider,
    product: &ProductRow,
    amount: Money,
    checked: Checked,
    actor: &str,
) -> Result<Begun, DomainError> {
    let attempt = AttemptId::new();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Currency {
        Currency::parse(text).unwrap()
    }

    fn read(text: &str, plan: Option<&Plan>) -> Result<Money, FieldErrors> {
        let mut errors = FieldErrors::default();
        let amount = read_amount(text, plan, code("USD"), &mut errors);
        errors.or(()).map(|()| amount.unwrap())
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency_and_is_more_than_nothing() {
        assert_eq!(read("10.5", None).unwrap().to_string(), "10.50 USD");
        for text in ["0", "0.00", "-1", "1.001", "1e3", "", "NaN", "99999999.99", "9999999999999999999999"] {
            assert!(read(text, None).unwrap_err().has("amount"), "{text}");
        }
    }

    #[test]
    fn the_currency_is_that_of_the_plan() {
        let plan = Plan { amount: None, currency: code("JPY"), recurring: false };
        assert_eq!(read("120", Some(&plan)).unwrap().to_string(), "120 JPY");
        assert!(read("1.20", Some(&plan)).unwrap_err().has("amount"));
    }
}
