//! Who is calling: the client certificate of the connection and the signed claims of the request.

mod verifier;

use std::{rc::Rc, sync::Arc};

use jws::VerifyError;
use serde_json::{Map, Value};
use thiserror::Error;
use wire::{
    ErrorKind,
    identity::{ANONYMOUS, ROLE_ANONYMOUS},
};

pub use self::verifier::CallerVerifier;
use crate::config::CallerEntry;

/// A caller whose token, and certificate where one is demanded, have been verified.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The claim `sub`. Shared with the thread that writes the audit log, like the next.
    pub name: Arc<str>,
    /// The claim `authorities`.
    pub authorities: Arc<[String]>,
    /// All claims of the token, for a target's `rewrite` and for templates.
    pub claims: Rc<Map<String, Value>>,
    /// The entry of `[callers]` whose SAN the client certificate has; none without TLS.
    pub entry: Option<Rc<CallerEntry>>,
}

impl Caller {
    /// Nobody in particular, where no token is asked for.
    #[must_use]
    pub fn anonymous() -> Self {
        let authorities = vec![ROLE_ANONYMOUS.to_owned()];
        Self { name: ANONYMOUS.into(), authorities: authorities.into(), claims: Rc::default(), entry: None }
    }

    /// Whether it may use this target of the pass-through. Without client certificates every caller may use all.
    #[must_use]
    pub fn may_use(&self, target: &str) -> bool {
        let Some(entry) = &self.entry else { return true };
        entry.targets.iter().any(|allowed| allowed == "*" || allowed == target)
    }

    /// Whether it may ask for this operation; the verification of webhooks is `webhooks` and the provider's name.
    /// Without client certificates every caller may ask for all.
    #[must_use]
    pub fn may_perform(&self, provider: &str, operation: &str) -> bool {
        let Some(entry) = &self.entry else { return true };
        entry.operations.iter().any(|allowed| match allowed.split_once('/') {
            None => allowed == "*",
            Some((of, named)) => of == provider && (named == "*" || named == operation),
        })
    }
}

/// Why a caller is not let in. `Display` is for the log and shows nothing of the token; [`CallerError::message`] is
/// for the caller.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum CallerError {
    /// The client certificate is none of those that `[callers]` lists.
    #[error("the client certificate is made out to none of [callers]")]
    UnknownCertificate,
    /// The client certificate was good when the connection began, and has ended or been revoked since.
    #[error("the client certificate has ended or been revoked")]
    Distrusted,
    /// There is no token, or more than one.
    #[error("there is not exactly one bearer token")]
    NoToken,
    /// The token is not good.
    #[error("{0}")]
    Token(VerifyError),
    /// The token's claims are not those of [`wire::identity::Claims`].
    #[error("the token lacks a claim, or it has the wrong type")]
    Claims,
    /// The token lives longer than [`wire::identity::LONGEST_LIFE`].
    #[error("the token lives longer than it may")]
    LongLived,
    /// The server has not been given a verifier, which is a defect.
    #[error("nobody can verify the caller")]
    NoVerifier,
}

impl CallerError {
    /// The kind of the error on `/v1`.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::UnknownCertificate => ErrorKind::Caller,
            Self::Distrusted | Self::NoToken | Self::Token(_) | Self::Claims | Self::LongLived => {
                ErrorKind::Identity
            }
            Self::NoVerifier => ErrorKind::Internal,
        }
    }

    /// The kind of the error on `/proxy`.
    #[must_use]
    pub const fn door_kind(self) -> wire::passthrough::Kind {
        match self.kind() {
            ErrorKind::Caller => wire::passthrough::Kind::Caller,
            ErrorKind::Identity => wire::passthrough::Kind::Identity,
            _ => wire::passthrough::Kind::Internal,
        }
    }

    /// What the caller is told: an expired token is told apart from one that is not valid, and nothing else.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::UnknownCertificate => "The client certificate is not that of a known caller.",
            Self::Distrusted => "The client certificate is not valid any more.",
            Self::NoToken => "A token is required.",
            Self::Token(VerifyError::Expired) => "The token has expired.",
            Self::Token(_) | Self::Claims | Self::LongLived => "The token is not valid.",
            Self::NoVerifier => "The caller cannot be verified; nothing was sent.",
        }
    }

    /// The value of `WWW-Authenticate` (RFC 6750, section 3), where a token would help.
    #[must_use]
    pub const fn challenge(self) -> Option<&'static str> {
        match self {
            Self::NoToken => Some("Bearer"),
            Self::Token(VerifyError::Expired) => {
                Some("Bearer error=\"invalid_token\", error_description=\"The token has expired.\"")
            }
            Self::Token(_) | Self::Claims | Self::LongLived => {
                Some("Bearer error=\"invalid_token\", error_description=\"The token is not valid.\"")
            }
            Self::UnknownCertificate | Self::Distrusted | Self::NoVerifier => None,
        }
    }
}

#[cfg(test)]
mod tests;
