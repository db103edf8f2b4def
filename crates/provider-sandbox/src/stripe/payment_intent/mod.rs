//! `/v1/payment_intents`: a payment from its first word to its capture.

pub(super) mod confirm;
mod confirmation;
mod create;
pub(super) mod settle;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

pub(super) use confirmation::Confirmation;
pub(super) use create::{create, make};

use super::books::{Books, Call};
use super::error::Failure;
use super::shelf::{Object, Shelf};

/// How a payment stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    object: &'static str,
    pub(super) amount: i64,
    pub(super) amount_capturable: i64,
    amount_details: Value,
    pub(super) amount_received: i64,
    application: Option<String>,
    application_fee_amount: Option<i64>,
    pub(super) automatic_payment_methods: Option<AutomaticMethods>,
    pub(super) canceled_at: Option<i64>,
    pub(super) cancellation_reason: Option<&'static str>,
    pub(super) capture_method: &'static str,
    pub(super) client_secret: String,
    confirmation_method: &'static str,
    created: i64,
    pub(super) currency: String,
    pub(super) customer: Option<String>,
    pub(super) description: Option<String>,
    pub(super) last_payment_error: Option<Value>,
    pub(super) latest_charge: Option<String>,
    livemode: bool,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) next_action: Option<Value>,
    on_behalf_of: Option<String>,
    pub(super) payment_method: Option<String>,
    pub(super) payment_method_options: Value,
    pub(super) payment_method_types: Vec<String>,
    processing: Option<Value>,
    pub(super) receipt_email: Option<String>,
    review: Option<String>,
    pub(super) setup_future_usage: Option<&'static str>,
    shipping: Option<Value>,
    source: Option<String>,
    pub(super) statement_descriptor: Option<String>,
    pub(super) statement_descriptor_suffix: Option<String>,
    pub(super) status: Status,
    transfer_data: Option<Value>,
    transfer_group: Option<String>,
    /// Where the payer comes back to.
    #[serde(skip)]
    pub(super) return_url: Option<String>,
    /// Whether it may be captured in several parts.
    #[serde(skip)]
    pub(super) is_multicapture: bool,
    /// The idempotency key of the request that confirmed it last.
    #[serde(skip)]
    pub(super) confirmed_by: Option<String>,
    /// The invoice that it pays.
    #[serde(skip)]
    pub(super) invoice: Option<String>,
}

/// Which payment methods are offered, when the account's settings decide.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AutomaticMethods {
    pub(super) allow_redirects: &'static str,
    pub(super) enabled: bool,
}

impl Object for PaymentIntent {
    const NAME: &'static str = "payment_intent";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

impl PaymentIntent {
    /// Refuses what its state does not allow.
    fn must_be(&self, allowed: &[Status], verb: &str) -> Result<(), Failure> {
        if allowed.contains(&self.status) {
            return Ok(());
        }
        let names: Vec<&str> = allowed.iter().map(|status| status.name()).collect();
        let message = format!(
            "This PaymentIntent could not be {verb} because it has a status of {}. Only a PaymentIntent with one of \
             the following statuses may be {verb}: {}.",
            self.status.name(),
            names.join(", ")
        );
        Err(Failure::state("payment_intent_unexpected_state", message).payment_intent(self.show()))
    }

    /// What the merchant calls it: its own metadata, or the request's key.
    pub(super) fn reference(&self) -> Option<&str> {
        self.metadata.get("attempt").map(String::as_str).or(self.confirmed_by.as_deref())
    }
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    drop(call.params.text("client_secret")?);
    call.finish()?;
    books.payment_intents.in_path(&call.id).map(Object::show)
}

pub(super) fn update(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut intent = books.payment_intents.in_path(&call.id)?.clone();
    for (name, field) in [
        ("description", &mut intent.description),
        ("receipt_email", &mut intent.receipt_email),
        ("statement_descriptor_suffix", &mut intent.statement_descriptor_suffix),
    ] {
        if let Some(value) = call.params.unsettable(name)? {
            *field = value;
        }
    }
    call.params.metadata(&mut intent.metadata)?;
    if let Some(amount) = call.params.positive("amount")? {
        super::currency::check_amount(amount, &intent.currency)?;
        let open = [Status::RequiresPaymentMethod, Status::RequiresConfirmation, Status::RequiresAction];
        intent.must_be(&open, "updated")?;
        intent.amount = amount;
    }
    call.finish()?;
    let shown = intent.show();
    *books.payment_intents.in_path_mut(&call.id)? = intent;
    Ok(shown)
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let customer = call.params.text("customer")?;
    let wanted = |intent: &PaymentIntent| {
        customer.as_ref().is_none_or(|customer| intent.customer.as_ref() == Some(customer))
    };
    let page = books.payment_intents.list("/v1/payment_intents", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}

/// Puts a changed intent back in its place, and gives it as it is shown.
fn keep(shelf: &mut Shelf<PaymentIntent>, intent: PaymentIntent) -> Value {
    let shown = intent.show();
    match shelf.find_mut(&intent.id) {
        Some(kept) => *kept = intent,
        None => drop(shelf.add(intent)),
    }
    shown
}
