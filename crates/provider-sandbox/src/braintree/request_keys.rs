//! `api_request_key`, for accounts that have it: one request is done at most once.
//!
//! Source: the codes 915230 to 915235 in `error_codes.py` of the official Python SDK, and "At-Most-Once Processing" on
//! developer.paypal.com/braintree: an identical request gives the current state of what the first one made.

use super::books::Books;
use super::refusal::{Fault, Refusal};
use super::xml::Node;

const PATH: &[&str] = &["transaction"];

/// The longest key, in characters.
const LONGEST: usize = 255;

/// A key that was used.
#[derive(Clone, Debug)]
pub(super) struct Used {
    path: String,
    request: Node,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    InFlight,
    /// The transaction that it made or changed.
    Done(String),
    Failed,
}

/// What a key says about a request.
pub(super) enum Seen {
    /// It is to be done.
    Fresh,
    /// It was done, on this transaction.
    Before(String),
}

/// Begins a request.
pub(super) fn begin(books: &mut Books, path: &str, request: &Node) -> Result<Seen, Refusal> {
    let Some(key) = request.get("api_request_key") else { return Ok(Seen::Fresh) };
    let fault = |code, message| Err(Refusal::from(Fault::new(PATH, "api_request_key", code, message)));
    if !books.control_panel.api_request_keys {
        return fault("915231", "API request key is not allowed.");
    }
    if key.chars().count() > LONGEST {
        return fault("915230", "API request key is too long.");
    }
    match books.request_keys.get(key) {
        None => {
            let used = Used { path: path.to_owned(), request: request.clone(), state: State::InFlight };
            books.request_keys.insert(key.to_owned(), used);
            Ok(Seen::Fresh)
        }
        Some(used) if used.path != path || used.request != *request => {
            fault("915232", "API request key can be reused only with the same request.")
        }
        Some(Used { state: State::InFlight, .. }) => fault("915233", "API request key is in flight."),
        Some(Used { state: State::Failed, .. }) => {
            fault("915234", "API request key was used with a request that failed.")
        }
        Some(Used { state: State::Done(id), .. }) => Ok(Seen::Before(id.clone())),
    }
}

/// Ends a request; None when it failed.
pub(super) fn end(books: &mut Books, request: &Node, transaction: Option<String>) {
    let used = request.get("api_request_key").and_then(|key| books.request_keys.get_mut(key));
    if let Some(used) = used {
        used.state = transaction.map_or(State::Failed, State::Done);
    }
}
