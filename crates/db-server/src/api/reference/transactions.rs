//! `/provider/reference/transactions/`: the start of a payment.

use actix_web::{HttpResponse, web::Data};
use serde_json::Value;
use wire::reference::{StartTransaction, StartedTransaction};

use super::{super::money, show_remote};
use crate::{
    caller::{Caller, Write},
    domain::{Domain, detached::detached, purchase},
    error::ApiError,
    field_errors::{Code, FieldError, FieldErrors},
    form::{Form, Given},
    proxy_client::ProxyClient,
};

/// Where the provider's transactions are with us.
const PATH: &str = "/provider/reference/transactions/";
/// How a payer may pay.
const PAY_METHODS: [&str; 4] = ["OPERATOR", "CARD", "INTERNET", "PSMS"];

/// `POST`: starts a payment.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let (request, actor) = (read(form)?, caller.actor());
    let work = detached(async move { purchase::start(&domain, &proxy, request, actor).await });
    Ok(HttpResponse::Created().json(show(&work.await?)))
}

fn read(mut form: Form) -> Result<StartTransaction, FieldErrors> {
    let price = money::read(&mut form, "price", "currency");
    if price.is_some_and(|price| price.minor_units == 0) {
        form.error("price", FieldError::invalid("Enter an amount: more than 0."));
    }
    let mut text = |name: &str, read: fn(&mut Form, &str) -> Given<String>| {
        let given = read(&mut form, name);
        form.required(name, given).unwrap_or_default()
    };
    let product_id = text("product_id", Form::id);
    let region = text("region", Form::text);
    let carrier = text("carrier", Form::text);
    let pay_method = text("pay_method", Form::text);
    let callback_success_url = text("callback_success_url", Form::url);
    let callback_error_url = text("callback_error_url", Form::url);
    let success_url = text("success_url", Form::url);
    let error_url = text("error_url", Form::url);
    let ext_transaction_id = text("ext_transaction_id", Form::id);
    if !form.has_error("pay_method") && !PAY_METHODS.contains(&pay_method.as_str()) {
        let message = format!("Expected one of {}.", PAY_METHODS.join(", "));
        form.error("pay_method", FieldError::new(Code::InvalidChoice, message));
    }
    form.finish()?;
    // Without a price there was an error, so that this is never reached.
    let price = price.ok_or_else(|| FieldErrors::of("price", FieldError::required()))?;
    Ok(StartTransaction {
        product_id,
        region,
        carrier,
        price,
        pay_method,
        callback_success_url,
        callback_error_url,
        success_url,
        error_url,
        ext_transaction_id,
    })
}

fn show(started: &StartedTransaction) -> Value {
    let uri = format!("{PATH}{}/", started.resource.resource_pk);
    show_remote(&started.resource, &uri)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn whole() -> Value {
        json!({
            "product_id": "p1", "region": "123", "carrier": "USA_TMOBILE", "price": "0.99", "currency": "EUR",
            "pay_method": "OPERATOR", "callback_success_url": "https://m.example.com/cs",
            "callback_error_url": "https://m.example.com/ce", "success_url": "https://m.example.com/s",
            "error_url": "https://m.example.com/e", "ext_transaction_id": "solitude:x",
        })
    }

    fn read_json(value: &Value) -> Result<StartTransaction, FieldErrors> {
        read(Form::parse(value.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn a_start_is_read_in_full_with_the_price_in_minor_units() {
        let request = read_json(&whole()).unwrap();
        assert_eq!((request.price.minor_units, request.price.currency.code()), (99, "EUR"));
        assert_eq!(request.callback_error_url, "https://m.example.com/ce");
    }

    #[test]
    fn a_payment_of_nothing_is_refused() {
        let mut body = whole();
        body["price"] = json!("0.00");
        assert!(read_json(&body).unwrap_err().has("price"));
    }

    #[test]
    fn every_field_is_required() {
        for field in whole().as_object().unwrap().keys() {
            let mut body = whole();
            body.as_object_mut().unwrap().remove(field);
            assert!(read_json(&body).unwrap_err().has(field), "{field}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        for (field, value) in [
            ("price", json!("0.999")),
            ("price", json!(0.99)),
            ("price", json!("-1")),
            ("currency", json!("EURO")),
            ("pay_method", json!("CASH")),
            ("callback_success_url", json!("/relative")),
            ("callback_error_url", json!("javascript:x")),
            ("success_url", json!(1)),
            ("error_url", json!("https://m.example.com/\u{0}")),
            ("ext_transaction_id", json!("x".repeat(256))),
            ("product_id", json!("a\nb")),
            ("reigon", json!("123")),
        ] {
            let mut body = whole();
            body[field] = value;
            assert!(read_json(&body).unwrap_err().has(field), "{field}");
        }
    }

    #[test]
    fn a_started_payment_shows_status_and_token_and_not_the_providers_path() {
        let remote = json!({"resource_pk": "t1", "resource_name": "transactions",
                            "resource_uri": "/transactions/t1", "status": "STARTED", "token": "ab"});
        let shown = show(&serde_json::from_value(remote).unwrap());
        assert_eq!(
            (&shown["status"], &shown["token"], &shown["id"]),
            (&json!("STARTED"), &json!("ab"), &json!("t1"))
        );
        assert_eq!(shown["resource_uri"], "/provider/reference/transactions/t1/");
    }
}
