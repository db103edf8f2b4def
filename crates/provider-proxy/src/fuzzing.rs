//! The entrances of the fuzz targets in `fuzz/`: what providers send, given to what reads it.

use crate::providers::{reference, stripe};

/// A signed notice: none is believed that was not signed.
pub fn reference_notice(bytes: &[u8]) {
    reference::fuzz_notice(bytes);
}

/// An answer of Stripe's.
pub fn stripe_answer(bytes: &[u8]) {
    stripe::fuzz::answer(bytes);
}

/// A webhook of Stripe's: none is believed that was not signed.
pub fn stripe_webhook(bytes: &[u8]) {
    stripe::fuzz::webhook(bytes);
}
