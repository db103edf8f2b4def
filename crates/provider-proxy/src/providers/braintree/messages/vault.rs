//! Customers and payment methods.

use wire::payment::{Customer, Decline, PaymentMethod, PaymentMethodKind, Token};

use super::transaction::{processor_decline, rejected};
use crate::providers::{braintree::xml::Element, exchange::Unintelligible};

/// A customer.
pub(in crate::providers::braintree) fn customer(element: &Element) -> Result<Customer, Unintelligible> {
    if element.name() != "customer" {
        return Err(Unintelligible::field(".", "not a customer"));
    }
    Ok(Customer {
        reference: element.required("id")?.to_owned(),
        created: element.text("created-at").map(str::to_owned),
        modified: element.text("updated-at").map(str::to_owned),
    })
}

/// A payment method: the document's name says which kind.
pub(in crate::providers::braintree) fn payment_method(
    element: &Element,
) -> Result<PaymentMethod, Unintelligible> {
    describe(element).ok_or_else(|| Unintelligible::field("token", "missing"))
}

/// The stored payment method that a transaction was charged to.
pub(super) fn of_transaction(transaction: &Element) -> Option<PaymentMethod> {
    let details = ["credit-card", "paypal"].iter().find_map(|name| transaction.child(name))?;
    describe(details)
}

fn describe(element: &Element) -> Option<PaymentMethod> {
    let kind = match element.name() {
        "credit-card" => PaymentMethodKind::Card,
        "paypal-account" | "paypal" => PaymentMethodKind::Paypal,
        _ => PaymentMethodKind::Other,
    };
    let text = |name: &str| element.text(name).map(str::to_owned);
    Some(PaymentMethod {
        token: Token::from(element.text("token")?),
        kind,
        brand: text("card-type"),
        last4: text("last-4"),
        expiry_month: element.text("expiration-month").and_then(|month| month.parse().ok()),
        expiry_year: element.text("expiration-year").and_then(|year| year.parse().ok()),
        created: text("created-at"),
        modified: text("updated-at"),
    })
}

/// Why a card was not verified.
pub(in crate::providers::braintree) fn verification_decline(verification: &Element) -> Decline {
    if let Some(reason) = verification.text("gateway-rejection-reason") {
        return rejected(reason);
    }
    let status = verification.text("status").unwrap_or("not_verified");
    processor_decline(
        verification.text("processor-response-code").unwrap_or(status),
        verification.text("processor-response-text").unwrap_or(status),
        verification.text("processor-response-type"),
    )
}
