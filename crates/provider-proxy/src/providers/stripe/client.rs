//! Stripe's requests: the path, the form with its brackets, and the headers that all of them have.

use std::fmt::Write as _;

use actix_web::http::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use bytes::Bytes;
use chassis::{
    base_url::BaseUrl,
    client::{ClientError, Outgoing},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use wire::payment::{AttemptId, Outcome, Provider, Token};

use super::{StripeSettings, error::refusal, messages::Shape};
use crate::{
    credentials::Withheld,
    error::ProxyError,
    providers::exchange::{Exchange, Received, Unintelligible},
    shape::ShapeError,
};

const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// RFC 3986: everything but unreserved characters is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Longer than any id of Stripe's.
const LONGEST_ID: usize = 255;

/// Speaks to Stripe on behalf of one worker.
pub(super) struct Client {
    exchange: Exchange,
    url: BaseUrl,
    key: SecretString,
    version: String,
}

/// One request, without URL and credentials.
pub(super) struct Call {
    method: Method,
    /// Begins with `/v1/`; all that a caller chose in it has been looked through by [`id`].
    path: String,
    /// In a body, or in the query of what has none.
    form: String,
    key: Option<AttemptId>,
    /// What the answer may not repeat.
    tokens: Vec<Token>,
}

impl Call {
    /// A `POST`; the attempt is its idempotency key.
    pub(super) fn post(path: impl Into<String>, attempt: AttemptId) -> Self {
        Self { key: Some(attempt), ..Self::new(Method::POST, path) }
    }

    /// A `GET`.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A `DELETE`, which is idempotent by itself.
    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), form: String::new(), key: None, tokens: Vec::new() }
    }

    /// Adds a parameter; the name has its brackets in it.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let between = if self.form.is_empty() { "" } else { "&" };
        let (name, value) = (utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, ENCODED));
        let _ = write!(self.form, "{between}{name}={value}");
        self
    }

    /// Adds a parameter that may be absent.
    pub(super) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds what stands for a means of payment; the answer will not repeat it in its errors.
    pub(super) fn with_token(self, name: &str, token: &Token) -> Self {
        let mut call = self.with(name, token.expose());
        call.tokens.push(token.clone());
        call
    }

    /// The same for one that stands in the path already.
    pub(super) fn hiding(mut self, token: &Token) -> Self {
        self.tokens.push(token.clone());
        self
    }
}

impl Client {
    pub(super) fn new(settings: &StripeSettings) -> Result<Self, ClientError> {
        let mut withheld = Withheld::default();
        settings.secrets().for_each(|secret| withheld.add_secret(&secret));
        Ok(Self {
            exchange: Exchange::new(Provider::Stripe, &settings.client, withheld)?,
            url: settings.url.clone(),
            key: settings.secret_key.clone(),
            version: settings.api_version.clone(),
        })
    }

    pub(super) const fn withheld(&self) -> &Withheld {
        self.exchange.withheld()
    }

    /// Sends what may change something, and maps the object that it made.
    ///
    /// # Errors
    /// [`ProxyError`] when nothing was sent.
    pub(super) async fn change<S: Shape, T>(
        &self,
        call: Call,
        map: impl FnOnce(S) -> Result<Outcome<T>, Unintelligible>,
        refused: impl FnOnce(&super::messages::ErrorBody) -> Result<Option<T>, Unintelligible>,
    ) -> Result<Outcome<T>, ProxyError> {
        let (outgoing, tokens) = self.outgoing(call)?;
        let answer = |received: &Received| {
            if received.status.is_success() {
                map(S::read(received)?)
            } else {
                refusal(received, &tokens, refused)
            }
        };
        self.exchange.change(outgoing, answer).await
    }

    /// Sends what changes nothing; None when there is no such object.
    ///
    /// # Errors
    /// [`ProxyError`] when there is no answer, or one that cannot be read.
    pub(super) async fn read<S: Shape>(&self, call: Call) -> Result<Option<S>, ProxyError> {
        let (outgoing, _) = self.outgoing(call)?;
        let answer = |received: &Received| {
            if received.status.is_success() {
                return S::read(received).map(Some);
            }
            let body = super::messages::ErrorBody::read(received)?;
            if body.is_missing() { Ok(None) } else { Err(body.unexpected(received.status)) }
        };
        self.exchange.read(outgoing, answer).await
    }

    /// Sends what changes nothing that matters, and says how it ended.
    ///
    /// # Errors
    /// [`ProxyError`] when there is no answer, or one that cannot be read.
    pub(super) async fn ask<S: Shape, T>(
        &self,
        call: Call,
        map: impl FnOnce(S) -> Result<Outcome<T>, Unintelligible>,
    ) -> Result<Outcome<T>, ProxyError> {
        let (outgoing, tokens) = self.outgoing(call)?;
        let answer = |received: &Received| {
            if received.status.is_success() {
                map(S::read(received)?)
            } else {
                refusal(received, &tokens, |_| Ok(None))
            }
        };
        self.exchange.read(outgoing, answer).await
    }

    fn outgoing(&self, call: Call) -> Result<(Outgoing, Vec<Token>), ProxyError> {
        let unsendable = |source: Box<dyn std::error::Error + Send + Sync>| ProxyError::Unsendable {
            target: Provider::Stripe.name(),
            source,
        };
        let bearer = format!("Bearer {}", self.key.expose_secret());
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|error| unsendable(error.into()))?;
        authorization.set_sensitive(true);
        let version = HeaderValue::from_str(&self.version).map_err(|error| unsendable(error.into()))?;
        let mut headers = vec![(AUTHORIZATION, authorization), (STRIPE_VERSION, version), (ACCEPT, JSON)];
        if let Some(attempt) = call.key {
            let key =
                HeaderValue::from_str(&attempt.to_string()).map_err(|error| unsendable(error.into()))?;
            headers.push((IDEMPOTENCY_KEY, key));
        }
        let mut url = self.url.join(&call.path);
        let mut body = Bytes::new();
        if call.method == Method::POST {
            headers.push((CONTENT_TYPE, FORM));
            body = call.form.into();
        } else if !call.form.is_empty() {
            let _ = write!(url, "?{}", call.form);
        }
        Ok((Outgoing { method: call.method, url, headers, body }, call.tokens))
    }
}

/// An id that a caller chose, to be put into a path: nothing but letters, digits and underscores gets there.
///
/// # Errors
/// [`ProxyError::InvalidRequest`].
pub(super) fn id<'id>(field: &str, id: &'id str) -> Result<&'id str, ProxyError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(fits) {
        return Ok(id);
    }
    Err(invalid(ShapeError::field(field, "expected an id of Stripe: letters, digits and underscores")))
}

/// The error for a request that Stripe cannot be asked.
pub(super) fn invalid(source: ShapeError) -> ProxyError {
    ProxyError::InvalidRequest { target: Provider::Stripe.name(), source }
}
