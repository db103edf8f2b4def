//! A request that moves money: its `Idempotency-Key` and its body.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::HeaderMap, web::Bytes};
use uuid::Uuid;

use crate::{
    domain::payment::idempotency::Once,
    error::ApiError,
    form::{Form, read_json},
};

/// The header with the client's key.
const HEADER: &str = "Idempotency-Key";
/// The longest key, in characters.
const MAX_KEY: usize = 255;

/// A request under a key of the client's. What has no key is refused before its body is looked at.
#[derive(Debug)]
pub struct Keyed {
    route: String,
    key: String,
    body: Bytes,
    form: Form,
}

impl Keyed {
    /// Under which key this client asks, and for what.
    #[must_use]
    pub fn into_parts(self, client: &str) -> (Once, Form) {
        (Once::new(client, &self.route, &self.key, &self.body), self.form)
    }
}

impl FromRequest for Keyed {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Self::read(read_key(request.headers()), request, payload)
    }
}

impl Keyed {
    fn read(
        key: Option<String>,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> Pin<Box<dyn Future<Output = Result<Self, ApiError>>>> {
        // The same path with and without its last slash is the same route.
        let route = format!("{} {}", request.method(), request.path().trim_end_matches('/'));
        let body = read_json(request, payload);
        Box::pin(async move {
            let key = key.ok_or(ApiError::NoIdempotencyKey)?;
            let body = body.await?;
            let form = Form::parse(&body)?;
            Ok(Self { route, key, body, form })
        })
    }
}

/// A request that may have a key, as clients of the Solitude API send none. Without one it gets one that no other request
/// has, so that all the rest is the same.
#[derive(Debug)]
pub struct MaybeKeyed(Keyed);

impl MaybeKeyed {
    /// Under which key this client asks, and for what.
    #[must_use]
    pub fn into_parts(self, client: &str) -> (Once, Form) {
        self.0.into_parts(client)
    }
}

impl FromRequest for MaybeKeyed {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        let key =
            if headers.contains_key(HEADER) { read_key(headers) } else { Some(Uuid::new_v4().to_string()) };
        let keyed = Keyed::read(key, request, payload);
        Box::pin(async move { keyed.await.map(Self) })
    }
}

fn read_key(headers: &HeaderMap) -> Option<String> {
    let mut keys = headers.get_all(HEADER);
    let (key, others) = (keys.next()?.to_str().ok()?, keys.next());
    let fits = (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    (fits && others.is_none()).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::from_static("idempotency-key"), value);
        }
        read_key(&headers)
    }

    #[test]
    fn a_key_is_one_to_255_visible_characters() {
        assert_eq!(read(&["order-6735/1"]).as_deref(), Some("order-6735/1"));
        assert!(read(&["x".repeat(255).as_str()]).is_some());
        for values in [&[][..], &[""], &["a b"], &["é"], &["a", "b"], &[&"x".repeat(256)]] {
            assert_eq!(read(values), None, "{values:?}");
        }
    }
}
