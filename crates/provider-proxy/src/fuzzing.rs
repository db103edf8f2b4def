//! The entrances of the fuzz targets in `fuzz/`: what providers send, given to what reads it.

use crate::providers::reference;

/// A signed notice: none is believed that was not signed.
pub fn reference_notice(bytes: &[u8]) {
    reference::fuzz_notice(bytes);
}
