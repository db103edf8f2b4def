//! What came of an attempt to tell an endpoint.

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
    /// Our own side failed: it says nothing about the endpoint.
    Ours {
        /// Why.
        reason: String,
        /// What puts it right.
        remedy: Remedy,
    },
}

/// What puts right what failed on our own side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Remedy {
    /// Time may: something is out of reach, or failed this once.
    Time,
    /// An operator: the settings do not allow it, or do not know of it.
    Operator,
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
            Err(ProxyError::Failure { failure, .. }) => Self::ours(&failure.message, remedy(failure.kind)),
            // Not even when it took too long: the proxy tells in time when the endpoint does.
            Err(error) => Self::ours(&chain(&error), Remedy::Time),
        }
    }

    fn ours(reason: &str, remedy: Remedy) -> Self {
        Self::Ours { reason: short(&format!("On our side: {reason}")), remedy }
    }
}

/// Whether it is what the endpoint did or did not do. Anything else, and what is yet to be thought of, is ours.
const fn is_of_the_endpoint(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Connect | ErrorKind::Tls | ErrorKind::Timeout | ErrorKind::Protocol)
}

const fn remedy(kind: ErrorKind) -> Remedy {
    match kind {
        ErrorKind::Internal | ErrorKind::Identity => Remedy::Time,
        _ => Remedy::Operator,
    }
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chassis::client::ExchangeError;
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
        for kind in [ErrorKind::Connect, ErrorKind::Tls, ErrorKind::Timeout, ErrorKind::Protocol] {
            assert_eq!(failed(kind), Outcome::Failed("x".repeat(255)));
        }
        let reason = format!("On our side: {}", "x".repeat(242));
        let ours = |remedy| Outcome::Ours { reason: reason.clone(), remedy };
        for kind in [ErrorKind::Internal, ErrorKind::Identity] {
            assert_eq!(failed(kind), ours(Remedy::Time), "{kind:?}");
        }
        for kind in [
            ErrorKind::NotConfigured,
            ErrorKind::Policy,
            ErrorKind::Caller,
            ErrorKind::UnknownOperation,
            ErrorKind::InvalidRequest,
        ] {
            assert_eq!(failed(kind), ours(Remedy::Operator), "{kind:?}");
        }
    }

    #[test]
    fn a_proxy_that_is_out_of_reach_says_nothing_about_the_endpoint() {
        let timeout = ExchangeError::Timeout { after: Duration::from_secs(12) };
        for error in [
            ProxyError::Unreachable(timeout),
            ProxyError::Unreachable(ExchangeError::Connect("refused".into())),
            ProxyError::Unreadable { status: 502 },
            ProxyError::NoClient("no certificate".into()),
        ] {
            let outcome = Outcome::of(Err(error));
            assert!(matches!(&outcome, Outcome::Ours { remedy: Remedy::Time, .. }), "{outcome:?}");
        }
    }
}
