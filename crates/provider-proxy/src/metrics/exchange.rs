//! What is counted of one request.

use std::time::Duration;

use wire::passthrough::Kind;

/// A request that has been answered.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// Its HTTP method, as the caller wrote it.
    pub method: &'a str,
    /// The status that the caller was answered.
    pub status: u16,
    /// Why, when the proxy itself answered.
    pub kind: Option<Kind>,
    /// From its head to the last byte of the answer.
    pub duration: Duration,
    /// Bytes of its body that were taken.
    pub bytes_in: u64,
    /// Bytes of the answer's body that were given.
    pub bytes_out: u64,
}

/// The methods that have a label of their own; the last one stands for all others.
pub(super) const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];

/// The classes of statuses; the last one stands for what is none.
pub(super) const STATUSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"];

/// The index in [`METHODS`].
pub(super) fn method_index(method: &str) -> usize {
    METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1)
}

/// The index in [`STATUSES`].
pub(super) fn status_index(status: u16) -> usize {
    match status {
        100..600 => usize::from(status / 100) - 1,
        _ => STATUSES.len() - 1,
    }
}
