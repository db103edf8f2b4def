//! `POST /transactions`: a sale, from the check of its fields to what the processor says.

use chrono::Utc;

use super::amount::{self, AmountFault, MerchantAccount};
use super::answer::{Answer, Handled};
use super::books::{Books, NonceFault, new_id};
use super::instrument::{Behaviour, Card, Instrument, Nonce};
use super::processor::{self, Verdict};
use super::refusal::{Fault, Refusal};
use super::transaction::{Kind, Status, Transaction};
use super::xml::Node;
use crate::ledger;

const PATH: &[&str] = &["transaction"];
const CARD_PATH: &[&str] = &["transaction", "credit_card"];

/// The longest order id, in characters.
const LONGEST_ORDER_ID: usize = 255;

/// What is charged, and where it is kept.
struct Charged {
    instrument: Instrument,
    behaviour: Behaviour,
    three_d_secure: Option<super::instrument::ThreeDSecure>,
    token: Option<String>,
    customer_id: Option<String>,
}

/// Makes a sale.
pub(super) fn create(books: &mut Books, request: &Node) -> Handled {
    let account = check_fields(request)?;
    let amount = account.read(request.get("amount").unwrap_or_default()).map_err(amount_fault)?;
    let charged = charged(books, request)?;
    let mut sale = Transaction::new(new_id(), Kind::Sale, account, amount);
    sale.order_id = request.get("order_id").map(str::to_owned);
    sale.instrument = Some(charged.instrument);
    sale.token = charged.token;
    sale.customer_id = charged.customer_id;
    sale.three_d_secure = charged.three_d_secure;
    let options = request.child("options");
    let verdict = judge(books, &sale, charged.behaviour, requires_three_d_secure(options));
    apply(&mut sale, verdict);
    let submit = options.is_some_and(|options| options.flag("submit_for_settlement"));
    if submit && verdict == Verdict::Approved {
        sale.become_status(Status::SubmittedForSettlement);
        books.effects.record(ledger::Kind::Charge, &sale);
    }
    let shown = sale.show();
    books.transactions.push(sale);
    match message(verdict) {
        None => Ok(Answer::created(shown)),
        Some(message) => Err(Refusal::declined(&message, shown)),
    }
}

fn requires_three_d_secure(options: Option<&Node>) -> bool {
    let wanted = options.and_then(|options| options.child("three_d_secure"));
    wanted.is_some_and(|wanted| wanted.flag("required"))
}

fn check_fields(request: &Node) -> Result<&'static MerchantAccount, Refusal> {
    let mut faults = Vec::new();
    match request.get("type") {
        Some("sale") => {}
        Some("credit") => {
            let message = "Credits are not supported by this processor.";
            faults.push(Fault::new(PATH, "base", "91546", message));
        }
        Some(_) => faults.push(Fault::new(PATH, "type", "91523", "Type is invalid.")),
        None => faults.push(Fault::new(PATH, "type", "91524", "Type is required.")),
    }
    if request.get("order_id").is_some_and(|id| id.chars().count() > LONGEST_ORDER_ID) {
        faults.push(Fault::new(PATH, "order_id", "91501", "Order ID is too long."));
    }
    let account = amount::merchant_account(request.get("merchant_account_id"));
    match (request.get("amount"), account) {
        (None, _) => faults.push(Fault::new(PATH, "amount", "81502", "Amount is required.")),
        (Some(text), Some(account)) => {
            faults.extend(account.read(text).err().map(amount_fault));
        }
        (Some(_), None) => {}
    }
    match account {
        Some(account) if faults.is_empty() => Ok(account),
        Some(_) => Err(faults.into()),
        None => {
            faults.push(Fault::new(PATH, "merchant_account_id", "91513", "Merchant account ID is invalid."));
            Err(faults.into())
        }
    }
}

/// What Braintree calls an amount that it does not take.
pub(super) fn amount_fault(fault: AmountFault) -> Fault {
    let (code, message) = match fault {
        AmountFault::Format => ("81503", "Amount is an invalid format."),
        AmountFault::Negative => ("81501", "Amount cannot be negative."),
        AmountFault::Zero => ("81531", "Amount must be greater than zero."),
        AmountFault::TooLarge => ("81528", "Amount is too large."),
    };
    Fault::new(PATH, "amount", code, message)
}

fn charged(books: &mut Books, request: &Node) -> Result<Charged, Refusal> {
    let (nonce, token) = (request.get("payment_method_nonce"), request.get("payment_method_token"));
    match (nonce, token, request.child("credit_card")) {
        (Some(_), Some(_), _) => {
            let message = "Cannot provide both payment_method_token and payment_method_nonce.";
            Err(Fault::new(PATH, "base", "91515", message).into())
        }
        (Some(nonce), None, _) => charged_nonce(books, nonce),
        (None, Some(token), _) => charged_token(books, token),
        (None, None, Some(card)) => charged_card(card),
        (None, None, None) => match request.get("customer_id") {
            Some(customer) => charged_customer(books, customer),
            None => Err(Fault::new(PATH, "base", "91508", "Cannot determine payment method.").into()),
        },
    }
}

fn charged_nonce(books: &mut Books, nonce: &str) -> Result<Charged, Refusal> {
    match books.take_nonce(nonce) {
        Ok(known) => Ok(of_nonce(known)),
        Err(fault) => Err(nonce_fault(&fault).into()),
    }
}

fn of_nonce(nonce: Nonce) -> Charged {
    let Nonce { instrument, behaviour, three_d_secure } = nonce;
    Charged { instrument, behaviour, three_d_secure, token: None, customer_id: None }
}

fn nonce_fault(fault: &NonceFault) -> Fault {
    match fault {
        NonceFault::Consumed => Fault::new(
            PATH,
            "payment_method_nonce",
            "91564",
            "Cannot use a payment_method_nonce more than once.",
        ),
        NonceFault::Unknown => {
            Fault::new(PATH, "payment_method_nonce", "91565", "Unknown or expired payment_method_nonce.")
        }
        NonceFault::InvalidNumber => {
            Fault::new(CARD_PATH, "number", "81715", "Credit card number is invalid.")
        }
    }
}

fn charged_token(books: &Books, token: &str) -> Result<Charged, Refusal> {
    let method = books.payment_methods.get(token).ok_or(Refusal::from(Fault::new(
        PATH,
        "payment_method_token",
        "91518",
        "Payment method token is invalid.",
    )))?;
    Ok(Charged {
        instrument: method.instrument.clone(),
        behaviour: method.behaviour,
        three_d_secure: None,
        token: Some(method.token.clone()),
        customer_id: Some(method.customer_id.clone()),
    })
}

/// A card in the request itself.
fn charged_card(written: &Node) -> Result<Charged, Refusal> {
    let card = read_card(written).ok_or_else(|| {
        Refusal::from(Fault::new(CARD_PATH, "expiration_date", "81709", "Expiration date is required."))
    })?;
    if !card.number_is_valid() {
        return Err(nonce_fault(&NonceFault::InvalidNumber).into());
    }
    Ok(of_nonce(Nonce::of_card(card)))
}

/// A card as a request writes it; None without a date on which it ends.
pub(super) fn read_card(written: &Node) -> Option<Card> {
    let (month, year) = match written.get("expiration_date") {
        Some(date) => date.split_once('/')?,
        None => (written.get("expiration_month")?, written.get("expiration_year")?),
    };
    Some(Card {
        number: written.get("number").unwrap_or_default().to_owned(),
        cvv: written.get("cvv").map(str::to_owned),
        month: month.to_owned(),
        year: year.to_owned(),
        holder: written.get("cardholder_name").map(str::to_owned),
    })
}

fn charged_customer(books: &Books, customer: &str) -> Result<Charged, Refusal> {
    if !books.customers.contains_key(customer) {
        return Err(Fault::new(PATH, "customer_id", "91510", "Customer ID is invalid.").into());
    }
    let method = books.payment_methods.values().find(|method| method.customer_id == customer);
    match method {
        Some(method) => charged_token(books, &method.token),
        None => {
            let message = "Customer does not have a credit card.";
            Err(Fault::new(PATH, "base", "91511", message).into())
        }
    }
}

/// The gateway's own rules come before the processor.
fn judge(books: &Books, sale: &Transaction, behaviour: Behaviour, three_d_secure: bool) -> Verdict {
    let shifted = sale.three_d_secure.is_some_and(|info| info.liability_shifted);
    if books.is_duplicate(sale, Utc::now()) {
        return Verdict::Rejected("duplicate");
    }
    if three_d_secure && !shifted {
        return Verdict::Rejected("three_d_secure");
    }
    if books.control_panel.cvv_rules && has_wrong_cvv(sale.instrument.as_ref()) {
        return Verdict::Rejected("cvv");
    }
    match behaviour {
        Behaviour::Ordinary => processor::verdict(sale.account.whole(sale.amount)),
        Behaviour::Declined => Verdict::Declined(2000),
        Behaviour::Failed => Verdict::Failed,
        Behaviour::Rejected(reason) => Verdict::Rejected(reason),
    }
}

/// 200 does not match, by Braintree's table of test values.
pub(super) fn has_wrong_cvv(instrument: Option<&Instrument>) -> bool {
    matches!(instrument, Some(Instrument::Card(card)) if card.cvv.as_deref() == Some("200"))
}

/// Writes a verdict into a transaction.
pub(super) fn apply(transaction: &mut Transaction, verdict: Verdict) {
    let (status, code, rejection) = match verdict {
        Verdict::Approved => (Status::Authorized, Some(1000), None),
        Verdict::Declined(code) => (Status::ProcessorDeclined, Some(code), None),
        Verdict::Failed => (Status::Failed, Some(3000), None),
        Verdict::Rejected(reason) => (Status::GatewayRejected, None, Some(reason)),
    };
    transaction.processor_code = code;
    transaction.rejection = rejection;
    transaction.become_status(status);
}

/// The message of a decline; none for a success.
pub(super) fn message(verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Approved => None,
        Verdict::Declined(code) => Some(processor::text(code).to_owned()),
        Verdict::Failed => Some(processor::text(3000).to_owned()),
        Verdict::Rejected(reason) => Some(format!("Gateway Rejected: {reason}")),
    }
}
