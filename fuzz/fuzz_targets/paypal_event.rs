//! What a webhook of PayPal says once its signature was good.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| provider_proxy::fuzzing::paypal_event(bytes));
