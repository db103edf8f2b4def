//! `/v1/disputes`: payers who take their money back through their bank.

use serde::Serialize;
use serde_json::{Value, json};

use super::books::{Books, Call, Origin, new_id};
use super::error::Failure;
use super::shelf::Object;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Dispute {
    id: String,
    object: &'static str,
    amount: i64,
    balance_transactions: Vec<Value>,
    charge: String,
    created: i64,
    currency: String,
    evidence: Value,
    is_charge_refundable: bool,
    livemode: bool,
    metadata: Value,
    payment_intent: String,
    reason: &'static str,
    status: &'static str,
}

impl Object for Dispute {
    const NAME: &'static str = "dispute";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

/// The payer of a charge disputes it.
pub(super) fn open(books: &mut Books, origin: &Origin, charge: &Value) {
    let id = charge["id"].as_str().unwrap_or_default();
    let Some(charge) = books.charges.find_mut(id) else { return };
    charge.disputed = true;
    let dispute = Dispute {
        id: new_id("du"),
        object: "dispute",
        amount: charge.amount,
        balance_transactions: Vec::new(),
        charge: id.to_owned(),
        created: origin.seconds(),
        currency: charge.currency.clone(),
        evidence: json!({}),
        is_charge_refundable: false,
        livemode: false,
        metadata: json!({}),
        payment_intent: charge.payment_intent.clone(),
        reason: "fraudulent",
        status: "needs_response",
    };
    let shown = books.disputes.add(dispute);
    books.happened(origin, "charge.dispute.created", shown);
}

/// `POST /v1/disputes/{id}/close`: the merchant gives in.
pub(super) fn close(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    let dispute = books.disputes.in_path_mut(&call.id)?;
    if dispute.status == "lost" {
        return Err(Failure::state("resource_already_exists", "This dispute is already closed."));
    }
    dispute.status = "lost";
    let shown = dispute.show();
    books.happened(&call.origin, "charge.dispute.closed", shown.clone());
    Ok(shown)
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    books.disputes.in_path(&call.id).map(Object::show)
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let intent = call.params.text("payment_intent")?;
    let charge = call.params.text("charge")?;
    let wanted = |dispute: &Dispute| {
        intent.as_ref().is_none_or(|intent| dispute.payment_intent == *intent)
            && charge.as_ref().is_none_or(|charge| dispute.charge == *charge)
    };
    let page = books.disputes.list("/v1/disputes", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}
