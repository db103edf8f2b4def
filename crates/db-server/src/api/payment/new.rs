//! What a new payment is made of.

use std::collections::BTreeMap;

use wire::{Money, payment::Provider};

use crate::{
    api::money,
    domain::payment::{Wanted, WantedSource},
    field_errors::{FieldError, FieldErrors},
    form::Form,
    store::id::{PaymentMethodId, ProductId},
    uri::Kind,
};

/// The ways to name what is charged.
const SOURCES: [&str; 3] = ["payment_method", "nonce", "checkout"];
/// What connectors write among the texts at the provider.
const RESERVED: [&str; 2] = ["attempt", "capture_"];

/// Reads a payment to be made.
pub(super) fn read(mut form: Form) -> Result<Wanted, FieldErrors> {
    let provider = form.word::<Provider>("provider");
    let provider = form.required("provider", provider);
    let amount = read_amount(&mut form);
    let product = form.reference("seller_product", Kind::Product);
    let product_id = form.required("seller_product", product).unwrap_or(ProductId(0));
    let buyer_id = form.reference("buyer", Kind::Buyer).flatten();
    let source = read_source(&mut form);
    let capture = form.boolean("capture").flatten().unwrap_or(true);
    let description = form.text("description").flatten();
    let metadata = read_metadata(&mut form);
    let return_url = form.url("return_url").flatten();
    form.finish()?;
    let (Some(provider), Some(amount), Some(source)) = (provider, amount, source) else {
        // Without any of them there was an error, so that this is never reached.
        return Err(FieldErrors::of("provider", FieldError::required()));
    };
    Ok(Wanted { provider, amount, product_id, buyer_id, source, capture, description, metadata, return_url })
}

fn read_amount(form: &mut Form) -> Option<Money> {
    let amount = money::read(form, "amount", "currency");
    if amount.is_some_and(|amount| amount.minor_units == 0) {
        form.error("amount", FieldError::invalid("Enter an amount: more than 0."));
    }
    amount
}

/// Exactly one of the three.
fn read_source(form: &mut Form) -> Option<WantedSource> {
    let method = form.reference::<PaymentMethodId>("payment_method", Kind::Paymethod).flatten();
    let nonce = form.token("nonce").flatten();
    let checkout = read_checkout(form);
    let given: Vec<_> = [method.map(WantedSource::PaymentMethod), nonce.map(WantedSource::Nonce), checkout]
        .into_iter()
        .flatten()
        .collect();
    let is_wrong = SOURCES.iter().any(|name| form.has_error(name)) || form.has_error("checkout.return_url");
    match given.len() {
        1 => given.into_iter().next(),
        0 if is_wrong || form.has_error("checkout.cancel_url") => None,
        0 => {
            form.error("payment_method", FieldError::required());
            None
        }
        _ => {
            let message = "Give one of payment_method, nonce and checkout.";
            form.error("payment_method", FieldError::invalid(message));
            None
        }
    }
}

fn read_checkout(form: &mut Form) -> Option<WantedSource> {
    let mut nested = form.nested("checkout").flatten()?;
    let return_url = nested.url("return_url");
    let return_url = nested.required("return_url", return_url);
    let cancel_url = nested.url("cancel_url");
    let cancel_url = nested.required("cancel_url", cancel_url);
    form.take_errors_of("checkout", nested);
    Some(WantedSource::Checkout { return_url: return_url?, cancel_url: cancel_url? })
}

fn read_metadata(form: &mut Form) -> BTreeMap<String, String> {
    let texts = form.texts("metadata").flatten().unwrap_or_default();
    let plain = |name: &String| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
    };
    if !texts.keys().all(plain) {
        form.error("metadata", FieldError::invalid("A name has letters, digits, _, - and . only."));
    }
    if texts.keys().any(|name| RESERVED.iter().any(|reserved| name.starts_with(reserved))) {
        form.error("metadata", FieldError::invalid("Names must not begin with attempt or capture_."));
    }
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn with(fields: &Value) -> Result<Wanted, FieldErrors> {
        let mut body = json!({
            "provider": "stripe", "amount": "9.99", "currency": "EUR", "seller_product": "/generic/product/4/",
        });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        read(Form::parse(body.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn a_payment_is_charged_to_exactly_one_thing() {
        let wanted = with(&json!({"nonce": "n"})).unwrap();
        assert!(matches!(wanted.source, WantedSource::Nonce(_)) && wanted.capture);
        let wanted = with(&json!({"payment_method": "/paymethods/3/", "capture": false})).unwrap();
        assert!(matches!(wanted.source, WantedSource::PaymentMethod(PaymentMethodId(3))) && !wanted.capture);
        let checkout = json!({"return_url": "https://a.example/", "cancel_url": "https://b.example/"});
        let wanted = with(&json!({ "checkout": checkout })).unwrap();
        assert!(matches!(wanted.source, WantedSource::Checkout { .. }));
        for fields in [json!({}), json!({"nonce": "n", "checkout": checkout}), json!({"nonce": null})] {
            assert!(with(&fields).unwrap_err().has("payment_method"), "{fields}");
        }
    }

    #[test]
    fn wrong_fields_are_named() {
        for (fields, field) in [
            (json!({"nonce": "n", "provider": "bango"}), "provider"),
            (json!({"nonce": "n", "amount": "0.00"}), "amount"),
            (json!({"nonce": "n", "amount": "-1"}), "amount"),
            (json!({"nonce": "n", "amount": "1.999"}), "amount"),
            (json!({"nonce": "n", "currency": "XYZ"}), "currency"),
            (json!({"nonce": "n", "seller_product": null}), "seller_product"),
            (json!({"nonce": "n", "buyer": "/paymethods/1/"}), "buyer"),
            (json!({"nonce": 1}), "nonce"),
            (json!({"payment_method": "pm_1"}), "payment_method"),
            (json!({"checkout": "x"}), "checkout"),
            (json!({"checkout": {"return_url": "https://a.example/"}}), "checkout.cancel_url"),
            (
                json!({"checkout": {"return_url": "x", "cancel_url": "https://a.example/"}}),
                "checkout.return_url",
            ),
            (json!({"nonce": "n", "metadata": {"a": 1}}), "metadata"),
            (json!({"nonce": "n", "metadata": {"a[b]": "x"}}), "metadata"),
            (json!({"nonce": "n", "metadata": {"attempt": "x"}}), "metadata"),
            (json!({"nonce": "n", "metadata": {"capture_1": "x"}}), "metadata"),
            (json!({"nonce": "n", "description": "4111 1111 1111 1111"}), "description"),
            (json!({"nonce": "n", "metadata": {"card": "4111111111111111"}}), "metadata"),
            (json!({"nonce": "n", "status": "captured"}), "status"),
        ] {
            let errors = with(&fields).unwrap_err();
            assert!(errors.has(field), "{fields}: {errors}");
        }
    }
}
