//! What an operator's tools are answered.

use std::{fs, path::Path};

use actix_web::http::{Method, StatusCode, header::HeaderMap};
use chassis::{
    client::{ClientSettings, HttpClient, Outgoing},
    environment::Environment,
    settings::SettingsError,
};
use serde_json::Value;

use super::*;
use crate::config::Settings;

fn settings(text: &str) -> Result<Settings, SettingsError> {
    Settings::read(text.parse().unwrap(), Environment::default())
}

fn services(text: &str) -> Services {
    Services::start(settings(text).unwrap()).unwrap()
}

struct Running {
    url: String,
    services: Services,
}

fn start(text: &str, expiry: Option<SystemTime>) -> Running {
    let services = services(&format!("[admin]\nlisten = \"127.0.0.1:0\"\n{text}"));
    let expiry = expiry.map(|at| Arc::new(move || at) as CertificateExpiry);
    let bound = listen(&services, expiry).unwrap().unwrap();
    let url = bound.url();
    actix_web::rt::spawn(bound.run());
    Running { url, services }
}

impl Running {
    async fn get(&self, path: &str) -> (StatusCode, HeaderMap, String) {
        let request = Outgoing {
            method: Method::GET,
            url: format!("{}{path}", self.url),
            headers: Vec::new(),
            body: web::Bytes::new(),
        };
        let answer = HttpClient::new(&ClientSettings::default()).unwrap().send(request).await.unwrap();
        (answer.status, answer.headers, String::from_utf8(answer.body.to_vec()).unwrap())
    }

    /// Why it is not ready; nothing when it is.
    async fn reasons(&self) -> Vec<String> {
        let (status, _, body) = self.get("/readyz").await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let ready = body["ready"].as_bool().unwrap();
        assert_eq!(status, if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE });
        let reasons: Vec<String> = serde_json::from_value(body["reasons"].clone()).unwrap();
        assert_eq!(reasons.is_empty(), ready);
        reasons
    }
}

fn with_a_file(path: &Path) -> String {
    format!(
        "[providers.reference]\nurl = \"http://127.0.0.1:1\"\nrealm = \"r\"\nconsumer_key = \"dummy-key\"\n\
         consumer_secret = {{ file = {path:?} }}\nnotice_keys = {{ 0 = \"dummy-notice\" }}"
    )
}

#[actix_web::test]
async fn without_an_address_there_is_no_admin_listener() {
    assert!(listen(&services(""), None).unwrap().is_none());
}

#[test]
fn an_address_that_other_machines_reach_is_a_fault() {
    for address in ["0.0.0.0:2605", "192.0.2.1:2605", "[::]:2605"] {
        let error = settings(&format!("[admin]\nlisten = \"{address}\"")).unwrap_err();
        assert_eq!(error.to_string(), "admin.listen: expected a loopback address");
    }
    settings("[admin]\nlisten = \"[::1]:2605\"").unwrap();
}

#[actix_web::test]
async fn the_metrics_are_in_the_format_of_prometheus() {
    let running = start("", Some(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)));
    running.services.metrics.target("shop").begin();
    running.services.metrics.target("shop").end();
    let (status, headers, text) = running.get("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers.get("content-type").unwrap(), metrics::CONTENT_TYPE);
    for line in [
        "# TYPE provider_proxy_requests_in_flight gauge",
        "provider_proxy_requests_in_flight{target=\"shop\"} 0",
        "provider_proxy_last_reload_successful 1",
        "provider_proxy_reloads_total{outcome=\"failure\"} 0",
        "provider_proxy_certificate_expiry_timestamp_seconds{certificate=\"server.tls.certificate\"} 86400",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[actix_web::test]
async fn a_process_that_answers_is_alive_whether_it_is_ready_or_not() {
    let running = start("", None);
    assert_eq!(running.reasons().await, Vec::<String>::new());
    running.services.readiness.failed("targets.shop: token endpoint", "answered 503");
    assert_eq!(running.reasons().await, ["targets.shop: token endpoint: answered 503"]);
    let (status, _, body) = running.get("/healthz").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"alive":true}"#));
    running.services.readiness.works("targets.shop: token endpoint");
    assert_eq!(running.reasons().await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_credential_file_that_cannot_be_read_is_a_reason_and_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "dummy-secret").unwrap();
    let running = start(&with_a_file(&path), None);
    assert_eq!(running.reasons().await, Vec::<String>::new());
    fs::remove_file(&path).unwrap();
    let reasons = running.reasons().await;
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].starts_with(path.to_str().unwrap()), "{reasons:?}");
    fs::write(&path, "dummy-secret").unwrap();
    assert_eq!(running.reasons().await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_certificate_that_ends_soon_is_a_reason() {
    let day = Duration::from_secs(24 * 3600);
    for (left, text, reason) in [
        (8 * day, "", None),
        (7 * day, "", Some("server.tls.certificate: expires in 167 h")),
        (7 * day, "certificate_warning = \"6d\"", None),
        (Duration::ZERO, "certificate_warning = 0", Some("server.tls.certificate: expired")),
    ] {
        let running = start(text, Some(SystemTime::now() + left));
        assert_eq!(running.reasons().await, reason.into_iter().collect::<Vec<_>>(), "{left:?} {text}");
    }
}

#[actix_web::test]
async fn what_is_not_asked_for_is_not_there() {
    let running = start("", None);
    for path in ["/", "/v1/reference/get_seller", "/proxy/shop/", "/services/status/"] {
        assert_eq!(running.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
