//! `/v1/customers`: payers.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::books::{Books, Call, deleted, new_id};
use super::error::Failure;
use super::form::Params;
use super::payment_method::{self, PaymentMethod};
use super::shelf::Object;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Customer {
    id: String,
    object: &'static str,
    address: Option<Value>,
    balance: i64,
    created: i64,
    currency: Option<String>,
    default_source: Option<String>,
    delinquent: bool,
    description: Option<String>,
    email: Option<String>,
    invoice_settings: InvoiceSettings,
    livemode: bool,
    metadata: BTreeMap<String, String>,
    name: Option<String>,
    phone: Option<String>,
    preferred_locales: Vec<String>,
    shipping: Option<Value>,
    tax_exempt: &'static str,
    test_clock: Option<String>,
    #[serde(skip)]
    is_deleted: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
struct InvoiceSettings {
    custom_fields: Option<Value>,
    default_payment_method: Option<String>,
    footer: Option<String>,
    rendering_options: Option<Value>,
}

impl Object for Customer {
    const NAME: &'static str = "customer";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn show(&self) -> Value {
        if self.is_deleted {
            return deleted(&self.id, self.object);
        }
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Customer {
    /// What invoices are charged to when a subscription has nothing of its own.
    pub(super) fn default_payment_method(&self) -> Option<&str> {
        self.invoice_settings.default_payment_method.as_deref()
    }
}

/// The customer that a parameter names, if there is one to be charged.
pub(super) fn in_param(books: &Books, id: &str) -> Result<Customer, Failure> {
    let customer = books.customers.in_param(id, "customer")?;
    if customer.is_deleted {
        return Err(Failure::no_such("customer", id, "customer"));
    }
    Ok(customer.clone())
}

pub(super) fn create(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut customer = Customer {
        id: new_id("cus"),
        object: "customer",
        address: None,
        balance: 0,
        created: call.origin.seconds(),
        currency: None,
        default_source: None,
        delinquent: false,
        description: None,
        email: None,
        invoice_settings: InvoiceSettings::default(),
        livemode: false,
        metadata: BTreeMap::new(),
        name: None,
        phone: None,
        preferred_locales: Vec::new(),
        shipping: None,
        tax_exempt: "none",
        test_clock: None,
        is_deleted: false,
    };
    let nonce = call.params.text("payment_method")?;
    change(&mut customer, &mut call.params)?;
    let default = take_default(&mut call.params)?.flatten();
    call.finish()?;
    if let Some(nonce) = &nonce {
        payment_method::attach_to(books, &call.origin, nonce, &customer.id, "payment_method")?;
    }
    customer.invoice_settings.default_payment_method = default;
    let shown = books.customers.add(customer);
    books.happened(&call.origin, "customer.created", shown.clone());
    Ok(shown)
}

/// Takes what can be changed and needs no look at anything else.
fn change(customer: &mut Customer, params: &mut Params) -> Result<(), Failure> {
    for (name, field) in [
        ("description", &mut customer.description),
        ("email", &mut customer.email),
        ("name", &mut customer.name),
        ("phone", &mut customer.phone),
    ] {
        if let Some(value) = params.unsettable(name)? {
            *field = value;
        }
    }
    if customer.email.as_ref().is_some_and(|email| !email.contains('@')) {
        let email = customer.email.take().unwrap_or_default();
        return Err(
            Failure::invalid(format!("Invalid email address: {email}"), "email").code("email_invalid")
        );
    }
    params.metadata(&mut customer.metadata)
}

/// `invoice_settings[default_payment_method]`.
fn take_default(params: &mut Params) -> Result<Option<Option<String>>, Failure> {
    let Some(mut settings) = params.table("invoice_settings")? else { return Ok(None) };
    let default = settings.unsettable("default_payment_method")?;
    settings.finish()?;
    Ok(default)
}

pub(super) fn update(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut customer = existing(books, &call.id)?.clone();
    change(&mut customer, &mut call.params)?;
    if let Some(default) = take_default(&mut call.params)? {
        if let Some(id) = &default {
            let param = "invoice_settings[default_payment_method]";
            payment_method::of_customer(books, id, &customer.id, param)?;
        }
        customer.invoice_settings.default_payment_method = default;
    }
    call.finish()?;
    let shown = customer.show();
    *books.customers.in_path_mut(&call.id)? = customer;
    books.happened(&call.origin, "customer.updated", shown.clone());
    Ok(shown)
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    books.customers.in_path(&call.id).map(Object::show)
}

pub(super) fn delete(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    let shown = existing(books, &call.id)?.show();
    books.customers.in_path_mut(&call.id)?.is_deleted = true;
    // The provider ends the subscriptions and forgets the cards with their owner.
    super::subscription::cancel_all_of(books, &call.origin, &call.id);
    payment_method::detach_all_of(books, &call.id);
    books.happened(&call.origin, "customer.deleted", shown);
    Ok(deleted(&call.id, "customer"))
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let email = call.params.text("email")?;
    let wanted = |customer: &Customer| {
        !customer.is_deleted && email.as_ref().is_none_or(|email| customer.email.as_ref() == Some(email))
    };
    let page = books.customers.list("/v1/customers", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}

/// `GET /v1/customers/{id}/payment_methods`.
pub(super) fn payment_methods(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    existing(books, &call.id)?;
    let kind = call.params.text("type")?;
    let url = format!("/v1/customers/{}/payment_methods", call.id);
    let wanted = |method: &PaymentMethod| method.is_of(Some(&call.id), kind.as_deref());
    let page = books.payment_methods.list(&url, &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}

fn existing<'books>(books: &'books Books, id: &str) -> Result<&'books Customer, Failure> {
    let customer = books.customers.in_path(id)?;
    if customer.is_deleted { Err(Failure::no_such("customer", id, "id").in_path()) } else { Ok(customer) }
}

/// How the owner of a payment method is shown in it.
pub(super) fn empty_billing_details() -> Value {
    let nothing = Value::Null;
    let address = json!({
        "city": nothing, "country": nothing, "line1": nothing, "line2": nothing, "postal_code": nothing,
        "state": nothing
    });
    json!({"address": address, "email": nothing, "name": nothing, "phone": nothing, "tax_id": nothing})
}
