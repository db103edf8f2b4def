//! The only way to a provider: `provider-proxy`, in the words of `wire`.

mod error;
mod passthrough;

pub use error::{ProxyError, Unanswered};

use std::sync::Arc;

use actix_web::http::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use bytes::Bytes;
use chassis::{
    base_url::BaseUrl,
    client::{ClientError, HttpClient, Incoming, Outgoing},
    logging,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use wire::{
    Operation, Reply,
    delivery::{DELIVER_PATH, DeliverWebhook, Delivered},
    operation_path,
    payment::{PaymentOperation, Provider, payment_path},
    reference::{NOTICE_PATH, Notice, SignedNotice},
};

use crate::{identity::Signer, settings::ProxySettings};

/// The name of the target when `provider-proxy` itself gives no answer.
pub const PROXY: &str = "provider-proxy";

/// The client of one worker thread.
pub struct ProxyClient {
    url: BaseUrl,
    http: Result<HttpClient, ClientError>,
    signer: Option<Arc<Signer>>,
    implementations: Vec<String>,
}

/// What a target of the pass-through has answered.
pub struct Passed {
    /// Its status.
    pub status: StatusCode,
    /// Its body; none when that is empty. Text that is no JSON, of an answer that is no success, is one string.
    pub body: Option<Value>,
    /// When it asks to be called again: seconds or an HTTP date (RFC 9110, 10.2.3).
    pub retry_after: Option<String>,
}

impl ProxyClient {
    /// Makes the client of this thread; the signer belongs to all. If its certificates cannot be used, each call says so.
    #[must_use]
    pub fn new(settings: &ProxySettings, signer: Option<Arc<Signer>>) -> Self {
        let http = HttpClient::new(&settings.client);
        if let Err(error) = &http {
            log::error!("no client for {PROXY}: {error}");
        }
        let implementations = settings.implementations.clone();
        Self { url: settings.url.clone(), http, signer, implementations }
    }

    /// Asks for one operation of a provider.
    ///
    /// # Errors
    /// [`ProxyError`]; [`ProxyError::outcome_is_unknown`] says whether the provider may have acted.
    pub async fn call<O: Operation>(&self, request: &O::Request) -> Result<O::Answer, ProxyError> {
        self.post(&operation_path::<O>(), request).await
    }

    /// Asks for one neutral operation of a provider.
    ///
    /// # Errors
    /// [`ProxyError`]; [`ProxyError::outcome_is_unknown`] says whether the provider may have acted. An outcome in the
    /// answer may be unknown as well.
    pub async fn pay<O: PaymentOperation>(
        &self,
        provider: Provider,
        request: &O::Request,
    ) -> Result<O::Answer, ProxyError> {
        self.post(&payment_path::<O>(provider), request).await
    }

    /// Asks whether a notice of the reference provider is genuine, and what it says.
    ///
    /// # Errors
    /// [`ProxyError`]; the kind is [`wire::ErrorKind::InvalidSignature`] when it is not genuine.
    pub async fn verify_notice(&self, notice: &SignedNotice) -> Result<Notice, ProxyError> {
        self.post(NOTICE_PATH, notice).await
    }

    /// Has a message signed and posted to an endpoint of webhooks.
    ///
    /// # Errors
    /// [`ProxyError`] when the endpoint has not answered.
    pub async fn deliver_webhook(&self, message: &DeliverWebhook) -> Result<Delivered, ProxyError> {
        self.post(DELIVER_PATH, message).await
    }

    /// Asks an implementation of the reference provider's API, through the pass-through. Nothing when there is none of
    /// this name.
    ///
    /// # Errors
    /// [`ProxyError`] when there is no answer of the implementation, or a success that is no JSON.
    pub async fn pass(
        &self,
        method: Method,
        name: &str,
        path: &str,
        query: &str,
        body: Bytes,
    ) -> Result<Option<Passed>, ProxyError> {
        if !self.implementations.iter().any(|known| known == name) {
            return Ok(None);
        }
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let answer = self.send(method, &format!("/proxy/{name}{path}{query}"), body).await?;
        passthrough::read(name, answer).map(Some)
    }

    /// Whether `provider-proxy` answers and calls itself sound.
    ///
    /// # Errors
    /// [`ProxyError`] when it does not.
    pub async fn check(&self) -> Result<(), ProxyError> {
        let answer = self.send(Method::GET, "/services/status/", Bytes::new()).await?;
        if answer.status == StatusCode::OK {
            Ok(())
        } else {
            Err(ProxyError::Unreadable { status: answer.status.as_u16() })
        }
    }

    async fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        request: &Q,
    ) -> Result<A, ProxyError> {
        let body = serde_json::to_vec(request).map_err(ProxyError::Request)?;
        read_reply(&self.send(Method::POST, path, body.into()).await?)
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Incoming, ProxyError> {
        let http = self.http.as_ref().map_err(|error| ProxyError::NoClient(error.to_string()))?;
        let mut headers = Vec::new();
        if !body.is_empty() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        if let Some(signer) = &self.signer {
            let context = logging::context();
            let principal = context.as_ref().and_then(|context| context.principal());
            headers.push((AUTHORIZATION, signer.token(principal)?));
        }
        let outgoing = Outgoing { method, url: self.url.join(path), headers, body };
        http.send(outgoing).await.map_err(ProxyError::Unreachable)
    }
}

fn read_reply<A: DeserializeOwned>(answer: &Incoming) -> Result<A, ProxyError> {
    let status = answer.status.as_u16();
    match serde_json::from_slice(&answer.body) {
        Ok(Reply::Result(result)) if answer.status.is_success() => Ok(result),
        Ok(Reply::Refused(refusal)) => Err(ProxyError::Refused(refusal)),
        Ok(Reply::Error(failure)) => Err(ProxyError::Failure { status, failure }),
        Ok(Reply::Result(_)) | Err(_) => Err(ProxyError::Unreadable { status }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chassis::client::ExchangeError;
    use serde_json::json;
    use wire::{ErrorKind, ProxyFailure};

    use super::*;

    fn reply(status: u16, body: &str) -> Result<Value, ProxyError> {
        read_reply(&Incoming {
            status: StatusCode::from_u16(status).unwrap(),
            headers: actix_web::http::header::HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }

    fn failure(kind: ErrorKind) -> ProxyError {
        let failure = ProxyFailure { kind, target: "reference".into(), message: "x".into() };
        let body = serde_json::to_string(&Reply::<Value>::Error(failure)).unwrap();
        reply(kind.http_status(), &body).unwrap_err()
    }

    #[test]
    fn a_result_is_the_operations_answer() {
        assert_eq!(reply(201, r#"{"result": {"a": 1}}"#).unwrap(), json!({"a": 1}));
    }

    #[test]
    fn a_refusal_is_known_unless_the_provider_itself_failed() {
        for (status, unknown) in [(404, false), (409, false), (401, false), (500, true), (503, true)] {
            let body = json!({"refused": {"status": status, "body": {"code": "X"}}}).to_string();
            let error = reply(status, &body).unwrap_err();
            assert_eq!(error.outcome_is_unknown(), unknown, "{status}");
            assert_eq!((error.kind(), error.proxy_status()), (None, Some(status)));
        }
    }

    #[test]
    fn a_failure_names_status_and_target() {
        let error = failure(ErrorKind::Timeout);
        assert_eq!(error.to_string(), "Proxy returned: 500 from: reference: timeout");
        assert_eq!((error.target(), error.proxy_status()), ("reference", Some(500)));
        assert!(error.outcome_is_unknown());
        assert!(!failure(ErrorKind::Connect).outcome_is_unknown());
    }

    #[test]
    fn an_answer_that_is_not_in_the_words_of_wire_has_an_unknown_outcome() {
        for (status, body) in [
            (200, "<html>"),
            (200, "{}"),
            (200, ""),
            (502, "Bad gateway"),
            (500, r#"{"result": {}}"#),
            (200, r#"{"result": {}, "error": {}}"#),
        ] {
            let error = reply(status, body).unwrap_err();
            assert!(matches!(error, ProxyError::Unreadable { .. }), "{body}");
            assert!(error.outcome_is_unknown());
            assert_eq!((error.kind(), error.target()), (Some(ErrorKind::Protocol), PROXY));
        }
    }

    #[test]
    fn only_what_was_sent_to_the_proxy_has_an_unknown_outcome() {
        let timeout = ProxyError::Unreachable(ExchangeError::Timeout { after: Duration::from_secs(12) });
        assert!(timeout.outcome_is_unknown());
        assert_eq!(timeout.kind(), Some(ErrorKind::Timeout));
        let connect = ProxyError::Unreachable(ExchangeError::Connect("refused".into()));
        assert!(!connect.outcome_is_unknown());
        assert_eq!((connect.kind(), connect.proxy_status()), (Some(ErrorKind::Connect), None));
    }
}
