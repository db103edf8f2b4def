//! Answers of Braintree to whatever operation.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| provider_proxy::fuzzing::answer(wire::payment::Provider::Braintree, bytes));
