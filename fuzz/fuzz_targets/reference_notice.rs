//! The reference provider's signed notice.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| provider_proxy::fuzzing::reference_notice(bytes));
