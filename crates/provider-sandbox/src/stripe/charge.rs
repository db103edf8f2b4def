//! `/v1/charges`: what an attempt to charge a payment method came to.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::balance;
use super::books::{Books, Call, Origin, new_id};
use super::cards::{Behaviour, Decline};
use super::customer::empty_billing_details;
use super::error::Failure;
use super::payment_intent::PaymentIntent;
use super::payment_method::PaymentMethod;
use super::shelf::Object;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Charge {
    id: String,
    object: &'static str,
    pub(super) amount: i64,
    pub(super) amount_captured: i64,
    pub(super) amount_refunded: i64,
    balance_transaction: Option<String>,
    billing_details: Value,
    pub(super) captured: bool,
    created: i64,
    pub(super) currency: String,
    customer: Option<String>,
    description: Option<String>,
    pub(super) disputed: bool,
    failure_balance_transaction: Option<String>,
    failure_code: Option<&'static str>,
    failure_message: Option<&'static str>,
    fraud_details: Value,
    livemode: bool,
    metadata: BTreeMap<String, String>,
    outcome: Value,
    paid: bool,
    pub(super) payment_intent: String,
    payment_method: String,
    payment_method_details: Value,
    receipt_email: Option<String>,
    receipt_url: Option<String>,
    pub(super) refunded: bool,
    status: &'static str,
    #[serde(skip)]
    pub(super) behaviour: Behaviour,
}

impl Object for Charge {
    const NAME: &'static str = "charge";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Charge {
    /// Takes an amount of what was set aside.
    pub(super) fn capture(&mut self, amount: i64, is_final: bool) {
        self.amount_captured += amount;
        self.captured = is_final || self.amount_captured == self.amount;
        if self.amount_captured > 0 {
            self.balance_transaction = Some(balance::id_of(&self.id));
        }
    }

    /// Whether it has touched the account's balance.
    pub(super) fn has_balance(&self) -> bool {
        self.balance_transaction.is_some()
    }
}

/// A charge that went through: captured, or only set aside.
pub(super) fn made(
    origin: &Origin,
    intent: &PaymentIntent,
    method: &PaymentMethod,
    captured: bool,
) -> Charge {
    let id = new_id("ch");
    Charge {
        balance_transaction: captured.then(|| balance::id_of(&id)),
        id,
        object: "charge",
        amount: intent.amount,
        amount_captured: if captured { intent.amount } else { 0 },
        amount_refunded: 0,
        billing_details: empty_billing_details(),
        captured,
        created: origin.seconds(),
        currency: intent.currency.clone(),
        customer: intent.customer.clone(),
        description: intent.description.clone(),
        disputed: false,
        failure_balance_transaction: None,
        failure_code: None,
        failure_message: None,
        fraud_details: json!({}),
        livemode: false,
        metadata: intent.metadata.clone(),
        outcome: json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
            "seller_message": "Payment complete.", "type": "authorized"
        }),
        paid: true,
        payment_intent: intent.id.clone(),
        payment_method: method.id().to_owned(),
        payment_method_details: method.details(),
        receipt_email: intent.receipt_email.clone(),
        receipt_url: None,
        refunded: false,
        status: "succeeded",
        behaviour: method.behaviour,
    }
}

/// A charge that the issuer refused.
pub(super) fn refused(
    origin: &Origin,
    intent: &PaymentIntent,
    method: &PaymentMethod,
    decline: Decline,
) -> Charge {
    Charge {
        failure_code: Some(decline.code),
        failure_message: Some(decline.message),
        outcome: json!({
            "advice_code": decline.advice, "network_advice_code": null, "network_decline_code": null,
            "network_status": "declined_by_network", "reason": decline.decline_code, "risk_level": "normal",
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined"
        }),
        paid: false,
        status: "failed",
        ..made(origin, intent, method, false)
    }
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    books.charges.in_path(&call.id).map(Object::show)
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let intent = call.params.text("payment_intent")?;
    let customer = call.params.text("customer")?;
    let wanted = |charge: &Charge| {
        intent.as_ref().is_none_or(|intent| charge.payment_intent == *intent)
            && customer.as_ref().is_none_or(|customer| charge.customer.as_ref() == Some(customer))
    };
    let page = books.charges.list("/v1/charges", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}
