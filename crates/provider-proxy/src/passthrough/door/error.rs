//! Why the proxy answers instead of a target.

use relay::RelayError;
use thiserror::Error;
use wire::passthrough::Kind;

use crate::{
    audit::Unavailable,
    caller::CallerError,
    passthrough::{admission::Refused, credential::CredentialError, path::PathError, template::ClaimError},
};

/// Why the proxy answers instead of a target. What it displays is for the log and for the caller: no secret, no URL,
/// no address; the sources are for the log alone.
#[derive(Debug, Error)]
pub enum DoorError {
    /// The door, or the target, is not open.
    #[error("The proxy is disabled.")]
    Disabled,
    /// There is no such target.
    #[error("There is no such target.")]
    UnknownTarget,
    /// The caller is not known.
    #[error("{}", .0.message())]
    Identity(#[source] CallerError),
    /// The caller may not use this target.
    #[error("The caller may not use this target.")]
    Caller,
    /// The caller lacks an authority.
    #[error("The target requires an authority that the caller does not have.")]
    Authority,
    /// The target's path or headers need a claim that the caller does not have in a usable form.
    #[error("The target needs a claim that the caller's token does not have in a usable form.")]
    Claim(#[from] ClaimError),
    /// `allow` has nothing that fits.
    #[error("The target does not allow this method and path.")]
    NotAllowed,
    /// The path is refused.
    #[error("The path is refused: {0}.")]
    Path(#[from] PathError),
    /// A method that is never passed on.
    #[error("This method is never passed on.")]
    Method,
    /// The request's body, or its framing, is wrong.
    #[error("The request's body could not be read.")]
    RequestBody(#[source] actix_web::error::PayloadError),
    /// The request's body is too large.
    #[error("The request's body is larger than {limit} bytes.")]
    RequestTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The request's body did not come in time.
    #[error("The request's body did not come in time.")]
    RequestTimeout,
    /// The bulkhead lets nothing through.
    #[error("The target takes no more requests at the moment.")]
    Admission(Refused),
    /// The audit log takes no line.
    #[error("The audit log takes no line at the moment.")]
    Audit(#[from] Unavailable),
    /// The credential cannot be had.
    #[error("The target's credential cannot be had.")]
    Credential(#[source] CredentialError),
    /// The exchange failed.
    #[error("{}", summary(.0))]
    Relay(#[source] RelayError),
    /// The target redirects.
    #[error("The target answered with a redirect ({status}), which is never followed.")]
    Redirect {
        /// The target's HTTP status.
        status: u16,
    },
    /// The answer is too large.
    #[error("The target's answer is larger than {limit} bytes.")]
    ResponseTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The answer holds a secret.
    #[error("The target's answer is withheld: its {place} held a secret.")]
    Leak {
        /// `header`, `body` or `trailer`.
        place: &'static str,
    },
    /// The worker could not set up what it needs.
    #[error("The proxy itself is not ready.")]
    Internal,
}

impl DoorError {
    /// What the caller is told it was.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Disabled => Kind::Disabled,
            Self::UnknownTarget => Kind::UnknownTarget,
            Self::Identity(error) => error.door_kind(),
            Self::Caller | Self::Authority | Self::Claim(_) => Kind::Caller,
            Self::NotAllowed => Kind::NotAllowed,
            Self::Path(_) => Kind::Path,
            Self::Method => Kind::Method,
            Self::RequestBody(_) | Self::RequestTimeout => Kind::InvalidRequest,
            Self::RequestTooLarge { .. } => Kind::RequestTooLarge,
            Self::Admission(refused) => refused.kind,
            Self::Audit(_) => Kind::Busy,
            Self::Credential(error) => error.kind(),
            Self::Relay(error) => relay_kind(error),
            Self::Redirect { .. } => Kind::Redirect,
            Self::ResponseTooLarge { .. } => Kind::ResponseTooLarge,
            Self::Leak { .. } => Kind::Leak,
            Self::Internal => Kind::Internal,
        }
    }

    /// The value of `WWW-Authenticate` (RFC 6750, section 3), where a token would help.
    #[must_use]
    pub const fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::Identity(error) => error.challenge(),
            _ => None,
        }
    }

    /// When the caller may try again, in seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Admission(refused) => Some(refused.retry_after_seconds()),
            Self::Audit(_) => Some(1),
            _ => None,
        }
    }

    /// Whether the target could not be reached or broke off: what the log calls a connection error.
    #[must_use]
    pub const fn is_connection(&self) -> bool {
        matches!(self.kind(), Kind::Connect | Kind::Tls | Kind::Timeout | Kind::Protocol | Kind::Egress)
    }
}

const fn relay_kind(error: &RelayError) -> Kind {
    match error {
        RelayError::Unsendable { .. } => Kind::Internal,
        RelayError::Resolve(_) | RelayError::Connect(_) | RelayError::ConnectTimeout { .. } => Kind::Connect,
        RelayError::Egress { .. } => Kind::Egress,
        RelayError::Tls(_) => Kind::Tls,
        RelayError::Timeout { .. } => Kind::Timeout,
        RelayError::RequestTooLarge { .. } => Kind::RequestTooLarge,
        RelayError::RequestBody(_) => Kind::InvalidRequest,
        RelayError::Protocol(_) | RelayError::Truncated(_) | RelayError::Withheld { .. } => Kind::Protocol,
    }
}

/// Without what only the log may tell.
const fn summary(error: &RelayError) -> &'static str {
    match error {
        RelayError::Unsendable { .. } => "The request cannot be sent.",
        RelayError::Resolve(_) => "The target's name has no address.",
        RelayError::Connect(_) => "The target cannot be reached.",
        RelayError::ConnectTimeout { .. } => "The target cannot be reached in time.",
        RelayError::Egress { .. } => "The target is where it may not be.",
        RelayError::Tls(_) => "The TLS handshake with the target failed.",
        RelayError::Timeout { .. } => "The target did not answer in time.",
        RelayError::RequestTooLarge { .. } => "The request's body is too large.",
        RelayError::RequestBody(_) => "The request's body broke off.",
        RelayError::Protocol(_) => "The connection broke, or the answer was not HTTP.",
        RelayError::Truncated(_) => "The answer broke off.",
        RelayError::Withheld { .. } => "The answer is withheld.",
    }
}
