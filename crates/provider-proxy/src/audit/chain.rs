//! The chain: each line carries the SHA-256 of the line before it, so that none can be changed, added or taken out
//! without changing all that follow.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// What the very first line carries.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How every line begins, up to the hash.
const BEGINNING: &[u8] = b"{\"previous\":\"";

/// The SHA-256 of a line without its line break, in lower-case hexadecimal.
pub(super) fn hash(line: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(line))
}

/// The end of the chain, to which the next line is added.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The hash of the last line.
    head: String,
}

impl Chain {
    pub(super) fn new() -> Self {
        Self { head: GENESIS.to_owned() }
    }

    pub(super) const fn after(head: String) -> Self {
        Self { head }
    }

    /// Adds a line to the text: its beginning with the hash of the last one, and the rest of it as it is given, which
    /// begins behind that and ends before the line break.
    pub(super) fn add(&mut self, text: &mut Vec<u8>, rest: &[u8]) {
        let start = text.len();
        text.reserve(BEGINNING.len() + self.head.len() + 2 + rest.len());
        text.extend_from_slice(BEGINNING);
        text.extend_from_slice(self.head.as_bytes());
        text.push(b'"');
        text.extend_from_slice(rest);
        let digest = Sha256::digest(text.get(start..).unwrap_or_default());
        self.head.clear();
        HEXLOWER.encode_append(&digest, &mut self.head);
        text.push(b'\n');
    }
}
