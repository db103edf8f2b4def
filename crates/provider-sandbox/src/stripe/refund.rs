//! `/v1/refunds`: money that goes back.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::balance;
use super::books::{Books, Call, Origin, new_id};
use super::cards::Behaviour;
use super::charge::Charge;
use super::currency;
use super::error::Failure;
use super::shelf::Object;
use crate::ledger::Kind;

const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];

#[derive(Clone, Debug, Serialize)]
pub(super) struct Refund {
    id: String,
    object: &'static str,
    pub(super) amount: i64,
    balance_transaction: Option<String>,
    charge: String,
    created: i64,
    pub(super) currency: String,
    destination_details: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    metadata: BTreeMap<String, String>,
    payment_intent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_reason: Option<&'static str>,
    reason: Option<&'static str>,
    receipt_number: Option<String>,
    source_transfer_reversal: Option<String>,
    pub(super) status: &'static str,
    transfer_reversal: Option<String>,
    /// The idempotency key of the request that made it.
    #[serde(skip)]
    reference: Option<String>,
}

impl Object for Refund {
    const NAME: &'static str = "refund";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

pub(super) fn create(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let charge = find_charge(books, call)?;
    let amount = call.params.positive("amount")?;
    let reason = call.params.one_of("reason", REASONS)?;
    let mut metadata = BTreeMap::new();
    call.params.metadata(&mut metadata)?;
    call.finish()?;
    let amount = check(&charge, amount)?;
    let status = match charge.behaviour {
        Behaviour::RefundsLate => "pending",
        _ => "succeeded",
    };
    let id = new_id("re");
    let refund = Refund {
        balance_transaction: Some(balance::id_of(&id)),
        id,
        object: "refund",
        amount,
        charge: charge.id().to_owned(),
        created: call.origin.seconds(),
        currency: charge.currency.clone(),
        destination_details: json!({"card": {"type": "refund"}, "type": "card"}),
        failure_reason: None,
        metadata,
        payment_intent: charge.payment_intent.clone(),
        pending_reason: (status == "pending").then_some("processing"),
        reason,
        receipt_number: None,
        source_transfer_reversal: None,
        status,
        transfer_reversal: None,
        reference: call.origin.idempotency_key.clone(),
    };
    Ok(enter(books, &call.origin, refund, charge))
}

/// Writes a refund into the books; one of a card that says so fails as soon as it was answered.
fn enter(books: &mut Books, origin: &Origin, refund: Refund, mut charge: Charge) -> Value {
    charge.amount_refunded += refund.amount;
    charge.refunded = charge.amount_refunded == charge.amount_captured;
    let id = refund.id.clone();
    let fails = charge.behaviour == Behaviour::RefundsFail;
    if refund.status == "succeeded" && !fails {
        let money = (refund.amount, refund.currency.as_str());
        books.record(origin, Kind::Refund, &id, money, refund.metadata.get("attempt").map(String::as_str));
    }
    let shown = books.refunds.add(refund);
    let charge_shown = charge.show();
    if let Some(kept) = books.charges.find_mut(charge.id()) {
        *kept = charge;
    }
    books.happened(origin, "charge.refunded", charge_shown);
    books.happened(origin, "refund.created", shown.clone());
    if fails {
        fail(books, origin, &id);
    }
    shown
}

/// The charge that `payment_intent` or `charge` names.
fn find_charge(books: &Books, call: &mut Call) -> Result<Charge, Failure> {
    let charge = call.params.text("charge")?;
    let intent = call.params.text("payment_intent")?;
    match (charge, intent) {
        (Some(charge), None) => books.charges.in_param(&charge, "charge").cloned(),
        (None, Some(id)) => {
            let intent = books.payment_intents.in_param(&id, "payment_intent")?;
            let charge = intent.latest_charge.as_deref().and_then(|charge| books.charges.find(charge));
            charge.filter(|charge| charge.amount_captured > 0).cloned().ok_or_else(|| {
                let message =
                    format!("This PaymentIntent ({id}) does not have a successful charge to refund.");
                Failure::state("charge_not_refundable", message).about("payment_intent")
            })
        }
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: charge, payment_intent.";
            Err(Failure::invalid(message, "charge"))
        }
        (None, None) => {
            let message =
                "One of the following params should be provided for this request: payment_intent or charge.";
            Err(Failure::invalid(message, "payment_intent").code("parameter_missing"))
        }
    }
}

/// How much is refunded; all that is left when nobody says.
fn check(charge: &Charge, asked: Option<i64>) -> Result<i64, Failure> {
    if charge.disputed {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", charge.id());
        return Err(Failure::state("charge_disputed", message));
    }
    if charge.refunded {
        let message = format!("Charge {} has already been refunded.", charge.id());
        return Err(Failure::state("charge_already_refunded", message));
    }
    let left = charge.amount_captured - charge.amount_refunded;
    let amount = asked.unwrap_or(left);
    if amount > left {
        let say = |amount| currency::decimal(amount, &charge.currency);
        let message = format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            say(amount),
            say(left)
        );
        return Err(Failure::invalid(message, "amount").begun());
    }
    currency::check_unit(amount, &charge.currency)?;
    Ok(amount)
}

/// The card's network has made up its mind about a refund; None when it had before.
pub(super) fn decide(books: &mut Books, origin: &Origin, id: &str, agreed: bool) -> Option<()> {
    let refund = books.refunds.find_mut(id).filter(|refund| refund.status == "pending")?;
    if !agreed {
        fail(books, origin, id);
        return Some(());
    }
    refund.status = "succeeded";
    refund.pending_reason = None;
    let refund = refund.clone();
    let reference = refund.metadata.get("attempt").or(refund.reference.as_ref());
    books.record(origin, Kind::Refund, id, (refund.amount, &refund.currency), reference.map(String::as_str));
    books.happened(origin, "refund.updated", refund.show());
    Some(())
}

/// The money did not arrive: it is the merchant's again.
fn fail(books: &mut Books, origin: &Origin, id: &str) {
    let Some(refund) = books.refunds.find_mut(id) else { return };
    refund.status = "failed";
    refund.pending_reason = None;
    refund.failure_reason = Some("expired_or_canceled_card");
    let refund = refund.clone();
    if let Some(charge) = books.charges.find_mut(&refund.charge) {
        charge.amount_refunded -= refund.amount;
        charge.refunded = false;
    }
    books.happened(origin, "refund.updated", refund.show());
    books.happened(origin, "refund.failed", refund.show());
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    books.refunds.in_path(&call.id).map(Object::show)
}

pub(super) fn update(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut refund = books.refunds.in_path(&call.id)?.clone();
    call.params.metadata(&mut refund.metadata)?;
    call.finish()?;
    let shown = refund.show();
    *books.refunds.in_path_mut(&call.id)? = refund;
    Ok(shown)
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let intent = call.params.text("payment_intent")?;
    let charge = call.params.text("charge")?;
    let wanted = |refund: &Refund| {
        intent.as_ref().is_none_or(|intent| refund.payment_intent == *intent)
            && charge.as_ref().is_none_or(|charge| refund.charge == *charge)
    };
    let page = books.refunds.list("/v1/refunds", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}
