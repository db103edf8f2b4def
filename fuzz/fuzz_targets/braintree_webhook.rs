//! Webhooks of Braintree, forged and signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| provider_proxy::fuzzing::webhook(wire::payment::Provider::Braintree, bytes));
