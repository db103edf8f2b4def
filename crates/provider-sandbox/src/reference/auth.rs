//! Every request is signed (OAuth 1.0a, RFC 5849, one-legged): checked as strictly as a real provider would.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use actix_web::ResponseError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HOST};
use actix_web::middleware::Next;
use actix_web::web::Data;
use oauth1::{AuthorizationHeader, VerifyError, check_timestamp};
use thiserror::Error;

use super::error::Refusal;
use super::state::Reference;

/// How far a request's timestamp may be from now, in either direction.
const WINDOW: Duration = Duration::from_secs(300);

/// Why a request is not believed.
#[derive(Debug, Error)]
enum AuthError {
    #[error("the Authorization header must be there once")]
    NoHeader,
    #[error("the Host header must be there once")]
    NoHost,
    #[error("the consumer key is unknown")]
    ConsumerKey,
    #[error("the realm is not the right one")]
    Realm,
    #[error("the nonce was used before")]
    Replayed,
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// The middleware in front of every resource.
pub(super) async fn check<B: MessageBody + 'static>(
    reference: Data<Reference>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match authenticate(&reference, &request) {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        Err(error) => {
            log::warn!("refused: {error}");
            let realm = reference.account.realm.clone();
            let refusal = Refusal::Unauthorized { reason: error.to_string(), realm };
            Ok(request.into_response(refusal.error_response()))
        }
    }
}

fn authenticate(reference: &Reference, request: &ServiceRequest) -> Result<(), AuthError> {
    let account = &reference.account;
    let header = AuthorizationHeader::parse(only(request, AUTHORIZATION).ok_or(AuthError::NoHeader)?)?;
    if header.consumer_key() != account.consumer_key {
        return Err(AuthError::ConsumerKey);
    }
    if header.realm() != Some(account.realm.as_str()) {
        return Err(AuthError::Realm);
    }
    let host = only(request, HOST).ok_or(AuthError::NoHost)?;
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let url = format!("http://{host}{target}");
    header.verify(request.method().as_str(), &url, &account.consumer_secret, &[])?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    check_timestamp(header.timestamp(), now, WINDOW)?;
    // Last: only a request that is authentic may use up a nonce.
    if reference.nonces().is_new(header.timestamp(), header.nonce(), now) {
        Ok(())
    } else {
        Err(AuthError::Replayed)
    }
}

/// The header's value when it is there exactly once and is text.
fn only(request: &ServiceRequest, name: actix_web::http::header::HeaderName) -> Option<&str> {
    let mut values = request.headers().get_all(name);
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() { None } else { Some(value) }
}

/// The nonces of all requests whose timestamp could still be accepted.
#[derive(Debug, Default)]
pub(super) struct NonceMemory(BTreeSet<(u64, String)>);

impl NonceMemory {
    /// Remembers a nonce with its timestamp; false when it was there already.
    fn is_new(&mut self, timestamp: u64, nonce: &str, now: u64) -> bool {
        let oldest = now.saturating_sub(WINDOW.as_secs());
        if self.0.first().is_some_and(|(first, _)| *first < oldest) {
            self.0 = self.0.split_off(&(oldest, String::new()));
        }
        self.0.insert((timestamp, nonce.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_new_once_and_forgotten_when_its_timestamp_is_stale_anyway() {
        let mut memory = NonceMemory::default();
        assert!(memory.is_new(1000, "a", 1000));
        assert!(!memory.is_new(1000, "a", 1300));
        assert!(memory.is_new(1001, "a", 1300));
        assert!(memory.is_new(1000, "b", 1300));
        assert!(memory.is_new(1301, "a", 1301));
        assert_eq!(memory.0.len(), 2, "both of timestamp 1000 are gone");
    }
}
