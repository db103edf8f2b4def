//! The rows of the tables of capabilities: which neutral operations a provider offers.

use wire::payment::{Capability, OperationName};

/// One row of a provider's table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// The operation.
    pub operation: OperationName,
    /// Whether the provider offers it. What it does not is refused before anything is sent.
    pub supported: bool,
    /// What is special about it, for a person; empty when nothing is.
    pub note: &'static str,
}

impl Row {
    /// An operation that the provider offers.
    #[must_use]
    pub const fn yes(operation: OperationName, note: &'static str) -> Self {
        Self { operation, supported: true, note }
    }

    /// An operation that it does not offer, and why.
    #[must_use]
    pub const fn no(operation: OperationName, note: &'static str) -> Self {
        Self { operation, supported: false, note }
    }
}

impl From<&Row> for Capability {
    fn from(row: &Row) -> Self {
        Self { operation: row.operation, supported: row.supported, note: row.note.to_owned() }
    }
}
