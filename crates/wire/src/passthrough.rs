//! What `provider-proxy` says of itself on `/proxy/{target}/{tail}`, where a target's own answers are passed on unread.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The header that every answer of the proxy itself carries there, and no answer of a target: the [`Kind`]'s name.
pub const ERROR_HEADER: &str = "x-proxy-error";

/// The text with which a door that is not open answers 501.
pub const DISABLED: &str = "The proxy is disabled.";

macro_rules! kinds {
    ($($(#[$documentation:meta])* $kind:ident $name:literal $status:literal,)*) => {
        /// Why the proxy answered instead of the target.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$documentation])* $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The name in the header and in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self {
                    $(Self::$kind => $status,)*
                }
            }
        }
    };
}

kinds! {
    /// The door, or this target, is not enabled. Nothing was sent.
    Disabled "disabled" 501,
    /// There is no such target. Nothing was sent.
    UnknownTarget "unknown_target" 404,
    /// The caller's token or certificate is missing or not valid. Nothing was sent.
    Identity "identity" 401,
    /// The caller may not use this target, or lacks an authority that it requires. Nothing was sent.
    Caller "caller" 403,
    /// The target's `allow` has no such method and path. Nothing was sent.
    NotAllowed "not_allowed" 403,
    /// The path could lead elsewhere than it seems to. Nothing was sent.
    Path "path" 400,
    /// The method is never passed on. Nothing was sent.
    Method "method" 405,
    /// A header or the framing of the request is wrong. Nothing was sent.
    InvalidRequest "invalid_request" 400,
    /// The request's body is larger than the target takes. A streamed one may have been sent in part.
    RequestTooLarge "request_too_large" 413,
    /// The target has as many requests as it may have at once. Nothing was sent.
    Busy "busy" 503,
    /// The target gets no more requests in this time. Nothing was sent.
    RateLimited "rate_limited" 429,
    /// The target failed too often of late. Nothing was sent.
    CircuitOpen "circuit_open" 503,
    /// The audit log takes no line, and what cannot be audited is not done. Nothing was sent.
    Unaudited "unaudited" 503,
    /// The credential is missing, expired or cannot be made. Nothing was sent.
    Credential "credential" 502,
    /// The target's name leads to an address that it may not have. Nothing was sent.
    Egress "egress" 502,
    /// The target cannot be reached: no address, refused, or not within the connect timeout. Nothing was sent.
    Connect "connect" 500,
    /// The TLS handshake with the target failed. Nothing was sent.
    Tls "tls" 502,
    /// The target did not answer in time. It may have acted.
    Timeout "timeout" 504,
    /// The connection broke, or the answer was not HTTP. The target may have acted.
    Protocol "protocol" 502,
    /// The target answered with a redirect, which is never followed. It may have acted.
    Redirect "redirect" 502,
    /// The target's answer is larger than allowed. It may have acted.
    ResponseTooLarge "response_too_large" 502,
    /// The target's answer held a secret of this proxy. It may have acted.
    Leak "leak" 502,
    /// The proxy itself failed before it sent anything.
    Internal "internal" 500,
}

/// The body of an answer of the proxy itself: `{"error": {"kind", "target", "message"}}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Answer {
    /// What happened.
    pub error: Failure,
}

/// An error of the proxy itself, as opposed to a target's answer.
#[derive(Clone, Debug, Deserialize, Eq, Error, PartialEq, Serialize)]
#[error("{target}: {}: {message}", kind.name())]
pub struct Failure {
    /// Why.
    pub kind: Kind,
    /// The target's name as the caller gave it; never its URL.
    pub target: String,
    /// For a person; holds no secret and no URL.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kinds_name_is_the_one_in_its_json() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
