//! `GET /v1/balance_transactions/{id}`: what a charge or a refund did to the account's balance.
//!
//! Each is made from the charge or refund that it belongs to, whose id it bears after its own prefix. The fee is 2.9 % of
//! a charge, rounded down; of a refund there is none. The account's currency is that of each charge.

use serde_json::{Value, json};

use super::books::{Books, Call};
use super::error::Failure;
use super::shelf::Object as _;

const PREFIX: &str = "txn_";

/// The id of the balance transaction of a charge or a refund.
pub(super) fn id_of(source: &str) -> String {
    format!("{PREFIX}{}", source.split_once('_').map_or(source, |(_, rest)| rest))
}

/// A balance transaction as the API shows it; none when there is none of this id.
pub(super) fn show(books: &Books, id: &str) -> Option<Value> {
    let rest = id.strip_prefix(PREFIX)?;
    if let Some(charge) = books.charges.find(&format!("ch_{rest}")) {
        let amount = charge.amount_captured;
        let money = (amount, amount * 29 / 1000, charge.currency.as_str());
        return charge.has_balance().then(|| written(id, "charge", charge.id(), charge.created(), money));
    }
    let refund = books.refunds.find(&format!("re_{rest}"))?;
    let money = (-refund.amount, 0, refund.currency.as_str());
    Some(written(id, "refund", refund.id(), refund.created(), money))
}

fn written(id: &str, kind: &str, source: &str, created: i64, money: (i64, i64, &str)) -> Value {
    let (amount, fee, currency) = money;
    let details = json!({"amount": fee, "application": null, "currency": currency, "description": "Stripe processing fees",
        "type": "stripe_fee"});
    let details = if fee > 0 { json!([details]) } else { json!([]) };
    json!({
        "id": id, "object": "balance_transaction", "amount": amount, "available_on": created + 2 * 86_400,
        "balance_type": "payments", "created": created, "currency": currency, "description": null,
        "exchange_rate": null, "fee": fee, "fee_details": details, "net": amount - fee,
        "reporting_category": kind, "source": source, "status": "pending", "type": kind
    })
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    show(books, &call.id).ok_or_else(|| Failure::no_such("balance transaction", &call.id, "id").in_path())
}
