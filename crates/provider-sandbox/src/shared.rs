//! What all providers of a sandbox share.

use std::sync::OnceLock;

use crate::deliveries::Deliveries;
use crate::ledger::Ledger;

/// Handed to every provider when it is made.
#[derive(Default)]
pub(crate) struct Shared {
    /// Where money moved.
    pub(crate) ledger: Ledger,
    /// Webhooks on their way out.
    pub(crate) deliveries: Deliveries,
    root: OnceLock<String>,
}

impl Shared {
    /// The sandbox's own URL as it was bound, without a slash at its end; blank before it is bound. Links in an answer
    /// go by the request's `Host` instead.
    pub(crate) fn root(&self) -> &str {
        self.root.get().map_or("", String::as_str)
    }

    /// Says where the sandbox is; the first word counts.
    pub(crate) fn bound(&self, root: String) {
        // A sandbox is bound once.
        let _ = self.root.set(root);
    }
}
