//! The credentials of targets: each kind adds its own to a request, after whatever a caller sent in its place is gone.
//!
//! A request passes [`Credential::strip`] and then [`Credential::apply`]. Whenever the latter fails, nothing is sent.

mod aws_sigv4;
mod basic;
mod bearer;
mod body;
mod client_certificate;
mod error;
mod header;
mod hmac_body;
mod jwt;
mod kind;
mod oauth1;
mod oauth2;
mod places;
mod query;
mod secret;
mod soap_login;

use std::{fmt, sync::Arc, time::SystemTime};

use chassis::{base_url::BaseUrl, client::Identity, settings::Section};
use chrono::{DateTime, Utc};
use relay::{Outgoing, Upstream};
use secrecy::SecretString;

pub use error::CredentialError;
pub use kind::KINDS;
use kind::Kind;
pub(crate) use oauth2::{Granted, Token, TokenCache, is_json, parse_grant};
use places::Places;
pub(crate) use secret::Secret;

use super::scan::Scanner;
use crate::caller::Caller;

/// A target's credential. Clones share what is minted at run time. Its `Debug` shows the kind and the version alone.
#[derive(Clone)]
pub struct Credential {
    kind: Kind,
    version: Arc<str>,
    places: Arc<Places>,
}

/// What a credential may have to know of the request and of the worker that handles it.
pub struct Context<'a> {
    /// The target's URL, before which nothing of a request's path goes.
    pub target: &'a BaseUrl,
    /// Who is calling.
    pub caller: &'a Caller,
    /// Now.
    pub now: SystemTime,
    /// Knows what is minted.
    pub scanner: &'a Scanner,
    /// The connections to [`Credential::token_endpoint`], where there is one.
    pub token_endpoint: Option<&'a Upstream>,
    /// Told of each token that was asked for, and of the error where there was none.
    pub asked_for_token: &'a TokenListener,
}

/// Hears of each token that was asked for: of the error, where there was none.
pub type TokenListener = dyn Fn(Option<&CredentialError>);

/// What was added to a request, for [`Credential::refresh`].
#[derive(Clone, Default)]
pub struct Applied {
    token: Option<Arc<Token>>,
}

impl Credential {
    /// Reads `[targets.NAME.credential]`. None when `kind` is missing or unknown, which is recorded as a fault.
    #[must_use]
    pub fn read(section: &Section) -> Option<Self> {
        let kind = Kind::read(section, &section.required::<String>("kind"))?;
        let loaded = || DateTime::<Utc>::from(SystemTime::now()).format("loaded-%Y%m%dT%H%M%SZ").to_string();
        let version = section.optional::<String>("version").unwrap_or_else(loaded);
        if version.is_empty() || version.len() > 64 || !version.bytes().all(|byte| byte.is_ascii_graphic()) {
            section.fault("version", "expected 1 to 64 printable ASCII characters, none of them a space");
        }
        let mut places = Places::of_every_credential();
        kind.places(&mut places);
        Some(Self { kind, version: version.into(), places: Arc::new(places) })
    }

    /// That of a target that wants none: a caller's is removed all the same.
    #[must_use]
    pub fn none() -> Self {
        Self { kind: Kind::None, version: "".into(), places: Arc::new(Places::of_every_credential()) }
    }

    /// Takes over what the same target's credential minted before the settings were read again, as far as it is for
    /// the same client.
    pub fn inherit(&self, previous: &Self) {
        if let (Kind::OAuth2(kind), Kind::OAuth2(previous)) = (&self.kind, &previous.kind) {
            kind.inherit(previous);
        }
    }

    /// The kind's name, for the audit.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Which of a succession of secrets this is, for the audit: the operator's word, else when it was loaded.
    #[must_use]
    pub const fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// Every secret, those of before a rotation too. What is minted at run time is told to [`Context::scanner`].
    #[must_use]
    pub fn secrets(&self) -> Vec<SecretString> {
        let mut secrets = Vec::new();
        match &self.kind {
            Kind::None => {}
            Kind::Bearer(kind) => kind.secrets(&mut secrets),
            Kind::Basic(kind) => kind.secrets(&mut secrets),
            Kind::Header(kind) => kind.secrets(&mut secrets),
            Kind::Query(kind) => kind.secrets(&mut secrets),
            Kind::OAuth1(kind) => kind.secrets(&mut secrets),
            Kind::OAuth2(kind) => kind.secrets(&mut secrets),
            Kind::Jwt(kind) => kind.secrets(&mut secrets),
            Kind::AwsSigV4(kind) => kind.secrets(&mut secrets),
            Kind::HmacBody(kind) => kind.secrets(&mut secrets),
            Kind::SoapLogin(kind) => kind.secrets(&mut secrets),
            Kind::ClientCertificate(kind) => kind.secrets(&mut secrets),
        }
        secrets
    }

    /// What TLS presents to the target.
    #[must_use]
    pub const fn client_identity(&self) -> Option<&Identity> {
        match &self.kind {
            Kind::ClientCertificate(kind) => Some(kind.identity()),
            _ => None,
        }
    }

    /// The base URL for the [`Upstream`] of [`Context::token_endpoint`], which each worker has to make: with the
    /// target's resolver, authorities and limits.
    #[must_use]
    pub fn token_endpoint(&self) -> Option<&BaseUrl> {
        match &self.kind {
            Kind::OAuth2(kind) => Some(kind.endpoint()),
            _ => None,
        }
    }

    /// Whether [`Credential::apply`] takes the whole body of this request into memory, up to its limit.
    #[must_use]
    pub fn needs_body(&self, request: &Outgoing) -> bool {
        match &self.kind {
            Kind::AwsSigV4(_) | Kind::HmacBody(_) | Kind::SoapLogin(_) => true,
            // A form may hold what takes the place of the credential (RFC 5849, 3.4.1.3.1; RFC 6750, 2.2).
            Kind::OAuth1(_) | Kind::OAuth2(_) | Kind::Bearer(_) => body::is_form(&request.headers),
            Kind::None
            | Kind::Basic(_)
            | Kind::Header(_)
            | Kind::Query(_)
            | Kind::Jwt(_)
            | Kind::ClientCertificate(_) => false,
        }
    }

    /// Removes from headers and query whatever a caller put in the place of a credential. What is in a form is removed
    /// by [`Credential::apply`].
    pub fn strip(&self, request: &mut Outgoing) {
        self.places.strip(request);
    }

    /// Adds the credential to a request.
    ///
    /// # Errors
    /// [`CredentialError`], and then the request must not be sent.
    pub async fn apply(
        &self,
        request: &mut Outgoing,
        context: &Context<'_>,
    ) -> Result<Applied, CredentialError> {
        if self.needs_body(request) {
            Box::pin(body::buffer(request)).await?;
            self.places.strip_form(request)?;
        }
        match &self.kind {
            Kind::None | Kind::ClientCertificate(_) => {}
            Kind::Bearer(kind) => kind.apply(request)?,
            Kind::Basic(kind) => kind.apply(request)?,
            Kind::Header(kind) => kind.apply(request)?,
            Kind::Query(kind) => kind.apply(request),
            Kind::OAuth1(kind) => kind.apply(request, context)?,
            Kind::OAuth2(kind) => {
                // Boxed, so that the others need not be as large.
                let token = Box::pin(kind.apply(request, context)).await?;
                return Ok(Applied { token: Some(token) });
            }
            Kind::Jwt(kind) => kind.apply(request, context)?,
            Kind::AwsSigV4(kind) => kind.apply(request, context)?,
            Kind::HmacBody(kind) => kind.apply(request, context)?,
            Kind::SoapLogin(kind) => kind.apply(request)?,
        }
        Ok(Applied::default())
    }

    /// After a 401: forgets the token that was sent. Whether a request that is sent once more may fare better.
    #[must_use]
    pub fn refresh(&self, applied: &Applied, now: SystemTime) -> bool {
        match (&self.kind, &applied.token) {
            (Kind::OAuth2(kind), Some(token)) => kind.refresh(token, now),
            _ => false,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credential")
            .field("kind", &self.kind.name())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
