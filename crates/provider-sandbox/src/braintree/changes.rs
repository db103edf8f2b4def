//! What is done with a transaction afterwards: submitted for settlement, as a whole or in parts, voided, refunded.

use super::answer::{Answer, Handled};
use super::books::{Books, new_id};
use super::processor;
use super::refusal::{Fault, Refusal};
use super::sale::amount_fault;
use super::transaction::{Kind, Status, Transaction};
use super::xml::Node;
use crate::ledger;

const PATH: &[&str] = &["transaction"];

const CANNOT_BE_VOIDED: Fault = Fault::new(
    PATH,
    "base",
    "91504",
    "Transaction can only be voided if status is authorized, submitted_for_settlement, or - for PayPal - settlement_pending.",
);
const CANNOT_REFUND_CREDIT: Fault =
    Fault::new(PATH, "base", "91505", "Cannot refund a transaction with type credit.");
const CANNOT_REFUND_UNLESS_SETTLED: Fault =
    Fault::new(PATH, "base", "91506", "Cannot refund a transaction unless it is settled.");
const CANNOT_SUBMIT: Fault =
    Fault::new(PATH, "base", "91507", "Cannot submit for settlement unless status is authorized.");
const ALREADY_REFUNDED: Fault =
    Fault::new(PATH, "base", "91512", "Transaction has already been fully refunded.");
const REFUND_TOO_LARGE: Fault = Fault::new(PATH, "amount", "91521", "Refund amount is too large.");
const SETTLEMENT_TOO_LARGE: Fault = Fault::new(PATH, "amount", "91522", "Settlement amount is too large.");
const CANNOT_SETTLE_PARTS: Fault =
    Fault::new(PATH, "base", "915103", "Cannot submit for partial settlement.");

/// `PUT …/submit_for_settlement`: takes the whole amount, or less and gives up the rest.
pub(super) fn submit(books: &mut Books, id: &str, request: &Node) -> Handled {
    let transaction = books.transaction_mut(id).ok_or(Refusal::NotFound)?;
    if transaction.status != Status::Authorized {
        return Err(CANNOT_SUBMIT.into());
    }
    let amount = amount(transaction, request)?.unwrap_or(transaction.amount);
    if amount > transaction.amount {
        return Err(SETTLEMENT_TOO_LARGE.into());
    }
    if let Some(order_id) = request.get("order_id") {
        transaction.order_id = Some(order_id.to_owned());
    }
    transaction.amount = amount;
    transaction.become_status(Status::SubmittedForSettlement);
    let transaction = transaction.clone();
    books.effects.record(ledger::Kind::Charge, &transaction);
    Ok(Answer::shown(transaction.show()))
}

/// `POST …/submit_for_partial_settlement`: takes a part as a transaction of its own.
pub(super) fn submit_part(books: &mut Books, id: &str, request: &Node) -> Handled {
    let parent = books.transaction_mut(id).ok_or(Refusal::NotFound)?;
    let open = match parent.status {
        Status::Authorized => true,
        Status::SettlementPending => !parent.links.last_part_taken && !parent.links.parts.is_empty(),
        _ => false,
    };
    if !open || parent.links.authorized.is_some() {
        return Err(CANNOT_SETTLE_PARTS.into());
    }
    let required = Fault::new(PATH, "amount", "81502", "Amount is required.");
    let amount = amount(parent, request)?.ok_or(required)?;
    if parent.settled_in_parts + amount > parent.amount {
        return Err(SETTLEMENT_TOO_LARGE.into());
    }
    let mut part = Transaction::new(new_id(), Kind::Sale, parent.account, amount);
    part.order_id = request.get("order_id").map(str::to_owned).or_else(|| parent.order_id.clone());
    part.instrument.clone_from(&parent.instrument);
    part.token.clone_from(&parent.token);
    part.customer_id.clone_from(&parent.customer_id);
    part.processor_code = parent.processor_code;
    part.links.authorized = Some(parent.id.clone());
    part.become_status(Status::SubmittedForSettlement);
    parent.links.parts.push(part.id.clone());
    parent.links.last_part_taken = request.flag("final_capture");
    parent.settled_in_parts += amount;
    if parent.status == Status::Authorized {
        parent.become_status(Status::SettlementPending);
    }
    books.effects.record(ledger::Kind::Charge, &part);
    let shown = part.show();
    books.transactions.push(part);
    Ok(Answer::created(shown))
}

/// `PUT …/void`: gives up what has not been settled. The ledger then has a void with the id of the charge that it undoes.
pub(super) fn void(books: &mut Books, id: &str) -> Handled {
    let transaction = books.transaction_mut(id).ok_or(Refusal::NotFound)?;
    if !matches!(transaction.status, Status::Authorized | Status::SubmittedForSettlement) {
        return Err(CANNOT_BE_VOIDED.into());
    }
    transaction.become_status(Status::Voided);
    let transaction = transaction.clone();
    books.effects.record(ledger::Kind::Void, &transaction);
    Ok(Answer::shown(transaction.show()))
}

/// `POST …/refund`: gives back the rest, or a part, as a transaction of its own.
pub(super) fn refund(books: &mut Books, id: &str, request: &Node) -> Handled {
    let original = books.transaction(id).ok_or(Refusal::NotFound)?;
    if original.kind == Kind::Credit {
        return Err(CANNOT_REFUND_CREDIT.into());
    }
    if !matches!(original.status, Status::Settled | Status::Settling) {
        return Err(CANNOT_REFUND_UNLESS_SETTLED.into());
    }
    let left = original.amount - refunded(books, original);
    if left == 0 {
        return Err(ALREADY_REFUNDED.into());
    }
    let amount = amount(original, request)?.unwrap_or(left);
    if amount > left {
        return Err(REFUND_TOO_LARGE.into());
    }
    let mut credit = Transaction::new(new_id(), Kind::Credit, original.account, amount);
    credit.order_id = request.get("order_id").map(str::to_owned);
    credit.instrument.clone_from(&original.instrument);
    credit.token.clone_from(&original.token);
    credit.customer_id.clone_from(&original.customer_id);
    credit.links.refunded = Some(original.id.clone());
    finish_refund(books, id, credit)
}

/// A hard decline of the amount is one; a soft decline is tried again by Braintree and counts as accepted.
fn finish_refund(books: &mut Books, original: &str, mut credit: Transaction) -> Handled {
    let whole = credit.account.whole(credit.amount);
    let code = u32::try_from(whole).ok().filter(|code| (2000..3000).contains(code));
    credit.additional_response = code.map(|code| format!("{code} : {}", processor::text(code)));
    if let Some(code) = code.filter(|&code| processor::response_type(code) == "hard_declined") {
        credit.processor_code = Some(code);
        credit.become_status(Status::ProcessorDeclined);
        let shown = credit.show();
        books.transactions.push(credit);
        return Err(Refusal::declined(processor::text(code), shown));
    }
    credit.processor_code = Some(1002);
    credit.become_status(Status::SubmittedForSettlement);
    if let Some(original) = books.transaction_mut(original) {
        original.links.refunds.push(credit.id.clone());
    }
    books.effects.record(ledger::Kind::Refund, &credit);
    let shown = credit.show();
    books.transactions.push(credit);
    Ok(Answer::created(shown))
}

/// What has been given back of a sale, in minor units.
fn refunded(books: &Books, sale: &Transaction) -> i64 {
    let refunds = sale.links.refunds.iter().filter_map(|id| books.transaction(id));
    refunds.filter(|refund| refund.status != Status::Voided).map(|refund| refund.amount).sum()
}

fn amount(transaction: &Transaction, request: &Node) -> Result<Option<i64>, Refusal> {
    let Some(text) = request.get("amount") else { return Ok(None) };
    transaction.account.read(text).map(Some).map_err(|fault| amount_fault(fault).into())
}
