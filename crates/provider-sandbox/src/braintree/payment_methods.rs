//! `/payment_methods`: what a customer pays with, kept in the vault.

use chrono::{DateTime, Utc};

use super::amount::MERCHANT_ACCOUNTS;
use super::answer::{Answer, Handled};
use super::books::{Books, NonceFault, new_id};
use super::instrument::{Behaviour, Instrument, Nonce, ThreeDSecure};
use super::processor::Verdict;
use super::refusal::{Fault, Refusal};
use super::xml::{Element, Node};
use super::{processor, sale, subscriptions};

const PATH: &[&str] = &["payment_method"];
const CARD_PATH: &[&str] = &["credit_card"];

/// The longest token, in characters.
const LONGEST_TOKEN: usize = 36;

/// A means of payment in the vault.
#[derive(Clone, Debug)]
pub(super) struct PaymentMethod {
    pub(super) token: String,
    pub(super) customer_id: String,
    pub(super) instrument: Instrument,
    pub(super) behaviour: Behaviour,
    verification: Option<Verification>,
    is_default: bool,
    created: DateTime<Utc>,
    updated: DateTime<Utc>,
}

/// What came of asking the bank about a card.
#[derive(Clone, Debug)]
struct Verification {
    id: String,
    verdict: Verdict,
    card: Vec<Element>,
    three_d_secure: Option<ThreeDSecure>,
    created: DateTime<Utc>,
}

/// `POST /payment_methods`.
pub(super) fn create(books: &mut Books, request: &Node) -> Handled {
    let (customer_id, token) = check(books, request)?;
    let nonce = request.get("payment_method_nonce").unwrap_or_default();
    let taken = books.take_nonce(nonce).map_err(|fault| nonce_fault(&fault))?;
    let options = request.child("options");
    let flag = |name: &str| options.is_some_and(|options| options.flag(name));
    let verification = if flag("verify_card") { verify(&taken, books.control_panel.cvv_rules) } else { None };
    if let Some(verification) = &verification
        && let Some(message) = sale::message(verification.verdict)
    {
        return Err(Refusal::declined(&message, verification.show("verification")));
    }
    let has_other = books.payment_methods.values().any(|method| method.customer_id == customer_id);
    let is_default = !has_other || flag("make_default");
    if is_default {
        for method in books.payment_methods.values_mut() {
            method.is_default = method.is_default && method.customer_id != customer_id;
        }
    }
    let now = Utc::now();
    let method = PaymentMethod {
        token: token.clone(),
        customer_id,
        instrument: taken.instrument,
        behaviour: taken.behaviour,
        verification,
        is_default,
        created: now,
        updated: now,
    };
    let shown = method.show(books);
    books.payment_methods.insert(token, method);
    Ok(Answer::created(shown))
}

fn check(books: &Books, request: &Node) -> Result<(String, String), Refusal> {
    let mut faults = Vec::new();
    let customer_id = request.get("customer_id").unwrap_or_default();
    if customer_id.is_empty() {
        faults.push(Fault::new(PATH, "customer_id", "93104", "Customer ID is required."));
    } else if !books.customers.contains_key(customer_id) {
        faults.push(Fault::new(PATH, "customer_id", "93105", "Customer ID is invalid."));
    }
    if request.get("payment_method_nonce").is_none() {
        faults.push(Fault::new(PATH, "payment_method_nonce", "93103", "Nonce is required."));
    }
    let token = request.get("token").map_or_else(new_id, str::to_owned);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if token.chars().count() > LONGEST_TOKEN {
        faults.push(Fault::new(CARD_PATH, "token", "91720", "Token is too long (maximum is 36 characters)."));
    } else if !token.bytes().all(is_allowed) {
        let message = "Token is invalid (use only letters, numbers, '-', and '_').";
        faults.push(Fault::new(CARD_PATH, "token", "91718", message));
    } else if books.payment_methods.contains_key(&token) {
        faults.push(Fault::new(CARD_PATH, "token", "91719", "Token has already been taken."));
    }
    if faults.is_empty() { Ok((customer_id.to_owned(), token)) } else { Err(faults.into()) }
}

fn nonce_fault(fault: &NonceFault) -> Fault {
    match fault {
        NonceFault::Consumed => {
            let message = "Cannot use a payment_method_nonce more than once.";
            Fault::new(PATH, "payment_method_nonce", "93107", message)
        }
        NonceFault::Unknown => {
            Fault::new(PATH, "payment_method_nonce", "93108", "Unknown or expired payment_method_nonce.")
        }
        NonceFault::InvalidNumber => {
            Fault::new(CARD_PATH, "number", "81715", "Credit card number is invalid.")
        }
    }
}

/// Asks the bank; nothing but a card is asked about.
fn verify(nonce: &Nonce, cvv_rules: bool) -> Option<Verification> {
    let Instrument::Card(card) = &nonce.instrument else { return None };
    let verdict = match nonce.behaviour {
        _ if cvv_rules && sale::has_wrong_cvv(Some(&nonce.instrument)) => Verdict::Rejected("cvv"),
        Behaviour::Declined => Verdict::Declined(2000),
        Behaviour::Failed => Verdict::Failed,
        Behaviour::Rejected(reason) => Verdict::Rejected(reason),
        Behaviour::Ordinary => Verdict::Approved,
    };
    Some(Verification {
        id: new_id(),
        verdict,
        card: card.show(None),
        three_d_secure: nonce.three_d_secure,
        created: Utc::now(),
    })
}

impl Verification {
    fn show(&self, name: &str) -> Element {
        let (status, code, rejection) = match self.verdict {
            Verdict::Approved => ("verified", Some(1000), None),
            Verdict::Declined(code) => ("processor_declined", Some(code), None),
            Verdict::Failed => ("failed", Some(3000), None),
            Verdict::Rejected(reason) => ("gateway_rejected", None, Some(reason)),
        };
        let cvv = if rejection == Some("cvv") { "N" } else { "I" };
        let merchant_account = &MERCHANT_ACCOUNTS[0];
        Element::node(
            name,
            vec![
                Element::text("status", status),
                Element::text("cvv-response-code", cvv),
                Element::nil("avs-error-response-code"),
                Element::text("avs-postal-code-response-code", "I"),
                Element::text("avs-street-address-response-code", "I"),
                Element::optional("gateway-rejection-reason", rejection),
                Element::text("merchant-account-id", merchant_account.id),
                Element::text("currency-iso-code", merchant_account.currency),
                Element::text("amount", merchant_account.show(0)),
                Element::optional("processor-response-code", code.map(|code| code.to_string())),
                Element::optional("processor-response-text", code.map(processor::text)),
                Element::optional("processor-response-type", code.map(processor::response_type)),
                Element::text("id", self.id.as_str()),
                Element::datetime("created-at", self.created),
                Element::datetime("updated-at", self.created),
                self.three_d_secure.map_or_else(|| Element::nil("three-d-secure-info"), ThreeDSecure::show),
                Element::node("credit-card", self.card.clone()),
            ],
        )
    }
}

impl PaymentMethod {
    /// Whether it is a card.
    pub(super) fn is_card(&self) -> bool {
        matches!(self.instrument, Instrument::Card(_))
    }

    /// A `credit-card` or a `paypal-account`.
    pub(super) fn show(&self, books: &Books) -> Element {
        let token = Some(self.token.as_str());
        let (name, mut fields) = match &self.instrument {
            Instrument::Card(card) => ("credit-card", card.show(token)),
            Instrument::Paypal { email } => (
                "paypal-account",
                vec![Element::optional("token", token), Element::text("email", email.as_str())],
            ),
        };
        let subscriptions = books
            .subscriptions
            .values()
            .filter(|subscription| subscription.payment_method == self.token)
            .map(|subscription| subscription.show(books));
        fields.extend([
            Element::text("customer-id", self.customer_id.as_str()),
            Element::boolean("default", self.is_default),
            Element::boolean("expired", false),
            Element::datetime("created-at", self.created),
            Element::datetime("updated-at", self.updated),
            Element::array("subscriptions", subscriptions.collect()),
            Element::text("unique-number-identifier", format!("u{}", self.token)),
            Element::text("global-id", format!("cGF5bWVudG1ldGhvZF9{}", self.token)),
        ]);
        if self.is_card() {
            let verification = self.verification.iter().map(|done| done.show("verification"));
            fields.push(Element::array("verifications", verification.collect()));
        }
        Element::node(name, fields)
    }
}

/// `GET /payment_methods/any/{token}`.
pub(super) fn find(books: &Books, token: &str) -> Handled {
    let method = books.payment_methods.get(token).ok_or(Refusal::NotFound)?;
    Ok(Answer::shown(method.show(books)))
}

/// `DELETE /payment_methods/any/{token}`: its subscriptions end with it.
pub(super) fn delete(books: &mut Books, token: &str) -> Handled {
    if forget(books, token) { Ok(Answer::done()) } else { Err(Refusal::NotFound) }
}

/// Whether there was one.
pub(super) fn forget(books: &mut Books, token: &str) -> bool {
    let was_there = books.payment_methods.remove(token).is_some();
    if was_there {
        subscriptions::cancel_all_of(books, token);
    }
    was_there
}
