//! The text that Prometheus reads.

use std::time::Duration;

use wire::passthrough::Kind;

use super::*;
use crate::passthrough::admission::{AdmissionSettings, Clock};

fn exchange(method: &str, status: u16, kind: Option<Kind>) -> Exchange<'_> {
    Exchange { method, status, kind, duration: Duration::from_millis(7), bytes_in: 3, bytes_out: 5 }
}

fn text(metrics: &Metrics) -> String {
    let text = metrics.render(&Bulkheads::new(Clock::held())).unwrap();
    String::from_utf8(text).unwrap()
}

/// The value of the one sample with this name and these labels.
#[track_caller]
fn sample(text: &str, sample: &str) -> String {
    let mut found = text.lines().filter_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let value = found.next().unwrap_or_else(|| panic!("no {sample} in\n{text}"));
    assert_eq!(found.next(), None, "{sample} twice");
    value.to_owned()
}

#[test]
fn a_request_counts_for_its_target_its_method_and_the_class_of_its_status() {
    let metrics = Metrics::new().unwrap();
    let shop = metrics.target("shop");
    shop.begin();
    shop.observe(&exchange("GET", 204, None));
    shop.observe(&exchange("GET", 200, None));
    metrics.target("shop").observe(&exchange("POST", 502, Some(Kind::Leak)));
    let seen = text(&metrics);
    let requests = "provider_proxy_requests_total";
    assert_eq!(sample(&seen, &format!("{requests}{{method=\"GET\",status=\"2xx\",target=\"shop\"}}")), "2");
    assert_eq!(sample(&seen, &format!("{requests}{{method=\"POST\",status=\"5xx\",target=\"shop\"}}")), "1");
    assert_eq!(sample(&seen, r#"provider_proxy_errors_total{kind="leak",target="shop"}"#), "1");
    assert_eq!(sample(&seen, r#"provider_proxy_requests_in_flight{target="shop"}"#), "1");
    let bytes = "provider_proxy_body_bytes_total";
    assert_eq!(sample(&seen, &format!("{bytes}{{direction=\"in\",target=\"shop\"}}")), "9");
    assert_eq!(sample(&seen, &format!("{bytes}{{direction=\"out\",target=\"shop\"}}")), "15");
    let buckets = "provider_proxy_request_duration_seconds_bucket";
    assert_eq!(sample(&seen, &format!("{buckets}{{target=\"shop\",le=\"0.005\"}}")), "0");
    assert_eq!(sample(&seen, &format!("{buckets}{{target=\"shop\",le=\"0.01\"}}")), "3");
    shop.end();
    assert_eq!(sample(&text(&metrics), r#"provider_proxy_requests_in_flight{target="shop"}"#), "0");
}

#[test]
fn no_text_of_a_callers_becomes_a_label() {
    let metrics = Metrics::new().unwrap();
    metrics.unknown_target().observe(&exchange("PROPFIND-dummy", 404, Some(Kind::UnknownTarget)));
    metrics.unknown_target().observe(&exchange("GET", 999, None));
    let seen = text(&metrics);
    assert!(!seen.contains("dummy"), "{seen}");
    let requests = "provider_proxy_requests_total";
    assert_eq!(sample(&seen, &format!("{requests}{{method=\"other\",status=\"4xx\",target=\"\"}}")), "1");
    assert_eq!(sample(&seen, &format!("{requests}{{method=\"GET\",status=\"other\",target=\"\"}}")), "1");
}

#[test]
fn a_breaker_a_refresh_and_a_certificate_are_shown() {
    let metrics = Metrics::new().unwrap();
    metrics.credential_refreshed("shop", true);
    metrics.credential_refreshed("shop", false);
    metrics.certificate_expires("server.tls.certificate", UNIX_EPOCH + Duration::from_secs(86_400));
    let bulkheads = Bulkheads::new(Clock::held());
    let settings = AdmissionSettings {
        breaker: Some(crate::passthrough::admission::BreakerSettings {
            failures: std::num::NonZeroU32::MIN,
            open_for: Duration::from_secs(1),
        }),
        ..AdmissionSettings::default()
    };
    bulkheads.admission("open", &settings).admit().unwrap().failed();
    drop(bulkheads.admission("closed", &settings));
    let seen = String::from_utf8(metrics.render(&bulkheads).unwrap()).unwrap();
    assert_eq!(sample(&seen, r#"provider_proxy_breaker_state{target="open"}"#), "2");
    assert_eq!(sample(&seen, r#"provider_proxy_breaker_state{target="closed"}"#), "0");
    let refreshes = "provider_proxy_credential_refreshes_total";
    assert_eq!(sample(&seen, &format!("{refreshes}{{outcome=\"failure\",target=\"shop\"}}")), "1");
    let expiry = "provider_proxy_certificate_expiry_timestamp_seconds";
    assert_eq!(sample(&seen, &format!("{expiry}{{certificate=\"server.tls.certificate\"}}")), "86400");
}
