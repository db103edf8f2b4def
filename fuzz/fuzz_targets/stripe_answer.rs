//! An answer of Stripe's.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| provider_proxy::fuzzing::stripe_answer(bytes));
