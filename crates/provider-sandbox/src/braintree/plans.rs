//! `/plans`: what subscriptions are made of.

use chrono::{DateTime, Months, NaiveDate, Utc};

use super::amount::{self, MERCHANT_ACCOUNTS, MerchantAccount};
use super::answer::{Answer, Handled};
use super::books::{Books, new_id};
use super::refusal::{Fault, Refusal};
use super::xml::{Element, Node};

const PATH: &[&str] = &["plan"];

/// A plan.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    id: String,
    name: String,
    /// Whose currency it has.
    pub(super) account: &'static MerchantAccount,
    /// In minor units.
    pub(super) price: i64,
    /// In months.
    pub(super) frequency: u32,
    /// In days; 0 for none.
    pub(super) trial_days: u32,
    created: DateTime<Utc>,
}

impl Plan {
    /// The last day of a period that begins on a day, and the first day of the next.
    pub(super) fn period(&self, start: NaiveDate) -> (NaiveDate, NaiveDate) {
        let next = start.checked_add_months(Months::new(self.frequency)).unwrap_or(start);
        (next.pred_opt().unwrap_or(next), next)
    }

    fn show(&self) -> Element {
        Element::node(
            "plan",
            vec![
                Element::text("id", self.id.as_str()),
                Element::text("name", self.name.as_str()),
                Element::integer("billing-frequency", usize::try_from(self.frequency).unwrap_or(1)),
                Element::nil("billing-day-of-month"),
                Element::text("currency-iso-code", self.account.currency),
                Element::nil("description"),
                Element::nil("number-of-billing-cycles"),
                Element::text("price", self.account.show(self.price)),
                Element::boolean("trial-period", self.trial_days > 0),
                Element::integer("trial-duration", usize::try_from(self.trial_days).unwrap_or(0)),
                Element::text("trial-duration-unit", "day"),
                Element::datetime("created-at", self.created),
                Element::datetime("updated-at", self.created),
                Element::array("add-ons", vec![]),
                Element::array("discounts", vec![]),
            ],
        )
    }
}

/// `POST /plans`.
pub(super) fn create(books: &mut Books, request: &Node) -> Handled {
    let mut faults = Vec::new();
    let id = request.get("id").map_or_else(new_id, str::to_owned);
    if books.plans.contains_key(&id) {
        faults.push(Fault::new(PATH, "id", "93503", "Plan ID has already been taken."));
    }
    let currency = request.get("currency_iso_code");
    let account =
        MERCHANT_ACCOUNTS.iter().find(|account| currency.is_none_or(|code| code == account.currency));
    let price = account.and_then(|account| account.read(request.get("price")?).ok());
    if price.is_none() {
        faults.push(Fault::new(PATH, "price", "93508", "Price is an invalid format."));
    }
    let number =
        |name: &str, otherwise: u32| request.get(name).map_or(Some(otherwise), |text| text.parse().ok());
    let frequency = number("billing_frequency", 1).filter(|months| (1..=24).contains(months));
    if frequency.is_none() {
        faults.push(Fault::new(PATH, "billing_frequency", "93513", "Billing frequency is invalid."));
    }
    let (Some(account), Some(price), Some(frequency), true) = (account, price, frequency, faults.is_empty())
    else {
        return Err(faults.into());
    };
    let trial_days = if request.flag("trial_period") { number("trial_duration", 0).unwrap_or(0) } else { 0 };
    let name = request.get("name").unwrap_or(&id).to_owned();
    let plan = Plan { id: id.clone(), name, account, price, frequency, trial_days, created: Utc::now() };
    let shown = plan.show();
    books.plans.insert(id, plan);
    Ok(Answer::created(shown))
}

/// `GET /plans/{id}`.
pub(super) fn find(books: &Books, id: &str) -> Handled {
    books.plans.get(id).map(|plan| Answer::shown(plan.show())).ok_or(Refusal::NotFound)
}

/// `GET /plans/`.
pub(super) fn list(books: &Books) -> Handled {
    Ok(Answer::shown(Element::array("plans", books.plans.values().map(Plan::show).collect())))
}

/// The merchant account that a subscription to a plan is charged through.
pub(super) fn account(plan: &Plan, asked: Option<&str>) -> Result<&'static MerchantAccount, Fault> {
    const PATH: &[&str] = &["subscription"];
    let Some(asked) = asked else { return Ok(plan.account) };
    let Some(account) = amount::merchant_account(Some(asked)) else {
        return Err(Fault::new(PATH, "merchant_account_id", "91901", "Merchant account ID is invalid."));
    };
    if account.currency == plan.account.currency {
        Ok(account)
    } else {
        let message = "Currency ISO code of the merchant account does not match that of the plan.";
        Err(Fault::new(PATH, "base", "91923", message))
    }
}
