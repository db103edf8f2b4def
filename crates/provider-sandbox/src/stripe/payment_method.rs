//! `/v1/payment_methods`: cards and bank accounts, by test number or by test token.

use std::collections::BTreeMap;

use chrono::{Datelike, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::books::{Books, Call, Origin, new_id};
use super::cards::{self, BANK_ACCOUNT, Behaviour, Card};
use super::customer::{self, empty_billing_details};
use super::error::Failure;
use super::form::Params;
use super::shelf::Object;

#[derive(Clone, Debug, Serialize)]
pub(super) struct PaymentMethod {
    id: String,
    object: &'static str,
    allow_redisplay: &'static str,
    billing_details: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    us_bank_account: Option<Value>,
    created: i64,
    pub(super) customer: Option<String>,
    livemode: bool,
    metadata: BTreeMap<String, String>,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip)]
    pub(super) behaviour: Behaviour,
    /// It was charged without an owner, or taken from its owner: it cannot be used again.
    #[serde(skip)]
    pub(super) is_used_up: bool,
}

impl Object for PaymentMethod {
    const NAME: &'static str = "PaymentMethod";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl PaymentMethod {
    fn new(origin: &Origin, kind: &'static str, behaviour: Behaviour) -> Self {
        Self {
            id: new_id("pm"),
            object: "payment_method",
            allow_redisplay: "unspecified",
            billing_details: empty_billing_details(),
            card: None,
            us_bank_account: None,
            created: origin.seconds(),
            customer: None,
            livemode: false,
            metadata: BTreeMap::new(),
            kind,
            behaviour,
            is_used_up: false,
        }
    }

    fn of_card(origin: &Origin, card: &Card, expiry: (i64, i64)) -> Self {
        let (exp_month, exp_year) = expiry;
        let mut method = Self::new(origin, "card", card.behaviour);
        method.card = Some(json!({
            "brand": card.brand, "checks": {
                "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "unchecked"
            },
            "country": "US", "display_brand": card.brand, "exp_month": exp_month, "exp_year": exp_year,
            "fingerprint": format!("sandbox{}", card.last4()), "funding": "credit", "generated_from": null,
            "last4": card.last4(), "networks": {"available": [card.brand], "preferred": null},
            "regulated_status": "unregulated", "three_d_secure_usage": {"supported": true}, "wallet": null
        }));
        method
    }

    fn of_bank(origin: &Origin) -> Self {
        let mut method = Self::new(origin, "us_bank_account", Behaviour::Debits);
        method.us_bank_account = Some(json!({
            "account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
            "fingerprint": "sandboxbank", "last4": "6789", "routing_number": "110000000"
        }));
        method
    }

    /// How a charge describes it.
    pub(super) fn details(&self) -> Value {
        let inner = self.card.as_ref().or(self.us_bank_account.as_ref());
        json!({"type": self.kind, self.kind: inner})
    }

    /// Whether it belongs to this customer, where one is asked for, and is of this type.
    pub(super) fn is_of(&self, customer: Option<&str>, kind: Option<&str>) -> bool {
        customer.is_none_or(|customer| self.customer.as_deref() == Some(customer))
            && kind.is_none_or(|kind| self.kind == kind)
    }
}

/// Finds a payment method, or makes one of a test token.
pub(super) fn resolve(
    books: &mut Books,
    origin: &Origin,
    id: &str,
    param: &str,
) -> Result<PaymentMethod, Failure> {
    let made = if let Some(card) = cards::by_token(id) {
        let next_year = i64::from(Utc::now().year()) + 1;
        PaymentMethod::of_card(origin, card, (12, next_year))
    } else if id == BANK_ACCOUNT {
        PaymentMethod::of_bank(origin)
    } else {
        return books.payment_methods.in_param(id, param).cloned();
    };
    books.payment_methods.add(made.clone());
    Ok(made)
}

/// The payment method of a customer that a parameter names.
pub(super) fn of_customer(
    books: &Books,
    id: &str,
    customer: &str,
    param: &str,
) -> Result<PaymentMethod, Failure> {
    let method = books.payment_methods.in_param(id, param)?;
    if method.customer.as_deref() == Some(customer) {
        return Ok(method.clone());
    }
    let message = format!(
        "The customer does not have a payment method with the ID {id}. The payment method must be attached to the \
         customer."
    );
    Err(Failure::invalid(message, param).code("resource_missing"))
}

/// Reads `payment_method_data`, or the body of `POST /v1/payment_methods`, without keeping it yet.
pub(super) fn read(origin: &Origin, params: &mut Params) -> Result<PaymentMethod, Failure> {
    let kind = params.required("type")?;
    let mut method = match kind.as_str() {
        "card" => read_card(origin, params)?,
        "us_bank_account" => {
            let account = params.table("us_bank_account")?;
            let mut account = account.ok_or_else(|| Failure::missing("us_bank_account"))?;
            for name in ["account_holder_type", "account_number", "account_type", "routing_number"] {
                drop(account.text(name)?);
            }
            account.finish()?;
            PaymentMethod::of_bank(origin)
        }
        _ => return Err(Failure::invalid(format!("Invalid type: {kind}"), "type")),
    };
    if let Some(mut details) = params.table("billing_details")? {
        for name in ["email", "name", "phone"] {
            if let Some(value) = details.unsettable(name)? {
                method.billing_details[name] = json!(value);
            }
        }
        drop(details.table("address")?);
        details.finish()?;
    }
    params.metadata(&mut method.metadata)?;
    Ok(method)
}

fn read_card(origin: &Origin, params: &mut Params) -> Result<PaymentMethod, Failure> {
    let mut fields = params.table("card")?.ok_or_else(|| Failure::missing("card"))?;
    if let Some(token) = fields.text("token")? {
        fields.finish()?;
        // Stripe's older tokens: tok_visa stands for the card of pm_card_visa.
        let token = token.strip_prefix("tok_").map(|name| format!("pm_card_{name}")).unwrap_or_default();
        let card = cards::by_token(&token).ok_or_else(|| Failure::no_such("token", &token, "card[token]"))?;
        return Ok(PaymentMethod::of_card(origin, card, (12, i64::from(origin.now.year()) + 1)));
    }
    let number = fields.required("number")?.replace(' ', "");
    let month = fields.integer("exp_month")?.ok_or_else(|| Failure::missing("card[exp_month]"))?;
    let year = fields.integer("exp_year")?.ok_or_else(|| Failure::missing("card[exp_year]"))?;
    drop(fields.text("cvc")?);
    fields.finish()?;
    let card = cards::by_number(&number).ok_or_else(|| no_test_card(&number))?;
    if !(1..=12).contains(&month) {
        let message = "Your card's expiration month is invalid.";
        return Err(Failure::card("invalid_expiry_month", message).about("exp_month"));
    }
    let year = if year < 100 { year + 2000 } else { year };
    let now = (i64::from(origin.now.year()), i64::from(origin.now.month()));
    if (year, month) < now {
        let message = "Your card's expiration year is invalid.";
        return Err(Failure::card("invalid_expiry_year", message).about("exp_year"));
    }
    Ok(PaymentMethod::of_card(origin, card, (month, year)))
}

/// Nothing of the number is repeated: it may be a real one.
fn no_test_card(number: &str) -> Failure {
    let digits = number.len() >= 12 && number.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        let message = "Your card was declined. Your request was in test mode, but used a non test (live) card. For \
                       a list of valid test cards, visit: https://stripe.com/docs/testing.";
        Failure::card("card_declined", message).decline("test_mode_live_card", None)
    } else {
        Failure::card("incorrect_number", "Your card number is incorrect.").about("number")
    }
}

pub(super) fn create(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let method = read(&call.origin, &mut call.params)?;
    call.finish()?;
    Ok(books.payment_methods.add(method))
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    let origin = call.origin.clone();
    if cards::by_token(&call.id).is_some() {
        return resolve(books, &origin, &call.id, "id").map(|method| method.show());
    }
    books.payment_methods.in_path(&call.id).map(Object::show)
}

pub(super) fn update(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut method = books.payment_methods.in_path(&call.id)?.clone();
    call.params.metadata(&mut method.metadata)?;
    call.finish()?;
    let shown = method.show();
    *books.payment_methods.in_path_mut(&call.id)? = method;
    Ok(shown)
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let customer = call.params.text("customer")?;
    let kind = call.params.text("type")?;
    let wanted = |method: &PaymentMethod| {
        method.customer.is_some() && method.is_of(customer.as_deref(), kind.as_deref())
    };
    let page = books.payment_methods.list("/v1/payment_methods", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}

pub(super) fn attach(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let customer = call.params.required("customer")?;
    call.finish()?;
    let is_token = cards::by_token(&call.id).is_some() || call.id == BANK_ACCOUNT;
    if !is_token {
        books.payment_methods.in_path(&call.id)?;
    }
    customer::in_param(books, &customer)?;
    let id = call.id.clone();
    attach_to(books, &call.origin, &id, &customer, "payment_method")
}

/// Gives a payment method an owner; the issuer is asked whether the card is good.
pub(super) fn attach_to(
    books: &mut Books,
    origin: &Origin,
    id: &str,
    customer: &str,
    param: &str,
) -> Result<Value, Failure> {
    let mut method = resolve(books, origin, id, param)?;
    check_reuse(&method)?;
    if let Some(owner) = &method.customer {
        if owner == customer {
            return Ok(method.show());
        }
        let message = "The payment method you provided has already been attached to a customer.";
        return Err(Failure::state("payment_method_unexpected_state", message));
    }
    if let Behaviour::Declines(decline) = method.behaviour {
        return Err(
            Failure::card(decline.code, decline.message).decline(decline.decline_code, decline.advice)
        );
    }
    method.customer = Some(customer.to_owned());
    let shown = method.show();
    if let Some(kept) = books.payment_methods.find_mut(&method.id) {
        *kept = method;
    }
    books.happened(origin, "payment_method.attached", shown.clone());
    Ok(shown)
}

pub(super) fn detach(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    let method = books.payment_methods.in_path_mut(&call.id)?;
    if method.customer.is_none() {
        let message =
            "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(Failure::invalid(message, "payment_method").begun());
    }
    method.customer = None;
    method.is_used_up = true;
    let shown = method.show();
    books.happened(&call.origin, "payment_method.detached", shown.clone());
    Ok(shown)
}

/// The owner is gone.
pub(super) fn detach_all_of(books: &mut Books, customer: &str) {
    let ids: Vec<String> = books.payment_methods.iter().map(|method| method.id.clone()).collect();
    for id in ids {
        if let Some(method) = books.payment_methods.find_mut(&id)
            && method.customer.as_deref() == Some(customer)
        {
            method.customer = None;
            method.is_used_up = true;
        }
    }
}

/// A payment method without an owner is good once.
pub(super) fn check_reuse(method: &PaymentMethod) -> Result<(), Failure> {
    if !method.is_used_up {
        return Ok(());
    }
    let message = "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, \
                   shared with a connected account without Customer attachment, or was detached from a Customer. It \
                   may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer \
                   first.";
    Err(Failure::invalid(message, "payment_method").code("payment_method_unexpected_state"))
}
