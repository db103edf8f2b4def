//! What the provider answers instead of an object: `{"error": {"type", "code", "message", "param", …}}`.

use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

/// A refused request.
#[derive(Clone, Debug)]
pub(super) struct Failure(Box<Detail>);

/// The `type` of an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
enum Kind {
    #[serde(rename = "api_error")]
    Api,
    #[serde(rename = "card_error")]
    Card,
    #[serde(rename = "idempotency_error")]
    Idempotency,
    #[serde(rename = "invalid_request_error")]
    InvalidRequest,
}

#[derive(Clone, Debug, Serialize)]
struct Detail {
    #[serde(rename = "type")]
    kind: Kind,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doc_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_intent: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_intent: Option<Value>,
    #[serde(skip)]
    status: StatusCode,
    /// Whether execution had begun, so that an idempotency key keeps the answer.
    #[serde(skip)]
    begun: bool,
}

impl Failure {
    fn new(status: StatusCode, kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Detail {
            kind,
            message: message.into(),
            code: None,
            doc_url: None,
            param: None,
            decline_code: None,
            advice_code: None,
            charge: None,
            payment_intent: None,
            payment_method: None,
            setup_intent: None,
            status,
            begun: false,
        }))
    }

    /// A parameter that cannot be used. Nothing was begun.
    pub(super) fn invalid(message: impl Into<String>, param: impl Into<String>) -> Self {
        let mut failure = Self::new(StatusCode::BAD_REQUEST, Kind::InvalidRequest, message);
        failure.0.param = Some(param.into());
        failure
    }

    /// A parameter that must be there and is not.
    pub(super) fn missing(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}."), param).code("parameter_missing")
    }

    /// A parameter given empty that cannot be unset.
    pub(super) fn empty(param: &str) -> Self {
        let message = format!(
            "You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; \
             however '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty \
             value."
        );
        Self::invalid(message, param).code("parameter_invalid_empty")
    }

    /// A parameter that is no whole number.
    pub(super) fn no_integer(text: &str, param: &str) -> Self {
        Self::invalid(format!("Invalid integer: {text}"), param).code("parameter_invalid_integer")
    }

    /// A parameter that the operation does not know.
    pub(super) fn unknown_parameter(param: &str) -> Self {
        Self::invalid(format!("Received unknown parameter: {param}"), param).code("parameter_unknown")
    }

    /// An id in a parameter that names nothing; [`in_path`](Self::in_path) makes it a 404.
    pub(super) fn no_such(what: &str, id: &str, param: &str) -> Self {
        Self::invalid(format!("No such {what}: '{id}'"), param).code("resource_missing")
    }

    /// The same about an id in the path.
    pub(super) fn in_path(mut self) -> Self {
        self.0.status = StatusCode::NOT_FOUND;
        self.0.param = Some("id".to_owned());
        self
    }

    /// A path or method that does not exist.
    pub(super) fn no_such_path(method: &str, path: &str) -> Self {
        let message = format!(
            "Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing \
             slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in \
             your code."
        );
        Self::new(StatusCode::NOT_FOUND, Kind::InvalidRequest, message)
    }

    /// The object's state does not allow it. Execution had begun.
    pub(super) fn state(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Kind::InvalidRequest, message).code(code).begun()
    }

    /// No key, or one that is not ours.
    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Kind::InvalidRequest, message)
    }

    /// The card's issuer, or a test card, says no. Execution had begun.
    pub(super) fn card(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYMENT_REQUIRED, Kind::Card, message).code(code).begun()
    }

    /// An idempotency key used for something else.
    pub(super) fn idempotency(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Kind::Idempotency, message)
    }

    /// The same idempotency key is being worked on.
    pub(super) fn in_flight(key: &str) -> Self {
        let message = format!(
            "There is currently another in-progress request using this Stripe idempotent key (that probably means \
             you submitted twice, and the other request is still going through): {key}. Please try again later."
        );
        Self::new(StatusCode::CONFLICT, Kind::Idempotency, message).code("idempotency_key_in_use")
    }

    /// Another request is changing the same object.
    pub(super) fn locked() -> Self {
        let message = "This object cannot be accessed right now because another API request or Stripe process is \
                       currently accessing it. If you see this error intermittently, retry the request. If you see \
                       this error frequently and are making multiple concurrent requests to a single object, make \
                       your requests serially or at a lower rate.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, Kind::InvalidRequest, message).code("lock_timeout")
    }

    /// The provider itself failed after execution had begun.
    pub(super) fn internal() -> Self {
        let message = "An unknown error occurred. Please contact support if the issue persists.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Kind::Api, message).begun()
    }

    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.0.code = Some(code);
        self.0.doc_url = Some(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")));
        self
    }

    /// What a refused charge adds.
    pub(super) fn decline(mut self, decline: &'static str, advice: Option<&'static str>) -> Self {
        self.0.decline_code = Some(decline);
        self.0.advice_code = advice;
        self
    }

    pub(super) fn about(mut self, param: &str) -> Self {
        self.0.param = Some(param.to_owned());
        self
    }

    pub(super) fn charge(mut self, id: &str) -> Self {
        self.0.charge = Some(id.to_owned());
        self
    }

    pub(super) fn payment_intent(mut self, shown: Value) -> Self {
        self.0.payment_intent = Some(shown);
        self
    }

    pub(super) fn payment_method(mut self, shown: Value) -> Self {
        self.0.payment_method = Some(shown);
        self
    }

    pub(super) fn setup_intent(mut self, shown: Value) -> Self {
        self.0.setup_intent = Some(shown);
        self
    }

    pub(super) fn begun(mut self) -> Self {
        self.0.begun = true;
        self
    }

    /// Whether an idempotency key keeps this answer.
    pub(super) fn has_begun(&self) -> bool {
        self.0.begun
    }

    pub(super) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Whether the client should try the same again, as `Stripe-Should-Retry` says.
    pub(super) fn should_retry(&self) -> Option<bool> {
        match self.0.status {
            StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS => Some(true),
            StatusCode::INTERNAL_SERVER_ERROR => Some(false),
            _ => None,
        }
    }

    /// The error object, as `last_payment_error` holds it too.
    pub(super) fn object(&self) -> Value {
        serde_json::to_value(&*self.0).unwrap_or_default()
    }

    /// The whole body.
    pub(super) fn body(&self) -> Value {
        json!({"error": self.object()})
    }

    #[cfg(test)]
    pub(super) fn param(&self) -> Option<&str> {
        self.0.param.as_deref()
    }
}
