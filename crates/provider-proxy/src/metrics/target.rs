//! One target's counters.

use std::sync::OnceLock;

use prometheus::{Histogram, IntCounter, IntGauge};
use wire::passthrough::Kind;

use super::{
    Exchange, Families,
    exchange::{METHODS, STATUSES, method_index, status_index},
};

/// The counters of one target, found once.
pub struct TargetMetrics {
    name: String,
    families: Families,
    /// By method and status; made when the first such request comes, so that what never comes is not shown.
    requests: [[OnceLock<IntCounter>; STATUSES.len()]; METHODS.len()],
    in_flight: IntGauge,
    duration: Histogram,
    bytes_in: IntCounter,
    bytes_out: IntCounter,
}

impl Families {
    pub(super) fn target(&self, name: &str) -> TargetMetrics {
        TargetMetrics {
            name: name.to_owned(),
            requests: Default::default(),
            in_flight: self.in_flight.with_label_values(&[name]),
            duration: self.duration.with_label_values(&[name]),
            bytes_in: self.bytes.with_label_values(&[name, "in"]),
            bytes_out: self.bytes.with_label_values(&[name, "out"]),
            families: self.clone(),
        }
    }
}

impl TargetMetrics {
    /// Counts a request that has begun, until [`Self::end`].
    pub fn begin(&self) {
        self.in_flight.inc();
    }

    /// A request that has begun is over.
    pub fn end(&self) {
        self.in_flight.dec();
    }

    /// Counts a request that has been answered.
    pub fn observe(&self, exchange: &Exchange<'_>) {
        let (method, status) = (method_index(exchange.method), status_index(exchange.status));
        if let Some(counter) = self.requests.get(method).and_then(|statuses| statuses.get(status)) {
            counter.get_or_init(|| self.request_counter(METHODS[method], STATUSES[status])).inc();
        }
        if let Some(kind) = exchange.kind {
            self.error(kind);
        }
        self.duration.observe(exchange.duration.as_secs_f64());
        if exchange.bytes_in > 0 {
            self.bytes_in.inc_by(exchange.bytes_in);
        }
        self.bytes_out.inc_by(exchange.bytes_out);
    }

    fn request_counter(&self, method: &str, status: &str) -> IntCounter {
        self.families.requests.with_label_values(&[self.name.as_str(), method, status])
    }

    /// The proxy's own answers are rare enough to be looked up.
    fn error(&self, kind: Kind) {
        self.families.errors.with_label_values(&[self.name.as_str(), kind.name()]).inc();
    }
}
