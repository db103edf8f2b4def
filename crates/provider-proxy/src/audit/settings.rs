//! The keys of `[passthrough]` that are about the audit log.

use std::path::PathBuf;

use chassis::settings::Section;

/// Where and how the audit log is written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuditSettings {
    /// The file; without one there is no audit log.
    pub file: Option<PathBuf>,
    /// Whether lines are brought to the disk itself (`fdatasync`), some batches of them together, so that a failure of
    /// the machine loses those of the last 20 ms or so.
    pub sync: bool,
}

impl AuditSettings {
    /// Reads `audit_file` (none by default) and `audit_sync` (default true) of `[passthrough]`.
    #[must_use]
    pub fn read(passthrough: &Section) -> Self {
        Self { file: passthrough.output("audit_file"), sync: passthrough.or("audit_sync", true) }
    }
}
