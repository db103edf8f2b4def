//! Everything that can go wrong in the proxy itself, and what a caller is told about it.

use std::borrow::Cow;

use chassis::client::ExchangeError;
use thiserror::Error;
use wire::{ErrorKind, Money, ProxyFailure, payment::OperationName};

use crate::{
    caller::CallerError,
    policy::{Refusal, StateError},
    shape::ShapeError,
    webhooks::DeliveryError,
};

/// The target named when no provider is concerned.
pub const PROXY: &str = "provider-proxy";

/// The target named when webhooks are concerned, the reference provider's or our own.
pub const WEBHOOKS: &str = "webhooks";

/// Why there is no provider's answer to pass on. A connector turns its own errors into these.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// No such operation, or no such provider.
    #[error("{target}: no such operation")]
    UnknownOperation {
        /// The provider's name, or [`PROXY`].
        target: &'static str,
    },
    /// The provider is known, and has no settings here.
    #[error("{target}: not configured")]
    NotConfigured {
        /// The provider's name.
        target: &'static str,
    },
    /// The request's body is not what the operation takes. Nothing was sent.
    #[error("{target}: invalid request")]
    InvalidRequest {
        /// The provider's name.
        target: &'static str,
        /// Which field.
        source: ShapeError,
    },
    /// The request's body could not be read: it is too large, or the caller went away.
    #[error("{target}: the request's body could not be read")]
    UnreadableRequest {
        /// The provider's name, or [`PROXY`].
        target: &'static str,
        /// Why.
        source: actix_web::Error,
    },
    /// A webhook that must not be believed.
    #[error("{target}: invalid signature")]
    InvalidSignature {
        /// The provider's name.
        target: &'static str,
        /// Which check it failed; shows nothing of the webhook.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody knows who calls, or the certificate is none of `[callers]`.
    #[error("{target}: the caller is not let in")]
    Caller {
        /// [`PROXY`].
        target: &'static str,
        /// Why; shows nothing of the token.
        source: CallerError,
    },
    /// The caller is known, and the operation is not on its list.
    #[error("{target}: the caller {caller} may not ask for {operation}")]
    NotPermitted {
        /// [`PROXY`].
        target: &'static str,
        /// The entry of `[callers]`.
        caller: String,
        /// The operation.
        operation: String,
    },
    /// The exchange with the provider failed.
    #[error("{target}: no answer")]
    Exchange {
        /// The provider's name.
        target: &'static str,
        /// How.
        source: ExchangeError,
    },
    /// The provider answered with a status that is no answer: a redirect, which is never followed, or an odd one.
    #[error("{target}: unexpected status {status}")]
    UnexpectedStatus {
        /// The provider's name.
        target: &'static str,
        /// The provider's HTTP status.
        status: u16,
    },
    /// The provider answered with a 2xx whose body is not the operation's answer.
    #[error("{target}: unexpected answer")]
    UnexpectedAnswer {
        /// The provider's name.
        target: &'static str,
        /// Which field.
        source: ShapeError,
    },
    /// The provider answered with another amount or currency than was asked.
    #[error("{target}: the answer is not about the {asked} that were asked")]
    AmountMismatch {
        /// The provider's name.
        target: &'static str,
        /// What was asked.
        asked: Money,
    },
    /// The provider does not offer this operation. Nothing was sent.
    #[error("{target}: {operation} is not supported")]
    Unsupported {
        /// The provider's name.
        target: &'static str,
        /// The operation.
        operation: OperationName,
    },
    /// The limits do not allow it. Nothing was sent.
    #[error("{target}: {refusal}")]
    Policy {
        /// The provider's name.
        target: &'static str,
        /// Which limit.
        refusal: Refusal,
    },
    /// The limits cannot be kept. Nothing was sent.
    #[error("{target}: refunds cannot be limited")]
    PolicyState {
        /// The provider's name.
        target: &'static str,
        /// Why.
        source: StateError,
    },
    /// A message was not delivered to an endpoint of webhooks.
    #[error("webhooks.{endpoint}: {source}")]
    Delivery {
        /// The endpoint's name as the caller gave it.
        endpoint: String,
        /// Why.
        source: DeliveryError,
    },
    /// The worker could not set up its connectors when it started.
    #[error("{target}: this worker has no connectors")]
    NoConnectors {
        /// [`PROXY`].
        target: &'static str,
    },
    /// The request could not be made, and nothing was sent.
    #[error("{target}: the request could not be made")]
    Unsendable {
        /// The provider's name.
        target: &'static str,
        /// Why; shows no secret.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ProxyError {
    /// What the caller is told; [`ErrorKind::http_status`] of its kind is the HTTP status.
    #[must_use]
    pub fn failure(&self) -> ProxyFailure {
        use ErrorKind as Kind;
        let (kind, target, message): (Kind, &str, Cow<'_, str>) = match self {
            Self::UnknownOperation { target } => {
                (Kind::UnknownOperation, target, "There is no such operation.".into())
            }
            Self::NotConfigured { target } => {
                (Kind::NotConfigured, target, "The provider is not configured.".into())
            }
            Self::InvalidRequest { target, source } => {
                (Kind::InvalidRequest, target, source.to_string().into())
            }
            Self::UnreadableRequest { target, source } => {
                (Kind::InvalidRequest, target, format!("The body cannot be read: {source}").into())
            }
            Self::InvalidSignature { target, source } => {
                (Kind::InvalidSignature, target, source.to_string().into())
            }
            Self::Caller { target, source } => (source.kind(), target, source.message().into()),
            Self::NotPermitted { target, .. } => {
                (Kind::Caller, target, "The caller may not ask for this operation.".into())
            }
            Self::Exchange { target, source } => {
                let (kind, message) = exchange(source);
                (kind, target, message)
            }
            Self::UnexpectedStatus { target, status } => {
                (Kind::Protocol, target, format!("The provider answered with status {status}.").into())
            }
            Self::UnexpectedAnswer { target, source } => {
                (Kind::Protocol, target, format!("The provider's answer was not understood: {source}").into())
            }
            Self::AmountMismatch { target, asked } => (Kind::Integrity, target, mismatch(*asked).into()),
            Self::Unsupported { target, operation } => {
                (Kind::Unsupported, target, format!("The provider does not offer {operation}.").into())
            }
            Self::Policy { target, refusal } => (Kind::Policy, target, limit(refusal).into()),
            Self::PolicyState { target, .. } => {
                let message = "Refunds cannot be limited at the moment, so none is made; nothing was sent.";
                (Kind::Internal, target, message.into())
            }
            Self::Delivery { source, .. } => (source.kind(), WEBHOOKS, source.to_string().into()),
            Self::NoConnectors { target } => {
                (Kind::Internal, target, "No provider can be reached from here; nothing was sent.".into())
            }
            Self::Unsendable { target, .. } => {
                (Kind::Internal, target, "The request could not be made; nothing was sent.".into())
            }
        };
        ProxyFailure { kind, target: target.to_owned(), message: message.into_owned() }
    }
}

fn limit(refusal: &Refusal) -> String {
    format!("Not allowed here: {refusal}.")
}

fn mismatch(asked: Money) -> String {
    format!("The provider's price or currency differs from the {asked} that were asked.")
}

/// Says what an exchange came to without the error's own text, which may name addresses.
fn exchange(error: &ExchangeError) -> (ErrorKind, Cow<'static, str>) {
    match error {
        ExchangeError::Connect(_) => {
            (ErrorKind::Connect, "No connection to the provider; nothing was sent.".into())
        }
        ExchangeError::Tls(_) => {
            (ErrorKind::Tls, "The provider's TLS handshake failed; nothing was sent.".into())
        }
        ExchangeError::Timeout { after } => {
            (ErrorKind::Timeout, format!("No complete answer within {after:?}.").into())
        }
        ExchangeError::Protocol(_) => {
            (ErrorKind::Protocol, "The connection broke, or the answer was not HTTP.".into())
        }
        ExchangeError::Truncated { declared, received } => {
            (ErrorKind::Protocol, format!("The answer ended after {received} of {declared} bytes.").into())
        }
        ExchangeError::ResponseTooLarge { limit } => {
            (ErrorKind::Protocol, format!("The answer is larger than {limit} bytes.").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_whether_anything_was_sent_and_no_address() {
        let io = || Box::new(std::io::Error::other("10.0.0.7:443 dummy-secret"));
        let cases = [
            (ExchangeError::Connect(io()), ErrorKind::Connect),
            (ExchangeError::Tls(io()), ErrorKind::Tls),
            (ExchangeError::Timeout { after: std::time::Duration::from_secs(10) }, ErrorKind::Timeout),
            (ExchangeError::Protocol(io()), ErrorKind::Protocol),
            (ExchangeError::ResponseTooLarge { limit: 5 }, ErrorKind::Protocol),
        ];
        for (source, kind) in cases {
            let was_sent = source.was_sent();
            let failure = ProxyError::Exchange { target: "reference", source }.failure();
            assert_eq!((failure.kind, failure.target.as_str()), (kind, "reference"));
            assert_eq!(kind.outcome_is_unknown(), was_sent);
            assert!(!failure.message.contains("10.0.0.7"), "{}", failure.message);
        }
    }

    #[test]
    fn another_amount_is_an_integrity_error_that_says_so() {
        let asked = Money::parse("0.99", wire::Currency::parse("EUR").unwrap()).unwrap();
        let failure = ProxyError::AmountMismatch { target: "reference", asked }.failure();
        assert_eq!(failure.kind, ErrorKind::Integrity);
        assert_eq!(
            failure.message,
            "The provider's price or currency differs from the 0.99 EUR that were asked."
        );
    }
}
