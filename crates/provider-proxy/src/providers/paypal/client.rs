//! Asks for access tokens, and sends requests with them.
//!
//! A request that PayPal refuses with 401 was not looked at: it is sent once more with a new token.

use std::{cell::Cell, sync::Arc};

use actix_web::http::{
    Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use bytes::Bytes;
use chassis::{
    base_url::BaseUrl,
    client::{ClientError, ExchangeError, HttpClient, Outgoing},
};
use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use wire::payment::{AttemptId, Outcome, Provider};

use super::{PaypalSettings, config::Shared};
use crate::{
    credentials::Withheld,
    error::ProxyError,
    passthrough::credential::{CredentialError, Granted, Token, is_json, parse_grant},
    providers::{
        exchange::{Exchange, Received, Unintelligible},
        posted::WallClock,
    },
    shape::ShapeError,
};

const TARGET: &str = Provider::Paypal.name();
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const REQUEST_ID: HeaderName = HeaderName::from_static("paypal-request-id");
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The longest id of PayPal's that is put into a path.
const LONGEST_ID: usize = 64;

/// Speaks to PayPal on behalf of one worker.
pub(super) struct Client {
    exchange: Exchange,
    /// For the token endpoint, whose answer is a credential and is read as one.
    http: HttpClient,
    url: BaseUrl,
    /// `Basic …`, by which a token is asked for.
    authorization: SecretString,
    shared: Arc<Shared>,
    clock: WallClock,
}

/// A request, before its token.
#[derive(Clone)]
pub(super) struct Call {
    method: Method,
    path: String,
    attempt: Option<AttemptId>,
    body: Option<Bytes>,
}

impl Call {
    /// Reads something.
    pub(super) fn get(path: String) -> Self {
        Self { method: Method::GET, path, attempt: None, body: None }
    }

    /// Makes something go away.
    pub(super) fn delete(path: String) -> Self {
        Self { method: Method::DELETE, path, attempt: None, body: None }
    }

    /// Changes something, once for each attempt.
    ///
    /// # Errors
    /// [`ProxyError::Unsendable`].
    pub(super) fn post(
        path: String,
        attempt: AttemptId,
        body: Option<&impl Serialize>,
    ) -> Result<Self, ProxyError> {
        let body = body.map(serde_json::to_vec).transpose().map_err(unsendable)?;
        Ok(Self { method: Method::POST, path, attempt: Some(attempt), body: body.map(Bytes::from) })
    }
}

impl Client {
    pub(super) fn new(settings: &PaypalSettings, clock: WallClock) -> Result<Self, ClientError> {
        let mut withheld = Withheld::default();
        settings.secrets().for_each(|secret| withheld.add_secret(&secret));
        let pair =
            format!("{}:{}", settings.client_id.expose_secret(), settings.client_secret.expose_secret());
        let basic = BASE64.encode(pair.as_bytes());
        withheld.add(&basic);
        Ok(Self {
            exchange: Exchange::new(Provider::Paypal, &settings.client, withheld)?,
            http: HttpClient::new(&settings.client)?,
            url: settings.url.clone(),
            authorization: format!("Basic {basic}").into(),
            shared: Arc::clone(&settings.shared),
            clock,
        })
    }

    pub(super) const fn withheld(&self) -> &Withheld {
        self.exchange.withheld()
    }

    pub(super) const fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) const fn clock(&self) -> WallClock {
        self.clock
    }

    /// Whether PayPal is reached over TLS.
    pub(super) const fn is_https(&self) -> bool {
        self.url.is_https()
    }

    /// Sends a request that may change something.
    ///
    /// # Errors
    /// [`ProxyError`] when nothing was sent.
    pub(super) async fn change<T>(
        &self,
        call: Call,
        map: impl Fn(&Received) -> Result<Outcome<T>, Unintelligible>,
    ) -> Result<Outcome<T>, ProxyError> {
        let token = self.token().await?;
        let refused = Cell::new(false);
        let first = self
            .exchange
            .change(self.outgoing(&call, &token)?, |received| {
                refused.set(received.status == StatusCode::UNAUTHORIZED);
                map(received)
            })
            .await?;
        match self.token_after(&token, refused.get()).await {
            Some(token) => self.exchange.change(self.outgoing(&call, &token)?, map).await,
            None => Ok(first),
        }
    }

    /// Sends a request that changes nothing.
    ///
    /// # Errors
    /// [`ProxyError`] when there is no answer, or none that can be read.
    pub(super) async fn read<T>(
        &self,
        call: Call,
        map: impl Fn(&Received) -> Result<T, Unintelligible>,
    ) -> Result<T, ProxyError> {
        let token = self.token().await?;
        let refused = Cell::new(false);
        let first = self
            .exchange
            .read(self.outgoing(&call, &token)?, |received| {
                refused.set(received.status == StatusCode::UNAUTHORIZED);
                map(received)
            })
            .await;
        match self.token_after(&token, refused.get()).await {
            Some(token) => self.exchange.read(self.outgoing(&call, &token)?, map).await,
            None => first,
        }
    }

    /// Another token after one that was refused, if one may be had.
    async fn token_after(&self, token: &Arc<Token>, refused: bool) -> Option<Arc<Token>> {
        if refused && self.shared.tokens.refuse(token, self.clock.now()) {
            self.token().await.ok()
        } else {
            None
        }
    }

    async fn token(&self) -> Result<Arc<Token>, ProxyError> {
        let token = self.shared.tokens.get(self.clock.now(), || self.mint()).await;
        token.map_err(|error| {
            log::error!("{TARGET}: no access token: {error}");
            match error {
                CredentialError::TokenRequest(
                    source @ (ExchangeError::Connect(_) | ExchangeError::Tls(_)),
                ) => ProxyError::Exchange { target: TARGET, source },
                // Whatever became of that request, the one that was asked for was not sent.
                error => unsendable(error.to_string()),
            }
        })
    }

    /// Asks for a token (RFC 6749, section 4.4).
    async fn mint(&self) -> Result<Granted, CredentialError> {
        let authorization = sensitive(self.authorization.expose_secret()).map_err(|()| {
            CredentialError::Unusable { reason: "it holds a character that no header can hold" }
        })?;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.url.join("/v1/oauth2/token"),
            headers: vec![(AUTHORIZATION, authorization), (ACCEPT, JSON), (CONTENT_TYPE, form)],
            body: Bytes::from_static(b"grant_type=client_credentials"),
        };
        let incoming = self.http.send(outgoing).await.map_err(CredentialError::TokenRequest)?;
        let status = http::StatusCode::from_u16(incoming.status.as_u16())
            .map_err(|_| CredentialError::TokenAnswer { reason: "its status is none" })?;
        let is_json = incoming.headers.get(CONTENT_TYPE).is_some_and(|value| is_json(value.as_bytes()));
        parse_grant(status, is_json, &incoming.body)
    }

    fn outgoing(&self, call: &Call, token: &Arc<Token>) -> Result<Outgoing, ProxyError> {
        let bearer = sensitive(&format!("Bearer {}", token.secret().expose_secret()));
        let bearer = bearer.map_err(|()| unsendable("the access token does not fit a header"))?;
        let mut headers = vec![(AUTHORIZATION, bearer), (ACCEPT, JSON)];
        if let Some(attempt) = call.attempt {
            let key = HeaderValue::from_str(&attempt.to_string()).map_err(unsendable)?;
            headers.push((REQUEST_ID, key));
            headers.push((PREFER, HeaderValue::from_static("return=representation")));
            headers.push((CONTENT_TYPE, JSON));
        }
        let body = call.body.clone().unwrap_or_default();
        Ok(Outgoing { method: call.method.clone(), url: self.url.join(&call.path), headers, body })
    }
}

/// Reads the JSON of a success; anything else with a 2xx is no answer.
///
/// # Errors
/// [`Unintelligible`].
pub(super) fn success<T: DeserializeOwned>(received: &Received) -> Result<T, Unintelligible> {
    match received.headers.get(CONTENT_TYPE) {
        Some(value) if is_json(value.as_bytes()) => received.json(),
        _ => Err(Unintelligible::field(".", "not application/json")),
    }
}

/// An id of PayPal's that may stand in a path.
///
/// # Errors
/// [`ProxyError::InvalidRequest`] when it is none.
pub(super) fn path_id<'id>(field: &str, id: &'id str) -> Result<&'id str, ProxyError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(fits) {
        Ok(id)
    } else {
        Err(invalid(ShapeError::field(field, "not an id of PayPal")))
    }
}

/// A request of db-server that is wrong.
pub(super) const fn invalid(source: ShapeError) -> ProxyError {
    ProxyError::InvalidRequest { target: TARGET, source }
}

fn unsendable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ProxyError {
    ProxyError::Unsendable { target: TARGET, source: source.into() }
}

fn sensitive(text: &str) -> Result<HeaderValue, ()> {
    let mut value = HeaderValue::from_str(text).map_err(|_| ())?;
    value.set_sensitive(true);
    Ok(value)
}
