//! Webhooks of PayPal, forged and signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| provider_proxy::fuzzing::webhook(wire::payment::Provider::Paypal, bytes));
