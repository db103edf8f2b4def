//! On whose behalf `db-server` calls: the claims of the token that goes with each of its requests.

use serde::{Deserialize, Serialize};

/// The claims (RFC 7519) that `db-server` signs and `provider-proxy` verifies, in whole seconds since the epoch.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Claims {
    /// The client's name; [`ANONYMOUS`] when there is none.
    pub sub: String,
    /// The client's roles, as `ROLE_READ`; [`ROLE_ANONYMOUS`] alone when there is none.
    pub authorities: Vec<String>,
    /// Who signed.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// When it was signed.
    pub iat: u64,
    /// When it ends, at most [`LONGEST_LIFE`] after `iat`.
    pub exp: u64,
    /// The token's own id.
    pub jti: String,
}

/// The `sub` of a request that nobody signed.
pub const ANONYMOUS: &str = "anonymousUser";

/// The only authority of a request that nobody signed.
pub const ROLE_ANONYMOUS: &str = "ROLE_ANONYMOUS";

/// How long a token may live, in seconds.
pub const LONGEST_LIFE: u64 = 60;
