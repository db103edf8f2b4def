//! What came of an attempt to tell an endpoint.

use chassis::client::ExchangeError;
use wire::{ErrorKind, delivery::Delivered};

use crate::{error::chain, proxy_client::ProxyError};

/// The longest text that is kept of a failure, in characters.
const LONGEST: usize = 255;

/// What came of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// The endpoint has taken the message.
    Taken,
    /// The endpoint wants no more messages.
    Gone,
    /// The endpoint has not taken it, for this reason.
    Failed(String),
    /// Our own side failed, for this reason: it says nothing about the endpoint.
    NotTried(String),
}

impl Outcome {
    pub(super) fn of(answer: Result<Delivered, ProxyError>) -> Self {
        match answer {
            Ok(delivered) if delivered.is_taken() => Self::Taken,
            Ok(delivered) if delivered.is_gone() => Self::Gone,
            Ok(delivered) => Self::Failed(format!("The endpoint answered {}.", delivered.status)),
            Err(ProxyError::Failure { failure, .. }) if is_of_the_endpoint(failure.kind) => {
                Self::Failed(short(&failure.message))
            }
            // The endpoint may be what took so long.
            Err(error @ ProxyError::Unreachable(ExchangeError::Timeout { .. })) => {
                Self::Failed(short(&chain(&error)))
            }
            Err(error) => Self::NotTried(short(&chain(&error))),
        }
    }
}

/// Whether it is the endpoint, or the settings about it, that failed, and not the proxy.
const fn is_of_the_endpoint(kind: ErrorKind) -> bool {
    !matches!(kind, ErrorKind::Internal | ErrorKind::Identity)
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wire::ProxyFailure;

    use super::*;

    fn failed(kind: ErrorKind) -> Outcome {
        let failure = ProxyFailure { kind, target: "webhooks".into(), message: "x".repeat(300) };
        Outcome::of(Err(ProxyError::Failure { status: kind.http_status(), failure }))
    }

    #[test]
    fn only_a_success_is_taken_and_only_410_ends_it() {
        for (status, expected) in [(200, Outcome::Taken), (204, Outcome::Taken), (410, Outcome::Gone)] {
            assert_eq!(Outcome::of(Ok(Delivered { status })), expected);
        }
        for status in [301, 307, 400, 404, 429, 500] {
            assert!(matches!(Outcome::of(Ok(Delivered { status })), Outcome::Failed(_)), "{status}");
        }
    }

    #[test]
    fn what_our_own_side_has_done_wrong_is_not_held_against_the_endpoint() {
        for kind in [ErrorKind::Connect, ErrorKind::Tls, ErrorKind::Timeout, ErrorKind::NotConfigured] {
            assert_eq!(failed(kind), Outcome::Failed("x".repeat(255)));
        }
        for kind in [ErrorKind::Internal, ErrorKind::Identity] {
            assert!(matches!(failed(kind), Outcome::NotTried(_)), "{kind:?}");
        }
        let unreachable = |error| Outcome::of(Err(ProxyError::Unreachable(error)));
        let timeout = ExchangeError::Timeout { after: Duration::from_secs(12) };
        assert!(matches!(unreachable(timeout), Outcome::Failed(_)));
        assert!(matches!(unreachable(ExchangeError::Connect("refused".into())), Outcome::NotTried(_)));
    }
}
