//! What products cost: what an operator has configured, and whether an amount fits it.

use diesel::PgConnection;
use thiserror::Error;
use wire::{Currency, Money, MoneyError};

use crate::{
    database::Database,
    field_errors::{FieldError, FieldErrors},
    store::{
        StoreError,
        id::ProductId,
        product,
        product_plan::{self, ProductPlanRow},
    },
};

/// Names the amount in a request, and so in the errors about it.
const AMOUNT: &str = "amount";
/// Solitude holds amounts of at most nine digits.
const MAX_MINOR_UNITS: i64 = 999_999_999;

/// What an operator says about a product.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What it costs each time; none when any amount may be paid.
    pub amount: Option<Money>,
    /// The currency of its charges.
    pub currency: Currency,
    /// Whether it is charged again and again, so that it needs a subscription.
    pub recurring: bool,
}

/// Why a plan cannot be configured.
#[derive(Debug, Error)]
pub enum PlanError {
    /// There is no product with this public id.
    #[error("there is no product with this public id")]
    NoProduct,
    /// The product has no plan.
    #[error("the product has no plan")]
    NoPlan,
    /// The database failed.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// How a product is paid for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purchase {
    /// Once.
    Sale,
    /// Again and again.
    Subscription,
}

/// Configures what the product with this public id costs.
///
/// # Errors
/// [`PlanError::NoProduct`] and what the database gives.
pub async fn set(database: &Database, public_id: String, plan: Plan) -> Result<(), PlanError> {
    let set = move |connection: &mut PgConnection| {
        let product = product::by_public_id(connection, &public_id)?.ok_or(PlanError::NoProduct)?;
        let row = ProductPlanRow {
            product_id: product.id,
            amount_minor: plan.amount.map(|amount| amount.minor_units),
            currency: plan.currency.code().to_owned(),
            recurring: plan.recurring,
        };
        Ok(product_plan::set(connection, &row)?)
    };
    database.write(set).await
}

/// Forgets what the product with this public id costs.
///
/// # Errors
/// [`PlanError::NoProduct`], [`PlanError::NoPlan`] and what the database gives.
pub async fn remove(database: &Database, public_id: String) -> Result<(), PlanError> {
    let remove = move |connection: &mut PgConnection| {
        let product = product::by_public_id(connection, &public_id)?.ok_or(PlanError::NoProduct)?;
        if product_plan::remove(connection, product.id)? { Ok(()) } else { Err(PlanError::NoPlan) }
    };
    database.write(remove).await
}

/// Every plan with the public id of its product.
///
/// # Errors
/// What the database gives.
pub async fn list(database: &Database) -> Result<Vec<(String, Plan)>, PlanError> {
    let list = |connection: &mut PgConnection| Ok::<_, PlanError>(product_plan::list(connection)?);
    let rows = database.read(list).await?;
    Ok(rows.into_iter().filter_map(|(id, row)| Some((id, of_row(&row)?))).collect())
}

/// The plan of a product, if it has one.
///
/// # Errors
/// What the database gives.
pub fn of_product(connection: &mut PgConnection, id: ProductId) -> Result<Option<Plan>, StoreError> {
    Ok(product_plan::by_product(connection, id)?.as_ref().and_then(of_row))
}

/// Nothing is a currency that is no longer one; the schema holds the rest.
fn of_row(row: &ProductPlanRow) -> Option<Plan> {
    let currency = Currency::parse(&row.currency).ok()?;
    let amount = row.amount_minor.map(|minor_units| Money { minor_units, currency });
    Some(Plan { amount, currency, recurring: row.recurring })
}

/// Reads an amount: in the currency of the product's plan, without one in this currency. It is more than nothing.
/// Nothing when an error has been noted.
pub fn read_amount(
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

/// Whether a product with this plan may be paid for in this way, with this amount. `product` is the field that names
/// the product. A product without a plan may be paid for in every way.
///
/// # Errors
/// The fields that are wrong.
pub fn check(
    plan: Option<&Plan>,
    purchase: Purchase,
    amount: Option<Money>,
    product: &str,
) -> Result<(), FieldErrors> {
    let Some(plan) = plan else { return Ok(()) };
    let mut errors = FieldErrors::default();
    match (plan.recurring, purchase) {
        (true, Purchase::Sale) => {
            errors.add(product, FieldError::invalid("This product needs a subscription."));
        }
        (false, Purchase::Subscription) => {
            errors.add(product, FieldError::invalid("This product is sold, it has no subscription."));
        }
        (true, Purchase::Subscription) | (false, Purchase::Sale) => {}
    }
    if let (Some(configured), Some(amount)) = (plan.amount, amount)
        && configured != amount
    {
        errors.add(AMOUNT, FieldError::invalid("The product has another amount."));
    }
    errors.or(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::parse("USD").unwrap()).unwrap()
    }

    fn plan(amount: Option<&str>, recurring: bool) -> Plan {
        Plan { amount: amount.map(usd), currency: Currency::parse("USD").unwrap(), recurring }
    }

    #[test]
    fn a_product_without_a_plan_may_be_paid_for_in_every_way() {
        for purchase in [Purchase::Sale, Purchase::Subscription] {
            assert!(check(None, purchase, Some(usd("1.00")), "product_id").is_ok());
        }
    }

    #[test]
    fn the_configured_amount_must_match() {
        let plan = plan(Some("10.00"), false);
        assert!(check(Some(&plan), Purchase::Sale, Some(usd("10.00")), "product_id").is_ok());
        for other in ["9.99", "10.01", "1000.00"] {
            let errors = check(Some(&plan), Purchase::Sale, Some(usd(other)), "product_id").unwrap_err();
            assert!(errors.has("amount") && !errors.has("product_id"), "{other}");
        }
    }

    #[test]
    fn any_amount_may_be_paid_when_none_is_configured() {
        let plan = plan(None, false);
        assert!(check(Some(&plan), Purchase::Sale, Some(usd("3.21")), "product_id").is_ok());
    }

    #[test]
    fn a_recurring_product_needs_a_subscription_and_no_other_has_one() {
        let recurring = plan(Some("10.00"), true);
        assert!(check(Some(&recurring), Purchase::Subscription, None, "plan").is_ok());
        let errors = check(Some(&recurring), Purchase::Sale, Some(usd("10.00")), "product_id").unwrap_err();
        assert!(errors.has("product_id"));
        let once = plan(Some("10.00"), false);
        assert!(check(Some(&once), Purchase::Subscription, None, "plan").unwrap_err().has("plan"));
    }

    fn read(text: &str, plan: Option<&Plan>) -> Result<Money, FieldErrors> {
        let mut errors = FieldErrors::default();
        let amount = read_amount(text, plan, Currency::parse("USD").unwrap(), &mut errors);
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
        let plan = Plan { amount: None, currency: Currency::parse("JPY").unwrap(), recurring: false };
        assert_eq!(read("120", Some(&plan)).unwrap().to_string(), "120 JPY");
        assert!(read("1.20", Some(&plan)).unwrap_err().has("amount"));
    }
}
