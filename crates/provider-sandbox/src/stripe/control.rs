//! The test's side, under `/_sandbox/stripe`: requests held while they are executed, failures that are kept, the lag of
//! the search index, the next period of a subscription.
//!
//! - `POST interference` `{"hold": true}` or `{"fail": "before" | "after"}`: what happens to the next request that
//!   begins to be executed under an idempotency key. A held one waits for `POST release`; a failed one is a 500 that is
//!   kept for its key, before or after the work was done. `GET interference` says how many are held.
//! - `PUT search` `{"lag_seconds": N}`: `…/search` does not see what is newer.
//! - `POST subscriptions/{id}/renew`: the next period begins now.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use super::Stripe;
use super::subscription;

/// What happens to an execution.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Interference {
    /// It fails, and nothing is done.
    FailBefore,
    /// The work is done and kept, and then it fails.
    FailAfter,
}

#[derive(Clone, Copy, Debug)]
enum Planned {
    Hold,
    Fail(Interference),
}

/// What is planned, and who waits.
#[derive(Debug)]
pub(super) struct Control {
    planned: Mutex<VecDeque<Planned>>,
    /// How many are held.
    held: watch::Sender<usize>,
    /// Counts up with every release.
    released: watch::Sender<u64>,
}

impl Default for Control {
    fn default() -> Self {
        Self { planned: Mutex::default(), held: watch::Sender::new(0), released: watch::Sender::new(0) }
    }
}

impl Control {
    /// Takes what is planned for the next execution; waits when it is held.
    pub(super) async fn take(&self) -> Option<Interference> {
        let next = self.planned.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match next {
            None => None,
            Some(Planned::Fail(interference)) => Some(interference),
            Some(Planned::Hold) => {
                let mut released = self.released.subscribe();
                released.mark_unchanged();
                let held = Held::new(&self.held);
                // The sender is in `self`, so it is there for as long as this waits.
                let _ = released.changed().await;
                drop(held);
                None
            }
        }
    }
}

/// Counts as held until dropped, also when its client goes away.
struct Held<'control>(&'control watch::Sender<usize>);

impl<'control> Held<'control> {
    fn new(count: &'control watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// As it is written in JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Hold(bool),
    Fail(When),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum When {
    Before,
    After,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lag {
    lag_seconds: u32,
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/interference").route(web::get().to(count)).route(web::post().to(interfere)))
        .route("/interference/held", web::get().to(wait_until_held))
        .route("/release", web::post().to(release))
        .route("/search", web::put().to(lag))
        .route("/subscriptions/{id}/renew", web::post().to(renew));
}

async fn interfere(stripe: Data<Stripe>, written: Json<Written>) -> HttpResponse {
    let planned = match written.into_inner() {
        Written::Hold(false) => return count(stripe).await,
        Written::Hold(true) => Planned::Hold,
        Written::Fail(When::Before) => Planned::Fail(Interference::FailBefore),
        Written::Fail(When::After) => Planned::Fail(Interference::FailAfter),
    };
    stripe.control.planned.lock().unwrap_or_else(PoisonError::into_inner).push_back(planned);
    count(stripe).await
}

async fn count(stripe: Data<Stripe>) -> HttpResponse {
    let planned = stripe.control.planned.lock().unwrap_or_else(PoisonError::into_inner).len();
    HttpResponse::Ok().json(json!({"planned": planned, "held": *stripe.control.held.borrow()}))
}

/// Answers as soon as a request is held.
async fn wait_until_held(stripe: Data<Stripe>) -> HttpResponse {
    // The sender is in `stripe`, so it is there for as long as this waits.
    let _ = stripe.control.held.subscribe().wait_for(|count| *count > 0).await;
    count(stripe).await
}

async fn release(stripe: Data<Stripe>) -> HttpResponse {
    stripe.control.released.send_modify(|count| *count += 1);
    HttpResponse::NoContent().finish()
}

async fn lag(stripe: Data<Stripe>, lag: Json<Lag>) -> HttpResponse {
    stripe.books().search_lag = lag.lag_seconds.into();
    HttpResponse::NoContent().finish()
}

async fn renew(stripe: Data<Stripe>, id: Path<String>) -> HttpResponse {
    let renewed = stripe.by_itself(|books, origin| subscription::renew(books, origin, &id));
    match renewed {
        Some(shown) => HttpResponse::Ok().json(shown),
        None => HttpResponse::NotFound().json(json!({"detail": "no such subscription runs"})),
    }
}
