//! The chain: each line carries the SHA-256 of the line before it, so that none can be changed, added or taken out
//! without changing all that follow.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// What the very first line carries.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The SHA-256 of a line without its line break, in lower-case hexadecimal.
pub(super) fn hash(line: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(line))
}

/// The end of the chain, to which the next line is added.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The hash of the last line.
    pub(super) head: String,
}

impl Chain {
    pub(super) fn new() -> Self {
        Self { head: GENESIS.to_owned() }
    }

    pub(super) const fn after(head: String) -> Self {
        Self { head }
    }
}
