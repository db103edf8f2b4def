//! What all workers share.

use std::sync::Arc;

use crate::{
    audit::AuditLog,
    config::Settings,
    metrics::Metrics,
    passthrough::admission::{Bulkheads, Clock},
    policy::RefundLedger,
    readiness::Readiness,
    reload::{Current, Snapshot},
    server::StartError,
};

/// The parts of the service that belong to no worker; a clone has the same ones.
#[derive(Clone)]
pub struct Services {
    /// The settings in use, with what was made of them.
    pub current: Arc<Current<Snapshot>>,
    /// One line a request.
    pub audit: AuditLog,
    /// What is counted.
    pub metrics: Metrics,
    /// What works.
    pub readiness: Readiness,
    /// The bulkheads of all targets, over all reloads.
    pub bulkheads: Arc<Bulkheads>,
    /// What has been refunded, over all reloads.
    pub refunds: Arc<RefundLedger>,
}

impl Services {
    /// Starts them, the audit log's thread among them.
    ///
    /// # Errors
    /// [`StartError`] when a file that the settings name cannot be used.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        let metrics = Metrics::new()?;
        if settings.passthrough && settings.audit.file.is_none() {
            log::warn!(
                "the pass-through is open and passthrough.audit_file is missing: no request is written down"
            );
        }
        let audit = AuditLog::open(&settings.audit, metrics.audit())?;
        let refunds = Arc::new(RefundLedger::open(settings.policy.state_file.as_deref())?);
        let snapshot = Snapshot::build(settings, None)?;
        metrics.reload().took_over();
        Ok(Self {
            current: Arc::new(Current::new(snapshot)),
            audit,
            metrics,
            readiness: Readiness::default(),
            bulkheads: Arc::new(Bulkheads::new(Clock::default())),
            refunds,
        })
    }
}
