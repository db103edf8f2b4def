//! `/v1/invoices`: what a subscription owes for a period, and how it is paid.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::books::{Books, Call, Origin, new_id};
use super::error::Failure;
use super::payment_intent::{self, Confirmation, Status, confirm};
use super::payment_method;
use super::shelf::Object;
use super::subscription;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Invoice {
    pub(super) id: String,
    object: &'static str,
    pub(super) amount_due: i64,
    amount_paid: i64,
    amount_remaining: i64,
    attempt_count: u32,
    attempted: bool,
    auto_advance: bool,
    billing_reason: &'static str,
    collection_method: &'static str,
    created: i64,
    pub(super) currency: String,
    customer: String,
    default_payment_method: Option<String>,
    hosted_invoice_url: String,
    lines: Value,
    livemode: bool,
    metadata: Value,
    number: String,
    parent: Value,
    period_end: i64,
    period_start: i64,
    pub(super) status: &'static str,
    subtotal: i64,
    total: i64,
    #[serde(skip)]
    pub(super) subscription: String,
    /// The intent that pays it; an invoice of nothing has none.
    #[serde(skip)]
    pub(super) payment_intent: Option<String>,
}

impl Object for Invoice {
    const NAME: &'static str = "invoice";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Invoice {
    /// `payments`, which is shown only when asked for.
    pub(super) fn payments(&self) -> Value {
        let payment = self.payment_intent.as_ref().map(|intent| {
            json!({
                "id": format!("inpay_{}", self.id.trim_start_matches("in_")), "object": "invoice_payment",
                "amount_paid": if self.status == "paid" { json!(self.amount_paid) } else { Value::Null },
                "amount_requested": self.amount_due, "created": self.created, "currency": self.currency,
                "invoice": self.id, "is_default": true, "livemode": false,
                "payment": {"payment_intent": intent, "type": "payment_intent"},
                "status": if self.status == "paid" { "paid" } else { "open" }, "status_transitions": {}
            })
        });
        let data: Vec<Value> = payment.into_iter().collect();
        json!({"object": "list", "data": data, "has_more": false, "url": "/v1/invoice_payments"})
    }
}

/// What an invoice is made of.
#[derive(Debug)]
pub(super) struct Bill<'a> {
    pub(super) subscription: &'a str,
    pub(super) customer: &'a str,
    pub(super) payment_method: Option<&'a str>,
    pub(super) reason: &'static str,
    pub(super) amount: i64,
    pub(super) currency: &'a str,
    pub(super) period: (i64, i64),
    /// Whether it is left to the payer to confirm it.
    pub(super) waits_for_payer: bool,
    /// The subscription's, as it is now.
    pub(super) metadata: &'a BTreeMap<String, String>,
}

/// Writes an invoice and has it paid; gives its id, and the failure when it could not be paid at once.
pub(super) fn charge(books: &mut Books, origin: &Origin, bill: &Bill<'_>) -> (String, Option<Failure>) {
    let mut invoice = write(books, origin, bill);
    let id = invoice.id.clone();
    if bill.amount == 0 {
        books.invoices.add(invoice);
        paid(books, origin, &id);
        return (id, None);
    }
    let mut intent = payment_intent::make(origin, bill.amount, bill.currency.to_owned());
    intent.customer = Some(bill.customer.to_owned());
    intent.description = Some("Subscription creation".to_owned());
    intent.invoice = Some(id.clone());
    intent.setup_future_usage = Some("off_session");
    intent.payment_method = bill.payment_method.map(ToOwned::to_owned);
    if intent.payment_method.is_some() {
        intent.status = Status::RequiresConfirmation;
    }
    invoice.payment_intent = Some(intent.id.clone());
    books.invoices.add(invoice);
    let shown = books.payment_intents.add(intent.clone());
    books.happened(origin, "payment_intent.created", shown);
    if bill.waits_for_payer || intent.payment_method.is_none() {
        return (id, None);
    }
    // The payer may be there for the first invoice: a bank that wants to know gets its answer on a page.
    let first = bill.reason == "subscription_create";
    let confirmation = if first { Confirmation::default() } else { Confirmation::without_payer() };
    (id, confirm::run(books, origin, intent, &confirmation).err())
}

fn write(books: &Books, origin: &Origin, bill: &Bill<'_>) -> Invoice {
    let id = new_id("in");
    let number = format!("SANDBOX-{:04}", books.invoices.iter().count() + 1);
    let (period_start, period_end) = bill.period;
    let line = json!({
        "id": new_id("il"), "object": "line_item", "amount": bill.amount, "currency": bill.currency,
        "invoice": id, "livemode": false, "period": {"end": period_end, "start": period_start}, "quantity": 1
    });
    Invoice {
        hosted_invoice_url: format!("{}/invoice/{id}", origin.pages),
        lines: json!({
            "object": "list", "data": [line], "has_more": false, "total_count": 1,
            "url": format!("/v1/invoices/{id}/lines")
        }),
        id,
        object: "invoice",
        amount_due: bill.amount,
        amount_paid: 0,
        amount_remaining: bill.amount,
        attempt_count: 0,
        attempted: false,
        auto_advance: true,
        billing_reason: bill.reason,
        collection_method: "charge_automatically",
        created: origin.seconds(),
        currency: bill.currency.to_owned(),
        customer: bill.customer.to_owned(),
        default_payment_method: bill.payment_method.map(ToOwned::to_owned),
        livemode: false,
        metadata: json!({}),
        number,
        parent: json!({
            "quote_details": null,
            "subscription_details": {"metadata": bill.metadata, "subscription": bill.subscription},
            "type": "subscription_details"
        }),
        period_end,
        period_start,
        status: "open",
        subtotal: bill.amount,
        total: bill.amount,
        subscription: bill.subscription.to_owned(),
        payment_intent: None,
    }
}

/// Its intent has succeeded.
pub(super) fn paid(books: &mut Books, origin: &Origin, id: &str) {
    let Some(invoice) = books.invoices.find_mut(id) else { return };
    invoice.status = "paid";
    invoice.amount_paid = invoice.amount_due;
    invoice.amount_remaining = 0;
    invoice.attempted = true;
    invoice.attempt_count += 1;
    let (shown, owner) = (invoice.show(), invoice.subscription.clone());
    subscription::invoice_paid(books, origin, &owner);
    books.happened(origin, "invoice.paid", shown.clone());
    books.happened(origin, "invoice.payment_succeeded", shown);
}

/// Its intent has failed.
pub(super) fn not_paid(books: &mut Books, origin: &Origin, id: &str) {
    let Some(invoice) = books.invoices.find_mut(id) else { return };
    invoice.attempted = true;
    invoice.attempt_count += 1;
    let (shown, owner) = (invoice.show(), invoice.subscription.clone());
    subscription::invoice_not_paid(books, origin, &owner);
    books.happened(origin, "invoice.payment_failed", shown);
}

/// `POST /v1/invoices/{id}/pay`: another try.
pub(super) fn pay(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let invoice = books.invoices.in_path(&call.id)?.clone();
    let method = call.params.text("payment_method")?.or_else(|| invoice.default_payment_method.clone());
    drop(call.params.text("off_session")?);
    call.finish()?;
    if invoice.status != "open" {
        return Err(Failure::state("invoice_not_editable", format!("Invoice is already {}", invoice.status)));
    }
    let intent = invoice.payment_intent.as_deref().and_then(|intent| books.payment_intents.find(intent));
    let mut intent = intent.cloned().ok_or_else(Failure::internal)?;
    let method = method.ok_or_else(|| Failure::missing("payment_method"))?;
    let method = payment_method::of_customer(books, &method, &invoice.customer, "payment_method")?;
    intent.payment_method = Some(method.id().to_owned());
    confirm::run(books, &call.origin, intent, &Confirmation::without_payer())?;
    books.invoices.in_path(&call.id).map(Object::show)
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    books.invoices.in_path(&call.id).map(Object::show)
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let owner = call.params.text("subscription")?;
    let customer = call.params.text("customer")?;
    let wanted = |invoice: &Invoice| {
        owner.as_ref().is_none_or(|owner| invoice.subscription == *owner)
            && customer.as_ref().is_none_or(|customer| invoice.customer == *customer)
    };
    let page = books.invoices.list("/v1/invoices", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}
