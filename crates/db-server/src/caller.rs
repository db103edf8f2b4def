//! Who is calling, and what that client may do: OAuth 1.0a without a token (RFC 5849), checked before any work.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::AUTHORIZATION, web::Data};
use chassis::{logging, settings::SecretString};
use oauth1::{AuthorizationHeader, VerifyError, check_timestamp};
use thiserror::Error;

use crate::{
    error::ApiError,
    nonces::Nonces,
    settings::{AuthSettings, Client, Role},
};

/// How far a client's clock may be from ours, in either direction.
const WINDOW: Duration = Duration::from_secs(300);
/// The longest nonce that is remembered, in bytes.
const MAX_NONCE: usize = 255;
/// The actor of an audit event when requests need no signature.
const ANONYMOUS: &str = "anonymous";

/// Decides who is calling. One for all workers, because a nonce is remembered for all.
pub struct Authenticator {
    settings: AuthSettings,
    /// A signature is made with this when the client is unknown, so that unknown takes as long as wrong.
    nobody: SecretString,
    nonces: Nonces,
}

/// Why a caller is not known; for the log alone.
#[derive(Debug, Eq, Error, PartialEq)]
enum Rejection {
    #[error("no Authorization header")]
    Absent,
    #[error("more than one Authorization header, or not text")]
    Ambiguous,
    #[error("{0}")]
    Invalid(#[from] VerifyError),
    #[error("no client has the consumer key")]
    UnknownKey,
    #[error("the nonce is too long")]
    LongNonce,
    #[error("the nonce has been used before")]
    Replayed,
}

impl Authenticator {
    /// Serves these clients.
    #[must_use]
    pub fn new(settings: AuthSettings) -> Self {
        // No capacity limit: a nonce that is forgotten early could be replayed, and only a client that has signed
        // can add one. A timestamp is fresh for twice the window at most, and seconds are rounded; then it may go.
        let nonces = Nonces::new(2 * WINDOW + Duration::from_secs(2));
        Self { settings, nobody: SecretString::from("no client has this secret"), nonces }
    }

    /// The client that signed a request to this URL.
    fn client(&self, request: &Signed<'_>, now: u64) -> Result<(&str, &Client), Rejection> {
        let header = AuthorizationHeader::parse(request.authorization)?;
        let known = self.settings.clients.get_key_value(header.consumer_key());
        let secret = known.map_or(&self.nobody, |(_, client)| &client.secret);
        let signature = header.verify(request.method, request.url, secret, &[]);
        let (key, client) = known.ok_or(Rejection::UnknownKey)?;
        signature?;
        check_timestamp(header.timestamp(), now, WINDOW)?;
        self.use_nonce(key, &header)?;
        Ok((key, client))
    }

    /// Last, so that only what a client has really signed is remembered.
    fn use_nonce(&self, key: &str, header: &AuthorizationHeader) -> Result<(), Rejection> {
        if header.nonce().len() > MAX_NONCE {
            return Err(Rejection::LongNonce);
        }
        let fresh = self.nonces.use_once(key, header.timestamp(), header.nonce());
        if fresh { Ok(()) } else { Err(Rejection::Replayed) }
    }

    fn authenticate(&self, request: &HttpRequest) -> Result<(Option<&str>, &[Role]), Rejection> {
        if !self.settings.require_oauth {
            return Ok((None, &Role::ALL));
        }
        let url = self.url(request);
        let signed =
            Signed { method: request.method().as_str(), url: &url, authorization: authorization(request)? };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.client(&signed, now).map(|(key, client)| (Some(key), client.roles.as_slice()))
    }

    /// The URL as the client has signed it.
    fn url(&self, request: &HttpRequest) -> String {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        match &self.settings.public_url {
            Some(url) => url.join(target),
            None => {
                // Not `connection_info`: it believes headers that any client can send.
                let scheme = if request.app_config().secure() { "https" } else { "http" };
                let host = request.headers().get(actix_web::http::header::HOST);
                let host = host
                    .and_then(|host| host.to_str().ok())
                    .or_else(|| request.uri().authority().map(|a| a.as_str()));
                format!("{scheme}://{}{target}", host.unwrap_or_default())
            }
        }
    }
}

/// What a client signs, and its signature.
struct Signed<'a> {
    method: &'a str,
    url: &'a str,
    authorization: &'a str,
}

fn authorization(request: &HttpRequest) -> Result<&str, Rejection> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let value = values.next().ok_or(Rejection::Absent)?;
    if values.next().is_some() {
        return Err(Rejection::Ambiguous);
    }
    value.to_str().map_err(|_| Rejection::Ambiguous)
}

/// A role that a route needs, as a type, so that the route's signature says it.
pub trait Needs: 'static {
    /// The role.
    const ROLE: Role;
}

/// The route reads.
#[derive(Debug)]
pub struct Read;

/// The route creates, changes, or starts a payment.
#[derive(Debug)]
pub struct Write;

impl Needs for Read {
    const ROLE: Role = Role::Read;
}

impl Needs for Write {
    const ROLE: Role = Role::Write;
}

/// A client that is known and has the role `R`. A handler that takes one runs for no one else.
#[derive(Debug)]
pub struct Caller<R> {
    key: Option<String>,
    role: PhantomData<R>,
}

impl<R> Caller<R> {
    /// The client's key; none when requests need no signature.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The name under which the audit events of this request are written.
    #[must_use]
    pub fn actor(&self) -> String {
        self.key.clone().unwrap_or_else(|| ANONYMOUS.to_owned())
    }
}

impl<R: Needs> FromRequest for Caller<R> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identify(request))
    }
}

fn identify<R: Needs>(request: &HttpRequest) -> Result<Caller<R>, ApiError> {
    let Some(authenticator) = request.app_data::<Data<Authenticator>>() else {
        log::error!("the server has no authenticator; nobody is let in");
        return Err(ApiError::Unauthenticated);
    };
    let (key, roles) = authenticator.authenticate(request).map_err(|rejection| {
        log::warn!("not authenticated: {rejection}");
        ApiError::Unauthenticated
    })?;
    if let (Some(key), Some(context)) = (key, logging::context()) {
        context.set_client(key);
    }
    if !roles.contains(&R::ROLE) {
        log::warn!("the client lacks the role {}", R::ROLE.name());
        return Err(ApiError::Forbidden);
    }
    Ok(Caller { key: key.map(ToOwned::to_owned), role: PhantomData })
}

#[cfg(test)]
mod tests;
