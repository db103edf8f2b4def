//! `/braintree/webhook/`: what Braintree has posted, as a client hands it on.

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use serde_json::{Value, json};
use wire::payment::Subscription;

use super::{show_charge, show_method, show_subscription};
use crate::{
    api::{buyer, product, transaction},
    caller::{Caller, Read, Write},
    domain::{
        Domain,
        braintree::{self, Posted, Told},
        detached::detached,
    },
    error::ApiError,
    field_errors::{Code, FieldError, FieldErrors},
    form::{Form, read_body},
    page::QueryError,
    proxy_client::ProxyClient,
};

/// The fields of what Braintree posts.
const SIGNATURE: &str = "bt_signature";
const PAYLOAD: &str = "bt_payload";
/// The question with which Braintree checks the address of its webhooks.
const CHALLENGE: &str = "bt_challenge";
const FORM: &str = "application/x-www-form-urlencoded";

/// `GET ?bt_challenge=`: the answer to Braintree's question.
///
/// # Errors
/// [`ApiError`].
pub async fn verify(
    _: Caller<Read>,
    request: HttpRequest,
    proxy: Data<ProxyClient>,
) -> Result<HttpResponse, ApiError> {
    let challenge = read_challenge(request.query_string())?;
    Ok(HttpResponse::Ok().json(braintree::challenge(&proxy, challenge).await?))
}

/// `POST {bt_signature, bt_payload}`, as JSON or as Braintree's own form: takes what Braintree has posted. 200 with all
/// that it is about, 204 when nothing is done about it.
///
/// # Errors
/// [`ApiError`]; 403 when it is not genuine.
pub async fn receive(
    _: Caller<Write>,
    request: HttpRequest,
    payload: Payload,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
) -> Result<HttpResponse, ApiError> {
    let posted = read(&request, payload).await?;
    let told = detached(async move { braintree::receive(&domain, &proxy, posted).await }).await?;
    Ok(match told {
        Some(told) => HttpResponse::Ok().json(show(&told)),
        None => HttpResponse::NoContent().finish(),
    })
}

async fn read(request: &HttpRequest, payload: Payload) -> Result<Posted, ApiError> {
    let mut payload = payload.into_inner();
    if request.content_type().eq_ignore_ascii_case(FORM) {
        return Ok(read_form(&read_body(request, &mut payload).await?)?);
    }
    Ok(read_json(Form::from_request(request, &mut payload).await?)?)
}

fn read_json(mut form: Form) -> Result<Posted, FieldErrors> {
    let signature = form.signed(SIGNATURE);
    let signature = form.required(SIGNATURE, signature).unwrap_or_default();
    let payload = form.signed(PAYLOAD);
    let payload = form.required(PAYLOAD, payload).unwrap_or_default();
    form.finish().map(|()| Posted { signature, payload })
}

/// Takes the two fields of Braintree's form, each of which must be there once.
fn read_form(body: &[u8]) -> Result<Posted, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut take = |name: &str| {
        let mut values = url::form_urlencoded::parse(body).filter(|(given, _)| given == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) if !value.is_empty() => value.into_owned(),
            _ => {
                errors.add(name, FieldError::new(Code::Required, "This field is required, once."));
                String::new()
            }
        }
    };
    let posted = Posted { signature: take(SIGNATURE), payload: take(PAYLOAD) };
    errors.or(posted)
}

/// Not as a filter is read: every tenth question would be taken for a card number.
fn read_challenge(query: &str) -> Result<String, QueryError> {
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut unknown: Vec<_> =
        pairs.iter().map(|(name, _)| name.clone()).filter(|name| name != CHALLENGE).collect();
    if !unknown.is_empty() {
        unknown.sort();
        unknown.dedup();
        return Err(QueryError::Unknown(unknown));
    }
    let error = match pairs.as_slice() {
        [(_, challenge)] if is_challenge(challenge) => return Ok(challenge.clone()),
        [] => FieldError::required(),
        [_] => FieldError::invalid("Enter 20 to 32 digits of a to f and 0 to 9."),
        _ => FieldError::invalid("Given more than once."),
    };
    Err(QueryError::Wrong(FieldErrors::of(CHALLENGE, error)))
}

fn is_challenge(text: &str) -> bool {
    (20..=32).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'f' | b'0'..=b'9'))
}

fn show(told: &Told) -> Value {
    let transaction = told.charged.as_ref().map_or_else(
        || json!({}),
        |(generic, charge)| {
            json!({
                "generic": transaction::show_body(generic),
                "braintree": show_charge(charge, generic.row.currency.as_deref()),
            })
        },
    );
    json!({
        "mozilla": {
            "buyer": buyer::show_body(&told.buyer),
            "paymethod": show_method(&told.method),
            "subscription": show_subscription(&told.subscription),
            "product": told.product.as_ref().map(product::show_body),
            "transaction": transaction,
        },
        "braintree": show_notification(&told.kind, told.said.as_ref()),
    })
}

fn show_notification(kind: &str, said: Option<&Subscription>) -> Value {
    json!({
        "kind": kind,
        "next_billing_period_amount": said.and_then(|said| said.amount).map(|amount| amount.decimal()),
        "next_billing_date": said.and_then(|said| said.next_billing.as_deref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_read_from_json_and_from_a_form() {
        let json = Form::parse(br#"{"bt_signature": "key|ab", "bt_payload": "PG4+\n"}"#).unwrap();
        let expected = Posted { signature: "key|ab".into(), payload: "PG4+\n".into() };
        assert_eq!(read_json(json).unwrap(), expected);
        assert_eq!(read_form(b"bt_signature=key%7Cab&bt_payload=PG4%2B%0A").unwrap(), expected);
    }

    #[test]
    fn both_fields_are_needed_once() {
        for body in ["", "bt_signature=a", "bt_payload=a", "bt_signature=&bt_payload=a"] {
            assert!(read_form(body.as_bytes()).is_err(), "{body}");
        }
        let twice = read_form(b"bt_signature=a&bt_signature=b&bt_payload=c").unwrap_err();
        assert!(twice.has(SIGNATURE) && !twice.has(PAYLOAD));
        let json = |text: &str| read_json(Form::parse(text.as_bytes()).unwrap());
        let errors = json("{}").unwrap_err();
        assert!(errors.has(SIGNATURE) && errors.has(PAYLOAD));
        assert!(json(r#"{"bt_signature": 1, "bt_payload": "x"}"#).unwrap_err().has(SIGNATURE));
        assert!(json(r#"{"bt_signature": "a", "bt_payload": "x", "y": 1}"#).unwrap_err().has("y"));
    }

    #[test]
    fn what_looks_like_a_card_number_in_a_signed_text_is_none() {
        let body = r#"{"bt_signature": "k|4111111111111111", "bt_payload": "4111111111111111"}"#;
        assert!(read_json(Form::parse(body.as_bytes()).unwrap()).is_ok());
    }

    #[test]
    fn a_challenge_is_20_to_32_hexadecimal_digits() {
        let digits = "4111111111111111000000";
        assert_eq!(read_challenge(&format!("bt_challenge={digits}")).unwrap(), digits);
        for query in [
            "",
            "bt_challenge=",
            "bt_challenge=0123456789abcdef012",
            "bt_challenge=0123456789abcdef0123456789abcdef0",
            "bt_challenge=0123456789ABCDEF0123",
            "bt_challenge=0123456789abcdef012g",
            "bt_challenge=0123456789abcdef0123&bt_challenge=0123456789abcdef0123",
        ] {
            assert!(matches!(read_challenge(query), Err(QueryError::Wrong(_))), "{query}");
        }
        let unknown = read_challenge("bt_challenge=0123456789abcdef0123&x=1").unwrap_err();
        assert_eq!(unknown, QueryError::Unknown(vec!["x".into()]));
    }
}
