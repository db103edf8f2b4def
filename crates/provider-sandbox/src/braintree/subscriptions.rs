//! `/subscriptions`: charges that repeat. Time stands still in a sandbox: a test asks for the next charge.

use chrono::{DateTime, NaiveDate, Utc};

use super::amount::MerchantAccount;
use super::answer::{Answer, Handled};
use super::books::{Books, new_id};
use super::instrument::Behaviour;
use super::notification::Notification;
use super::plans;
use super::processor::{self, Verdict};
use super::refusal::{Fault, Refusal};
use super::sale;
use super::transaction::{Kind, Period, Status as TransactionStatus, Transaction};
use super::xml::{Element, Node};
use crate::ledger;

const PATH: &[&str] = &["subscription"];

/// A subscription.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    id: String,
    plan: String,
    pub(super) payment_method: String,
    account: &'static MerchantAccount,
    /// In minor units.
    price: i64,
    status: Status,
    /// The period that is paid for.
    period: Option<(NaiveDate, NaiveDate)>,
    next_billing: NaiveDate,
    failures: usize,
    /// The newest first.
    transactions: Vec<String>,
    created: DateTime<Utc>,
    updated: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Status {
    Pending,
    Active,
    PastDue,
    Canceled,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Active => "Active",
            Self::PastDue => "Past Due",
            Self::Canceled => "Canceled",
        }
    }
}

/// `POST /subscriptions`: charged at once, unless the plan begins with a trial.
pub(super) fn create(books: &mut Books, request: &Node) -> Handled {
    let mut subscription = read(books, request)?;
    let Some(plan) = books.plans.get(&subscription.plan) else { return Err(Refusal::NotFound) };
    let is_trial = plan.trial_days > 0;
    if is_trial {
        subscription.status = Status::Active;
    } else {
        let (charge, verdict) = charge(books, &subscription, None)?;
        if let Some(message) = sale::message(verdict) {
            let shown = charge.show();
            books.transactions.push(charge);
            return Err(Refusal::declined(&message, shown));
        }
        subscription.paid(&charge);
        books.effects.record(ledger::Kind::Charge, &charge);
        books.transactions.push(charge);
    }
    let id = subscription.id.clone();
    books.subscriptions.insert(id.clone(), subscription);
    if !is_trial {
        tell(books, &id, "subscription_charged_successfully");
    }
    find(books, &id).map(Answer::into_created)
}

fn read(books: &Books, request: &Node) -> Result<Subscription, Refusal> {
    let mut faults = Vec::new();
    let id = request.get("id").map_or_else(new_id, str::to_owned);
    if books.subscriptions.contains_key(&id) {
        faults.push(Fault::new(PATH, "id", "81902", "ID has already been taken."));
    }
    let token = request.get("payment_method_token").unwrap_or_default();
    if !books.payment_methods.contains_key(token) {
        faults.push(Fault::new(PATH, "payment_method_token", "91903", "Payment method token is invalid."));
    }
    let plan_id = request.get("plan_id").unwrap_or_default();
    let Some(plan) = books.plans.get(plan_id) else {
        faults.push(Fault::new(PATH, "plan_id", "91904", "Plan ID is invalid."));
        return Err(faults.into());
    };
    let account = plans::account(plan, request.get("merchant_account_id"))?;
    let price = match request.get("price") {
        None => Some(plan.price),
        Some(text) => account.read(text).ok(),
    };
    let Some(price) = price.filter(|_| faults.is_empty()) else {
        if price.is_none() {
            faults.push(Fault::new(PATH, "price", "81904", "Price is an invalid format."));
        }
        return Err(faults.into());
    };
    let now = Utc::now();
    let begin = now.date_naive();
    let trial = chrono::Days::new(plan.trial_days.into());
    Ok(Subscription {
        id,
        plan: plan_id.to_owned(),
        payment_method: token.to_owned(),
        account,
        price,
        status: Status::Pending,
        period: None,
        next_billing: begin.checked_add_days(trial).unwrap_or(begin),
        failures: 0,
        transactions: Vec::new(),
        created: now,
        updated: now,
    })
}

/// One charge, not yet in the books.
fn charge(
    books: &Books,
    subscription: &Subscription,
    forced: Option<Verdict>,
) -> Result<(Transaction, Verdict), Refusal> {
    let method = books.payment_methods.get(&subscription.payment_method).ok_or(Refusal::NotFound)?;
    let plan = books.plans.get(&subscription.plan).ok_or(Refusal::NotFound)?;
    let mut charge = Transaction::new(new_id(), Kind::Sale, subscription.account, subscription.price);
    charge.instrument = Some(method.instrument.clone());
    charge.token = Some(method.token.clone());
    charge.customer_id = Some(method.customer_id.clone());
    let start = subscription.next_billing;
    let (end, _) = plan.period(start);
    charge.links.subscription = Some(Period { subscription: subscription.id.clone(), start, end });
    charge.links.plan = Some(subscription.plan.clone());
    let verdict = forced.unwrap_or(match method.behaviour {
        Behaviour::Ordinary => processor::verdict(charge.account.whole(charge.amount)),
        Behaviour::Declined => Verdict::Declined(2000),
        Behaviour::Failed => Verdict::Failed,
        Behaviour::Rejected(reason) => Verdict::Rejected(reason),
    });
    sale::apply(&mut charge, verdict);
    if verdict == Verdict::Approved {
        charge.become_status(TransactionStatus::SubmittedForSettlement);
    }
    Ok((charge, verdict))
}

/// The next charge, as a test asks for it: as the payment method has it, or declined.
pub(super) fn bill(books: &mut Books, id: &str, declined: Option<u32>) -> Handled {
    let subscription = books.subscriptions.get(id).cloned().ok_or(Refusal::NotFound)?;
    if subscription.status == Status::Canceled {
        return Err(CANCELED.into());
    }
    let (charge, verdict) = charge(books, &subscription, declined.map(Verdict::Declined))?;
    let is_paid = verdict == Verdict::Approved;
    if is_paid {
        books.effects.record(ledger::Kind::Charge, &charge);
    }
    let was_past_due = subscription.status == Status::PastDue;
    if let Some(subscription) = books.subscriptions.get_mut(id) {
        if is_paid { subscription.paid(&charge) } else { subscription.failed(&charge) }
    }
    books.transactions.push(charge);
    if is_paid {
        tell(books, id, "subscription_charged_successfully");
    } else {
        tell(books, id, "subscription_charged_unsuccessfully");
        if !was_past_due {
            tell(books, id, "subscription_went_past_due");
        }
    }
    find(books, id)
}

const CANCELED: Fault = Fault::new(PATH, "status", "81905", "Subscription has already been canceled.");

/// `PUT /subscriptions/{id}`: another payment method or price.
pub(super) fn update(books: &mut Books, id: &str, request: &Node) -> Handled {
    let known = |token: &&str| books.payment_methods.contains_key(*token);
    let token = request.get("payment_method_token");
    if token.is_some() && token.filter(known).is_none() {
        let message = "Payment method token is invalid.";
        return Err(Fault::new(PATH, "payment_method_token", "91903", message).into());
    }
    let subscription = books.subscriptions.get_mut(id).ok_or(Refusal::NotFound)?;
    if subscription.status == Status::Canceled {
        return Err(Fault::new(PATH, "base", "81901", "Cannot edit a canceled subscription.").into());
    }
    if let Some(text) = request.get("price") {
        let fault = Fault::new(PATH, "price", "81904", "Price is an invalid format.");
        subscription.price = subscription.account.read(text).map_err(|_| fault)?;
    }
    if let Some(token) = token {
        token.clone_into(&mut subscription.payment_method);
    }
    subscription.updated = Utc::now();
    find(books, id)
}

/// `PUT /subscriptions/{id}/cancel`.
pub(super) fn cancel(books: &mut Books, id: &str) -> Handled {
    let subscription = books.subscriptions.get_mut(id).ok_or(Refusal::NotFound)?;
    if subscription.status == Status::Canceled {
        return Err(CANCELED.into());
    }
    subscription.status = Status::Canceled;
    subscription.updated = Utc::now();
    tell(books, id, "subscription_canceled");
    find(books, id)
}

/// Ends what was charged to a payment method that is gone.
pub(super) fn cancel_all_of(books: &mut Books, token: &str) {
    let ended: Vec<String> = books
        .subscriptions
        .values()
        .filter(|subscription| {
            subscription.payment_method == token && subscription.status != Status::Canceled
        })
        .map(|subscription| subscription.id.clone())
        .collect();
    for id in ended {
        // It is there and not canceled.
        let _ = cancel(books, &id);
    }
}

/// `GET /subscriptions/{id}`.
pub(super) fn find(books: &Books, id: &str) -> Handled {
    let subscription = books.subscriptions.get(id).ok_or(Refusal::NotFound)?;
    Ok(Answer::shown(subscription.show(books)))
}

fn tell(books: &mut Books, id: &str, kind: &str) {
    if let Some(subject) = books.subscriptions.get(id).map(|subscription| subscription.show(books)) {
        books.effects.tell(Notification::new(kind, subject));
    }
}

impl Subscription {
    fn paid(&mut self, charge: &Transaction) {
        if let Some(period) = &charge.links.subscription {
            self.period = Some((period.start, period.end));
            self.next_billing = period.end.succ_opt().unwrap_or(period.end);
        }
        self.status = Status::Active;
        self.failures = 0;
        self.transactions.insert(0, charge.id.clone());
        self.updated = Utc::now();
    }

    fn failed(&mut self, charge: &Transaction) {
        self.status = Status::PastDue;
        self.failures += 1;
        self.transactions.insert(0, charge.id.clone());
        self.updated = Utc::now();
    }

    /// The subscription with its transactions.
    pub(super) fn show(&self, books: &Books) -> Element {
        let day = |name: &str, day: Option<NaiveDate>| {
            day.map_or_else(|| Element::nil(name), |day| Element::date(name, day))
        };
        let transactions = self.transactions.iter().filter_map(|id| books.transaction(id));
        let price = self.account.show(self.price);
        let balance = if self.status == Status::PastDue { price.clone() } else { self.account.show(0) };
        Element::node(
            "subscription",
            vec![
                Element::text("id", self.id.as_str()),
                Element::text("plan-id", self.plan.as_str()),
                Element::text("payment-method-token", self.payment_method.as_str()),
                Element::text("merchant-account-id", self.account.id),
                Element::text("status", self.status.name()),
                Element::text("price", price.as_str()),
                Element::text("next-billing-period-amount", price.as_str()),
                Element::text("balance", balance),
                Element::date("first-billing-date", self.created.date_naive()),
                Element::date("next-billing-date", self.next_billing),
                day("billing-period-start-date", self.period.map(|(start, _)| start)),
                day("billing-period-end-date", self.period.map(|(_, end)| end)),
                day("paid-through-date", self.period.map(|(_, end)| end)),
                Element::integer("current-billing-cycle", self.transactions.len()),
                Element::integer("failure-count", self.failures),
                Element::nil("days-past-due"),
                Element::boolean("never-expires", true),
                Element::nil("number-of-billing-cycles"),
                Element::boolean("trial-period", self.period.is_none()),
                Element::nil("trial-duration"),
                Element::nil("trial-duration-unit"),
                Element::datetime("created-at", self.created),
                Element::datetime("updated-at", self.updated),
                Element::array("add-ons", vec![]),
                Element::array("discounts", vec![]),
                Element::array("status-history", vec![]),
                Element::array("transactions", transactions.map(Transaction::show).collect()),
            ],
        )
    }
}
