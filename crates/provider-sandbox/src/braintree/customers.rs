//! `/customers`: who payment methods belong to.

use chrono::{DateTime, Utc};

use super::answer::{Answer, Handled};
use super::books::{Books, new_id};
use super::refusal::{Fault, Refusal};
use super::xml::{Element, Node};

const PATH: &[&str] = &["customer"];

/// The longest id, in characters.
const LONGEST_ID: usize = 36;

/// The longest first name, e-mail address and so on, in characters.
const LONGEST_TEXT: usize = 255;

/// A customer.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    id: String,
    first_name: Option<String>,
    last_name: Option<String>,
    company: Option<String>,
    email: Option<String>,
    created: DateTime<Utc>,
    updated: DateTime<Utc>,
}

/// `POST /customers`.
pub(super) fn create(books: &mut Books, request: &Node) -> Handled {
    let id = request.get("id").map_or_else(new_id, str::to_owned);
    let faults = faults(books, request, &id);
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let text = |name: &str| request.get(name).map(str::to_owned);
    let now = Utc::now();
    let customer = Customer {
        id: id.clone(),
        first_name: text("first_name"),
        last_name: text("last_name"),
        company: text("company"),
        email: text("email"),
        created: now,
        updated: now,
    };
    books.customers.insert(id.clone(), customer);
    read(books, &id).map(|element| Answer::created(element_of(element)))
}

fn faults(books: &Books, request: &Node, id: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if id.chars().count() > LONGEST_ID {
        faults.push(Fault::new(PATH, "id", "91612", "Customer ID is too long (maximum is 36 characters)."));
    } else if matches!(id, "all" | "new") {
        faults.push(Fault::new(PATH, "id", "91611", "Customer ID is not allowed."));
    } else if !id.bytes().all(is_allowed) {
        let message = "Customer ID is invalid (use only letters, numbers, '-', and '_').";
        faults.push(Fault::new(PATH, "id", "91610", message));
    } else if books.customers.contains_key(id) {
        faults.push(Fault::new(PATH, "id", "91609", "Customer ID has already been taken."));
    }
    let too_long = |name: &str| request.get(name).is_some_and(|text| text.chars().count() > LONGEST_TEXT);
    if too_long("first_name") {
        faults.push(Fault::new(PATH, "first_name", "81608", "First name is too long."));
    }
    if too_long("email") {
        faults.push(Fault::new(PATH, "email", "81605", "Email is too long."));
    } else if request.get("email").is_some_and(|email| !email.contains('@')) {
        faults.push(Fault::new(PATH, "email", "81604", "Email is an invalid format."));
    }
    faults
}

/// `GET /customers/{id}`.
pub(super) fn find(books: &Books, id: &str) -> Handled {
    read(books, id).map(|element| Answer::shown(element_of(element)))
}

/// `DELETE /customers/{id}`: with everything that it has; its subscriptions end.
pub(super) fn delete(books: &mut Books, id: &str) -> Handled {
    books.customers.remove(id).ok_or(Refusal::NotFound)?;
    let methods: Vec<String> = books
        .payment_methods
        .values()
        .filter(|method| method.customer_id == id)
        .map(|method| method.token.clone())
        .collect();
    for token in methods {
        super::payment_methods::forget(books, &token);
    }
    Ok(Answer::done())
}

fn read(books: &Books, id: &str) -> Result<Vec<Element>, Refusal> {
    let customer = books.customers.get(id).ok_or(Refusal::NotFound)?;
    let mut fields = vec![
        Element::text("id", customer.id.as_str()),
        Element::text("merchant-id", "sandbox"),
        Element::optional("first-name", customer.first_name.as_deref()),
        Element::optional("last-name", customer.last_name.as_deref()),
        Element::optional("company", customer.company.as_deref()),
        Element::optional("email", customer.email.as_deref()),
        Element::nil("phone"),
        Element::nil("fax"),
        Element::nil("website"),
        Element::datetime("created-at", customer.created),
        Element::datetime("updated-at", customer.updated),
        Element::node("custom-fields", vec![]),
        Element::array("addresses", vec![]),
        Element::text("global-id", format!("Y3VzdG9tZXJf{}", customer.id)),
    ];
    let (mut cards, mut accounts) = (Vec::new(), Vec::new());
    for method in books.payment_methods.values().filter(|method| method.customer_id == id) {
        if method.is_card() { cards.push(method.show(books)) } else { accounts.push(method.show(books)) }
    }
    fields.push(Element::array("credit-cards", cards));
    fields.push(Element::array("paypal-accounts", accounts));
    Ok(fields)
}

fn element_of(fields: Vec<Element>) -> Element {
    Element::node("customer", fields)
}
