//! `/generic/confirm_pin/`, `/generic/verify_pin/` and `/generic/reset_confirm_pin/`.

use actix_web::{HttpResponse, web::Data};
use serde_json::json;

use crate::{
    caller::{Caller, Write},
    domain::{Domain, detached::detached, pin},
    error::ApiError,
    field_errors::FieldErrors,
    form::Form,
    pin::Pin,
};

/// `POST {uuid, pin}`: confirms the buyer's PIN.
///
/// # Errors
/// [`ApiError`].
pub async fn confirm(_: Caller<Write>, domain: Data<Domain>, form: Form) -> Result<HttpResponse, ApiError> {
    let Guess { uuid, pin } = read(form)?;
    let answered = uuid.clone();
    let work = async move { pin::confirm(&domain, uuid, pin).await.map_err(ApiError::from) };
    Ok(HttpResponse::Ok().json(json!({"confirmed": detached(work).await?, "uuid": answered})))
}

/// `POST {uuid, pin}`: verifies the buyer's confirmed PIN.
///
/// # Errors
/// [`ApiError`].
pub async fn verify(_: Caller<Write>, domain: Data<Domain>, form: Form) -> Result<HttpResponse, ApiError> {
    let Guess { uuid, pin } = read(form)?;
    let answered = uuid.clone();
    let work = async move { pin::verify(&domain, uuid, pin).await.map_err(ApiError::from) };
    let verdict = detached(work).await?;
    let body = json!({"valid": verdict.valid, "locked": verdict.locked, "uuid": answered});
    Ok(HttpResponse::Ok().json(body))
}

/// `POST {uuid, pin}`: confirms the new PIN of a reset, which becomes the PIN.
///
/// # Errors
/// [`ApiError`].
pub async fn confirm_reset(
    _: Caller<Write>,
    domain: Data<Domain>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let Guess { uuid, pin } = read(form)?;
    let answered = uuid.clone();
    let work = async move { pin::confirm_reset(&domain, uuid, pin).await.map_err(ApiError::from) };
    Ok(HttpResponse::Ok().json(json!({"confirmed": detached(work).await?, "uuid": answered})))
}

/// A PIN that is said to be that of the buyer with this uuid.
struct Guess {
    uuid: String,
    pin: Pin,
}

fn read(mut form: Form) -> Result<Guess, FieldErrors> {
    let uuid = form.id("uuid");
    let uuid = form.required("uuid", uuid);
    let pin = form.pin("pin");
    let pin = form.required("pin", pin);
    form.finish()?;
    let missing = || FieldErrors::of("pin", crate::field_errors::FieldError::required());
    // Without one of them there was an error, so that this is never reached.
    let (uuid, pin) = uuid.zip(pin).ok_or_else(missing)?;
    Ok(Guess { uuid, pin })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_needs_a_uuid_and_a_pin_of_four_digits() {
        let errors = |body: &str| read(Form::parse(body.as_bytes()).unwrap()).err().unwrap();
        let missing = errors("{}");
        assert!(missing.has("uuid") && missing.has("pin"));
        for pin in ["\"\"", "\"12a4\"", "1234", "\"12345\"", "true"] {
            let body = format!(r#"{{"uuid": "b1", "pin": {pin}}}"#);
            let errors = errors(&body).mozilla();
            assert_eq!(errors["mozilla"]["pin"][0]["code"], "invalid", "{body}");
        }
    }
}
