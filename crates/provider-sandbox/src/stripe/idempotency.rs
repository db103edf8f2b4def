//! `Idempotency-Key`: an answer is kept once execution has begun, and given again to whoever repeats the request.
//!
//! Source: Stripe's page "Idempotent requests". What failed validation is not kept; neither is a conflict.

use std::collections::{BTreeMap, HashMap};

use actix_web::http::StatusCode;
use serde_json::Value;

use super::error::Failure;

/// The longest key, in characters.
const LONGEST: usize = 255;

/// What is answered, and what is kept of it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    /// The `Request-Id` of the request that was executed.
    pub(super) request_id: String,
    /// What `Stripe-Should-Retry` says.
    pub(super) should_retry: Option<bool>,
}

/// A request as far as a key must repeat it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Asked {
    pub(super) path: String,
    /// Its parameters in canonical form.
    pub(super) params: String,
}

/// What is known of a key.
#[derive(Debug)]
enum State {
    InFlight,
    Done(Kept),
}

/// Whether a request is to be executed.
#[derive(Debug)]
pub(super) enum Admission {
    /// It is, and [`Keys::finish`] must follow.
    Begin,
    /// It was, with this answer.
    Replay(Kept),
}

/// All keys that were used. They are never forgotten; the provider keeps them for at least 24 hours.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: HashMap<String, (Asked, State)>,
    /// The objects that are being changed, with how many requests do.
    busy: BTreeMap<String, usize>,
}

impl Keys {
    /// Takes a key for a request, or says what it came to.
    pub(super) fn begin(&mut self, key: &str, asked: &Asked) -> Result<Admission, Failure> {
        if key.is_empty() || key.chars().count() > LONGEST {
            let message = format!("Idempotency-Key must be between 1 and {LONGEST} characters long.");
            return Err(Failure::idempotency(message));
        }
        if let Some((first, state)) = self.known.get(key) {
            if first.path != asked.path {
                return Err(Failure::idempotency(format!(
                    "Keys for idempotent requests can only be used for the same endpoint they were first used for \
                     ('{}' vs '{}'). Try using a key other than '{key}' if you meant to execute a different request.",
                    asked.path, first.path
                )));
            }
            if first.params != asked.params {
                return Err(Failure::idempotency(format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used \
                     with. Try using a key other than '{key}' if you meant to execute a different request."
                )));
            }
            return match state {
                State::InFlight => Err(Failure::in_flight(key)),
                State::Done(kept) => Ok(Admission::Replay(kept.clone())),
            };
        }
        if is_object(&asked.path) && self.busy.contains_key(object(&asked.path)) {
            return Err(Failure::locked());
        }
        self.known.insert(key.to_owned(), (asked.clone(), State::InFlight));
        *self.busy.entry(object(&asked.path).to_owned()).or_default() += 1;
        Ok(Admission::Begin)
    }

    /// Ends what [`begin`](Self::begin) began: with an answer to keep, or with none, and the key is as good as new.
    pub(super) fn finish(&mut self, key: &str, asked: &Asked, kept: Option<Kept>) {
        if let Some(count) = self.busy.get_mut(object(&asked.path)) {
            *count -= 1;
            if *count == 0 {
                self.busy.remove(object(&asked.path));
            }
        }
        match kept {
            Some(kept) => drop(self.known.insert(key.to_owned(), (asked.clone(), State::Done(kept)))),
            None => drop(self.known.remove(key)),
        }
    }
}

/// `/v1/payment_intents/pi_1/capture` changes `/v1/payment_intents/pi_1`.
fn object(path: &str) -> &str {
    let end = path.match_indices('/').nth(3).map_or(path.len(), |(index, _)| index);
    path.get(..end).unwrap_or(path)
}

fn is_object(path: &str) -> bool {
    path.matches('/').count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str, params: &str) -> Asked {
        Asked { path: path.to_owned(), params: params.to_owned() }
    }

    fn kept() -> Kept {
        Kept { status: StatusCode::OK, body: Value::Null, request_id: "req_1".into(), should_retry: None }
    }

    #[test]
    fn a_key_is_one_request_and_its_answer_is_given_again() {
        let mut keys = Keys::default();
        let first = asked("/v1/customers", "{}");
        assert!(matches!(keys.begin("k", &first), Ok(Admission::Begin)));
        let busy = keys.begin("k", &first).unwrap_err();
        assert_eq!((busy.status(), busy.has_begun()), (StatusCode::CONFLICT, false));
        keys.finish("k", &first, Some(kept()));
        assert!(matches!(keys.begin("k", &first), Ok(Admission::Replay(_))));
        for other in [asked("/v1/customers", "{1}"), asked("/v1/refunds", "{}")] {
            assert_eq!(keys.begin("k", &other).unwrap_err().status(), StatusCode::BAD_REQUEST);
        }
        assert!(keys.begin(&"k".repeat(256), &first).is_err());
    }

    #[test]
    fn what_was_not_begun_leaves_the_key_free_for_another_request() {
        let mut keys = Keys::default();
        let first = asked("/v1/customers", "{}");
        assert!(keys.begin("k", &first).is_ok());
        keys.finish("k", &first, None);
        assert!(matches!(keys.begin("k", &asked("/v1/refunds", "{}")), Ok(Admission::Begin)));
    }

    #[test]
    fn an_object_is_changed_by_one_request_at_a_time() {
        let mut keys = Keys::default();
        let capture = asked("/v1/payment_intents/pi_1/capture", "{}");
        assert!(keys.begin("a", &capture).is_ok());
        let cancel = asked("/v1/payment_intents/pi_1/cancel", "{}");
        assert_eq!(keys.begin("b", &cancel).unwrap_err().status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(keys.begin("c", &asked("/v1/payment_intents/pi_2/cancel", "{}")).is_ok());
        keys.finish("a", &capture, Some(kept()));
        assert!(keys.begin("b", &cancel).is_ok());
    }
}
