//! The reference provider's signed notices: `/webhooks/reference/` and `/provider/reference/notices/`.

use actix_web::{HttpRequest, HttpResponse, web::Data, web::Payload};
use serde_json::json;
use wire::{
    ErrorKind,
    reference::{Notice, SignedNotice},
};

use crate::{
    caller::{Caller, Write},
    domain::{Domain, detached::detached, inbox, notice},
    error::ApiError,
    field_errors::{Code, FieldError, FieldErrors},
    form::{Form, read_body},
    proxy_client::{ProxyClient, ProxyError},
};

const FIELD: &str = "signed_notice";

/// `POST` of a form with `signed_notice`, by the provider: applies its outcome. Nobody is asked who they are; the
/// signature is what is believed.
///
/// # Errors
/// [`ApiError`]; the provider tries again on each.
pub async fn receive(
    request: HttpRequest,
    payload: Payload,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
) -> Result<HttpResponse, ApiError> {
    let body = read_body(&request, &mut payload.into_inner()).await?;
    let signed = read_form(&body)?;
    detached(async move {
        let genuine = verify(&proxy, &signed).await?;
        if inbox::receive_notice(&domain, &proxy, &genuine).await? {
            return Ok(());
        }
        notice::apply(&domain, genuine).await.map_err(ApiError::from)
    })
    .await?;
    Ok(HttpResponse::Ok().json(json!({"result": "OK"})))
}

/// `POST {qs}`, by a client that has received the notice itself: whether it is genuine. It changes nothing.
///
/// # Errors
/// [`ApiError`].
pub async fn check(_: Caller<Write>, proxy: Data<ProxyClient>, form: Form) -> Result<HttpResponse, ApiError> {
    let signed = read_check(form)?;
    match verify(&proxy, &signed).await {
        Ok(_) => Ok(HttpResponse::Ok().json(json!({"result": "OK", "reason": ""}))),
        Err(ApiError::NotGenuine) => {
            Ok(HttpResponse::Ok().json(json!({"result": "FAIL", "reason": "signature mismatch"})))
        }
        Err(error) => Err(error),
    }
}

async fn verify(proxy: &ProxyClient, signed: &SignedNotice) -> Result<Notice, ApiError> {
    proxy.verify_notice(signed).await.map_err(|error| match error {
        ProxyError::Failure { failure, .. } if failure.kind == ErrorKind::InvalidSignature => {
            ApiError::NotGenuine
        }
        error => error.into(),
    })
}

fn read_check(mut form: Form) -> Result<SignedNotice, FieldErrors> {
    let qs = form.notes("qs");
    let signed_notice = form.required("qs", qs).unwrap_or_default();
    form.finish().map(|()| SignedNotice { signed_notice })
}

/// Takes the one field of the provider's form, byte for byte.
fn read_form(body: &[u8]) -> Result<SignedNotice, FieldErrors> {
    let mut fields = url::form_urlencoded::parse(body).filter(|(name, _)| name == FIELD);
    let (Some((_, notice)), None) = (fields.next(), fields.next()) else {
        return Err(FieldErrors::of(FIELD, FieldError::new(Code::Required, "This field is required, once.")));
    };
    Ok(SignedNotice { signed_notice: notice.into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_is_taken_from_the_form_and_decoded_once() {
        let signed = read_form(b"signed_notice=ext_transaction_id%3Da%252Bb%26sig%3D0%3Aab").unwrap();
        assert_eq!(signed.signed_notice, "ext_transaction_id=a%2Bb&sig=0:ab");
    }

    #[test]
    fn a_form_without_exactly_one_notice_is_refused() {
        for body in ["", "notice=x", "signed_notice=a&signed_notice=b", "{\"signed_notice\": \"x\"}"] {
            assert!(read_form(body.as_bytes()).unwrap_err().has(FIELD), "{body}");
        }
    }

    #[test]
    fn a_check_needs_the_query_string() {
        let read = |text: &str| read_check(Form::parse(text.as_bytes()).unwrap());
        assert_eq!(read(r#"{"qs": "a=b&sig=0:ab"}"#).unwrap().signed_notice, "a=b&sig=0:ab");
        assert!(read("{}").unwrap_err().has("qs"));
        assert!(read(r#"{"qs": 1}"#).unwrap_err().has("qs"));
    }
}
