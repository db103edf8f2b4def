//! Decides who is calling: OAuth 1.0a without a token (RFC 5849), or a bearer key (RFC 6750, 2.1).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::{
    HttpRequest,
    http::header::{AUTHORIZATION, HOST},
};
use chassis::settings::SecretString;
use oauth1::{AuthorizationHeader, check_timestamp};
use subtle::ConstantTimeEq;

use super::{
    Identity, People,
    rejection::{Refusal, Rejection},
    token,
};
use crate::{
    cache::{Nonce, Sealed},
    crypt::EncryptionKeys,
    database::Database,
    domain::api_client::{self, bearer_hash},
    limit::Limit,
    settings::{AuthSettings, Role},
};

/// How far a client's clock may be from ours, in either direction.
const WINDOW: Duration = Duration::from_secs(300);
/// The longest nonce that is accepted, in bytes.
const MAX_NONCE: usize = 255;
/// The longest bearer key that is looked at, in bytes. A real one has about 120 at most.
const MAX_BEARER: usize = 512;

/// Decides who is calling. One for all workers.
pub struct Authenticator {
    pub(super) settings: AuthSettings,
    database: Database,
    keys: EncryptionKeys,
    cache: Sealed,
    limit: Limit,
    pub(super) people: People,
    /// A signature is made with this when the client is unknown, so that unknown takes as long as wrong.
    nobody: SecretString,
}

/// A client under the key that a request names.
struct Found {
    roles: Vec<Role>,
    secret: Option<SecretString>,
    bearer_hash: Option<Vec<u8>>,
}

/// What a client signs, and its signature.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) authorization: &'a str,
}

impl Authenticator {
    /// Serves the clients of the settings and those of the database.
    #[must_use]
    pub fn new(
        settings: AuthSettings,
        database: Database,
        keys: EncryptionKeys,
        cache: Sealed,
        limit: Limit,
        people: People,
    ) -> Self {
        let nobody = SecretString::from("no client has this secret");
        Self { settings, database, keys, cache, limit, people, nobody }
    }

    /// Who has sent this request.
    pub(super) async fn authenticate(&self, request: &HttpRequest) -> Result<Identity, Refusal> {
        if !self.settings.require_oauth {
            return Ok(Identity::of_roles(None, &Role::ALL));
        }
        let authorization = authorization(request)?;
        let identity = match bearer_key(authorization) {
            Some(token) if token::has_form(token) => self.token(token).await?,
            Some(bearer_key) => self.bearer(bearer_key).await?,
            None => self.signed_request(request, authorization).await?,
        };
        self.limited(identity).await
    }

    /// Counts a call of somebody who is known.
    pub(super) async fn limited(&self, identity: Identity) -> Result<Identity, Refusal> {
        if let Some(key) = &identity.key {
            self.limit.check(key).await.map_err(Refusal::Limited)?;
        }
        Ok(identity)
    }

    /// The client that signed this request.
    pub(super) async fn signed_request(
        &self,
        request: &HttpRequest,
        authorization: &str,
    ) -> Result<Identity, Refusal> {
        let url = self.url(request);
        let signed = Signed { method: request.method().as_str(), url: &url, authorization };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.signed(&signed, now).await
    }

    /// The client that signed a request to this URL.
    pub(super) async fn signed(&self, request: &Signed<'_>, now: u64) -> Result<Identity, Refusal> {
        let header = AuthorizationHeader::parse(request.authorization)?;
        let key = header.consumer_key();
        let found = self.find(key).await?;
        let secret = found.as_ref().and_then(|found| found.secret.as_ref());
        let signature = header.verify(request.method, request.url, secret.unwrap_or(&self.nobody), &[]);
        let found = found.ok_or(Rejection::UnknownKey)?;
        if found.secret.is_none() {
            return Err(Rejection::NoSecret.into());
        }
        signature?;
        check_timestamp(header.timestamp(), now, WINDOW)?;
        // Last, so that only what a client has really signed is remembered.
        self.use_nonce(key, &header).await?;
        Ok(found.identity(key))
    }

    async fn use_nonce(&self, key: &str, header: &AuthorizationHeader) -> Result<(), Refusal> {
        if header.nonce().len() > MAX_NONCE {
            return Err(Rejection::LongNonce.into());
        }
        let nonce = Nonce::new(key, header.timestamp(), header.nonce());
        let is_new = self.cache.cache().use_nonce(nonce).await.map_err(Refusal::Unchecked)?;
        if is_new { Ok(()) } else { Err(Rejection::Replayed.into()) }
    }

    /// The client whose bearer key this is: `KEY.SECRET`.
    pub(super) async fn bearer(&self, bearer_key: &str) -> Result<Identity, Refusal> {
        if !self.settings.private {
            return Err(Rejection::ReadableBearer.into());
        }
        if bearer_key.len() > MAX_BEARER {
            return Err(Rejection::MalformedBearer.into());
        }
        let (key, _) = bearer_key.rsplit_once('.').ok_or(Rejection::MalformedBearer)?;
        // Clients of the settings sign: only the database holds bearer keys.
        let found = self.in_database(key).await?;
        let known = found.as_ref().and_then(|found| found.bearer_hash.as_deref());
        // What is compared against when there is no such client is no hash of anything that is known.
        let fits: bool = bearer_hash(bearer_key).as_slice().ct_eq(known.unwrap_or(&[0; 32])).into();
        match found {
            None => Err(Rejection::UnknownKey.into()),
            Some(found) if fits => Ok(found.identity(key)),
            Some(_) => Err(Rejection::WrongBearer.into()),
        }
    }

    async fn find(&self, key: &str) -> Result<Option<Found>, Refusal> {
        match self.settings.clients.get(key) {
            Some(client) => {
                let (roles, secret) = (client.roles.clone(), Some(client.secret.clone()));
                Ok(Some(Found { roles, secret, bearer_hash: None }))
            }
            None => self.in_database(key).await,
        }
    }

    /// The name of the client under this key. A client of the settings is called by its key.
    pub(super) fn name_of<'a>(&self, key: &'a str) -> &'a str {
        if self.settings.clients.contains_key(key) { key } else { api_client::name_in(key).unwrap_or(key) }
    }

    async fn in_database(&self, key: &str) -> Result<Option<Found>, Refusal> {
        let Some(known) = api_client::find(&self.database, &self.cache, key).await? else { return Ok(None) };
        let secret = known.secret.map(|secret| self.keys.decrypt(&secret)).transpose()?;
        Ok(Some(Found { roles: known.roles, secret, bearer_hash: known.bearer_hash }))
    }

    /// The URL as the client has signed it.
    pub(super) fn url(&self, request: &HttpRequest) -> String {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        match &self.settings.public_url {
            Some(url) => url.join(target),
            None => {
                // Not `connection_info`: it believes headers that any client can send.
                let scheme = if request.app_config().secure() { "https" } else { "http" };
                let host = request.headers().get(HOST);
                let host = host
                    .and_then(|host| host.to_str().ok())
                    .or_else(|| request.uri().authority().map(|a| a.as_str()));
                format!("{scheme}://{}{target}", host.unwrap_or_default())
            }
        }
    }
}

impl Found {
    fn identity(self, key: &str) -> Identity {
        Identity::of_roles(Some(key), &self.roles)
    }
}

pub(super) fn authorization(request: &HttpRequest) -> Result<&str, Rejection> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let value = values.next().ok_or(Rejection::Absent)?;
    if values.next().is_some() {
        return Err(Rejection::Ambiguous);
    }
    value.to_str().map_err(|_| Rejection::Ambiguous)
}

/// What follows the scheme `Bearer`.
pub(super) fn bearer_key(authorization: &str) -> Option<&str> {
    let (scheme, rest) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| rest.trim())
}
