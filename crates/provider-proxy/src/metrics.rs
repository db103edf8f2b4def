//! What is counted, for Prometheus: by target, by classes of methods and statuses, never by a text of a caller's.
//!
//! A request costs a few additions: each target's counters are looked up when its settings are read.

mod exchange;
mod target;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};
use thiserror::Error;

pub use exchange::Exchange;
pub use target::TargetMetrics;

use crate::passthrough::admission::{BreakerState, Bulkheads};

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The label of requests for a target that does not exist.
const UNKNOWN: &str = "";

/// The counters cannot be set up or written down.
#[derive(Debug, Error)]
#[error("the metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// Everything that is counted in this process; a clone counts with it.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    families: Families,
    targets: Mutex<HashMap<String, Arc<TargetMetrics>>>,
    unknown: Arc<TargetMetrics>,
    reload: ReloadMetrics,
    audit: AuditMetrics,
    certificate_expiry: IntGaugeVec,
    breaker: IntGaugeVec,
    credential_refreshes: IntCounterVec,
}

/// The families of which each target has its own members.
#[derive(Clone)]
struct Families {
    requests: IntCounterVec,
    errors: IntCounterVec,
    in_flight: IntGaugeVec,
    duration: HistogramVec,
    bytes: IntCounterVec,
}

/// Reloads of the settings.
#[derive(Clone)]
pub struct ReloadMetrics {
    /// Those that took effect.
    pub successes: IntCounter,
    /// Those that were refused, with the old settings kept.
    pub failures: IntCounter,
    /// When the settings in use were read, in seconds since the epoch.
    pub last_success: IntGauge,
    /// 1 while the settings in use are those of the files, 0 after a refused reload.
    pub last_successful: IntGauge,
}

/// The audit log.
#[derive(Clone)]
pub struct AuditMetrics {
    /// Lines that wait for being written.
    pub queued: IntGauge,
    /// Lines written.
    pub lines: IntCounter,
    /// Writes that failed.
    pub errors: IntCounter,
    /// Requests that were refused, or answered, without a line, because there was no room for one.
    pub lost: IntCounter,
}

/// How long an exchange takes, in seconds.
const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

impl Metrics {
    /// Starts counting.
    ///
    /// # Errors
    /// [`MetricsError`] when two families have the same name.
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let register = Register(&registry);
        let families = Families::new(&register)?;
        let inner = Inner {
            unknown: Arc::new(families.target(UNKNOWN)),
            families,
            targets: Mutex::default(),
            reload: ReloadMetrics::new(&register)?,
            audit: AuditMetrics::new(&register)?,
            certificate_expiry: register.gauges(
                "provider_proxy_certificate_expiry_timestamp_seconds",
                "When a certificate expires, in seconds since the epoch.",
                &["certificate"],
            )?,
            breaker: register.gauges(
                "provider_proxy_breaker_state",
                "The circuit breaker of a target: 0 closed, 1 half open, 2 open.",
                &["target"],
            )?,
            credential_refreshes: register.counters(
                "provider_proxy_credential_refreshes_total",
                "Tokens that were asked for, by outcome.",
                &["target", "outcome"],
            )?,
            registry,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The counters of a target of the settings; the same ones whenever it is asked for.
    #[must_use]
    pub fn target(&self, name: &str) -> Arc<TargetMetrics> {
        let mut targets = self.0.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let target = targets.entry(name.to_owned()).or_insert_with(|| Arc::new(self.0.families.target(name)));
        Arc::clone(target)
    }

    /// The counters of all requests that name no target of the settings.
    #[must_use]
    pub fn unknown_target(&self) -> &Arc<TargetMetrics> {
        &self.0.unknown
    }

    /// Those of the reloads.
    #[must_use]
    pub fn reload(&self) -> &ReloadMetrics {
        &self.0.reload
    }

    /// Those of the audit log.
    #[must_use]
    pub fn audit(&self) -> &AuditMetrics {
        &self.0.audit
    }

    /// Counts a token that was asked for on behalf of a target.
    pub fn credential_refreshed(&self, target: &str, succeeded: bool) {
        let outcome = if succeeded { "success" } else { "failure" };
        self.0.credential_refreshes.with_label_values(&[target, outcome]).inc();
    }

    /// Says when a certificate ends; `name` is the settings' key that names its file.
    pub fn certificate_expires(&self, name: &str, at: SystemTime) {
        self.0.certificate_expiry.with_label_values(&[name]).set(seconds_since_epoch(at));
    }

    /// Everything, in Prometheus' text format 0.0.4.
    ///
    /// # Errors
    /// [`MetricsError`] when it cannot be written down.
    pub fn render(&self, bulkheads: &Bulkheads) -> Result<Vec<u8>, MetricsError> {
        bulkheads.for_each(|name, admission| {
            let state = match admission.breaker_state() {
                BreakerState::Closed => 0,
                BreakerState::HalfOpen => 1,
                BreakerState::Open => 2,
            };
            self.0.breaker.with_label_values(&[name]).set(state);
        });
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.0.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// Whole seconds since the epoch.
fn seconds_since_epoch(time: SystemTime) -> i64 {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

impl Families {
    fn new(register: &Register<'_>) -> Result<Self, MetricsError> {
        let duration = HistogramOpts::new(
            "provider_proxy_request_duration_seconds",
            "From a request's head to the last byte of its answer.",
        )
        .buckets(BUCKETS.to_vec());
        Ok(Self {
            requests: register.counters(
                "provider_proxy_requests_total",
                "Requests answered, by the class of the status.",
                &["target", "method", "status"],
            )?,
            errors: register.counters(
                "provider_proxy_errors_total",
                "Requests that the proxy answered itself, by kind.",
                &["target", "kind"],
            )?,
            in_flight: register.gauges(
                "provider_proxy_requests_in_flight",
                "Requests whose answer is not complete.",
                &["target"],
            )?,
            duration: register.add(HistogramVec::new(duration, &["target"])?)?,
            bytes: register.counters(
                "provider_proxy_body_bytes_total",
                "Bytes of bodies, towards the target (in) and towards the caller (out).",
                &["target", "direction"],
            )?,
        })
    }
}

impl ReloadMetrics {
    fn new(register: &Register<'_>) -> Result<Self, MetricsError> {
        let reloads = register.counters(
            "provider_proxy_reloads_total",
            "Reloads of the settings, by outcome.",
            &["outcome"],
        )?;
        let gauge = |name, help| register.gauges(name, help, &[]);
        Ok(Self {
            successes: reloads.with_label_values(&["success"]),
            failures: reloads.with_label_values(&["failure"]),
            last_success: gauge(
                "provider_proxy_settings_timestamp_seconds",
                "When the settings in use were read, in seconds since the epoch.",
            )?
            .with_label_values::<&str>(&[]),
            last_successful: gauge(
                "provider_proxy_last_reload_successful",
                "1, or 0 after a reload that was refused.",
            )?
            .with_label_values::<&str>(&[]),
        })
    }
}

impl ReloadMetrics {
    /// The settings in use have been read just now.
    pub fn took_over(&self) {
        self.last_success.set(seconds_since_epoch(SystemTime::now()));
        self.last_successful.set(1);
    }
}

impl AuditMetrics {
    fn new(register: &Register<'_>) -> Result<Self, MetricsError> {
        let counter = |name: &str, help: &str| register.add(IntCounter::new(name, help)?);
        Ok(Self {
            queued: register.add(IntGauge::new(
                "provider_proxy_audit_queue_lines",
                "Lines that wait for being written.",
            )?)?,
            lines: counter("provider_proxy_audit_lines_total", "Lines of the audit log that were written.")?,
            errors: counter("provider_proxy_audit_errors_total", "Writes to the audit log that failed.")?,
            lost: counter("provider_proxy_audit_lost_total", "Requests without a line in the audit log.")?,
        })
    }
}

struct Register<'a>(&'a Registry);

impl Register<'_> {
    fn add<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C, MetricsError> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, MetricsError> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, MetricsError> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }
}

#[cfg(test)]
mod tests;
