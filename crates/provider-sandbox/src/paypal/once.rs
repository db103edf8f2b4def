//! `PayPal-Request-Id`: a call is done once, and asked again it says how its result stands now.
//!
//! Source: PayPal's "Idempotency": the latest status of the earlier call is returned; of two at the same time the second
//! fails; only what succeeded is kept. How long is said for each call: 6 hours for orders, 45 days for payments, 3 hours
//! for the vault.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};

use super::call::Call;
use super::effects::Effects;
use super::error::Refusal;
use super::state::{Books, Paypal};
use crate::injection;

/// A type of call, within which a key names one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// How long its keys are kept, in hours.
    pub(super) kept_hours: i64,
}

/// What a call with a key came to.
#[derive(Clone, Debug)]
pub(super) enum Key {
    UnderWay,
    Done { id: String, until: DateTime<Utc> },
}

/// Whether an answer is the first one to its call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Time {
    First,
    Again,
}

/// Does the work unless a call of the same kind and key has done it; then shows what it made.
///
/// # Errors
/// The refusal of the work, or PREVIOUS_REQUEST_IN_PROGRESS.
pub(super) async fn once(
    paypal: &Data<Paypal>,
    kind: Kind,
    call: &Call,
    work: impl FnOnce(&mut Books, &mut Effects) -> Result<String, Refusal>,
    show: impl FnOnce(&Books, &str, Time) -> Result<HttpResponse, Refusal>,
) -> Result<HttpResponse, Refusal> {
    let Some(key) = &call.key else {
        let id = paypal.act(work)?;
        return show(&paypal.books(), &id, Time::First);
    };
    let key = (kind.name, key.clone());
    let mut under_way = match begin(paypal, &key)? {
        Begun::Before(id) => return show(&paypal.books(), &id, Time::Again),
        Begun::Now(under_way) => under_way,
    };
    injection::linger().await;
    let id = paypal.act(work)?;
    let mut books = paypal.books();
    let until = books.now() + TimeDelta::hours(kind.kept_hours);
    books.keys.insert(key, Key::Done { id: id.clone(), until });
    under_way.done = true;
    show(&books, &id, Time::First)
}

enum Begun {
    Before(String),
    Now(UnderWay),
}

fn begin(paypal: &Data<Paypal>, key: &(&'static str, String)) -> Result<Begun, Refusal> {
    let mut books = paypal.books();
    let now = books.now();
    match books.keys.get(key) {
        Some(Key::UnderWay) => return Err(Refusal::issue("PREVIOUS_REQUEST_IN_PROGRESS")),
        Some(Key::Done { id, until }) if now < *until => return Ok(Begun::Before(id.clone())),
        Some(Key::Done { .. }) | None => {}
    }
    books.keys.insert(key.clone(), Key::UnderWay);
    Ok(Begun::Now(UnderWay { paypal: paypal.clone(), key: key.clone(), done: false }))
}

/// Forgets the key of a call that failed or was cut off.
struct UnderWay {
    paypal: Data<Paypal>,
    key: (&'static str, String),
    done: bool,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.done {
            self.paypal.books().keys.remove(&self.key);
        }
    }
}
