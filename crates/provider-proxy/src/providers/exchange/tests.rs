//! What becomes of silence, redirects and nonsense, for what changes something and for what only reads.

use std::{net::TcpListener, time::Duration};

use actix_web::http::{
    Method,
    header::{AUTHORIZATION, HeaderValue},
};
use serde_json::json;
use wire::ErrorKind;

use super::*;
use crate::providers::reference::upstream::{Upstream, response};

const SECRET: &str = "dummy-secret-key";
const TOKEN: &str = "dummy-access-token";

fn exchange() -> Exchange {
    let mut withheld = Withheld::default();
    withheld.add(SECRET);
    let settings = ClientSettings {
        total_timeout: Duration::from_millis(300),
        max_response_body: 1000,
        ..ClientSettings::default()
    };
    Exchange::new(Provider::Stripe, &settings, withheld).unwrap()
}

fn outgoing(url: String) -> Outgoing {
    let mut authorization = HeaderValue::from_static("Bearer dummy-access-token");
    authorization.set_sensitive(true);
    Outgoing { method: Method::POST, url, headers: vec![(AUTHORIZATION, authorization)], body: Bytes::new() }
}

async fn change(url: String) -> Result<Outcome<Value>, ErrorKind> {
    let map = |received: &Received| match received.status.as_u16() {
        200 => Ok(Outcome::Succeeded { result: received.value()? }),
        _ => Ok(received.rejected("no", Vec::new())),
    };
    exchange().change(outgoing(url), map).await.map_err(|error| error.failure().kind)
}

async fn read(url: String) -> Result<Value, ErrorKind> {
    exchange().read(outgoing(url), Received::value).await.map_err(|error| error.failure().kind)
}

fn url(upstream: &Upstream) -> String {
    format!("http://{}/v1/x", upstream.address)
}

#[actix_web::test]
async fn after_sending_a_change_has_an_unknown_outcome_and_a_read_none() {
    let whole = response(200, "", "{\"a\": 1}");
    let half = whole[..whole.len() - 3].to_vec();
    let large = response(200, "", &json!("x".repeat(2000)).to_string());
    let cases: [(&str, Option<Vec<u8>>, ErrorKind); 12] = [
        ("silence", None, ErrorKind::Timeout),
        ("closed", Some(Vec::new()), ErrorKind::Protocol),
        ("truncated", Some(half), ErrorKind::Protocol),
        ("no HTTP", Some(b"220 mail.test\r\n".to_vec()), ErrorKind::Protocol),
        ("too large", Some(large), ErrorKind::Protocol),
        ("500", Some(response(500, "", "{}")), ErrorKind::Protocol),
        ("503", Some(response(503, "Retry-After: 1\r\n", "<html>")), ErrorKind::Protocol),
        ("302", Some(response(302, "Location: http://127.0.0.1:1/dummy\r\n", "")), ErrorKind::Protocol),
        ("999", Some(response(999, "", "")), ErrorKind::Protocol),
        ("HTML", Some(response(200, "", "<html>Welcome</html>")), ErrorKind::Protocol),
        ("empty", Some(response(200, "", "")), ErrorKind::Protocol),
        ("two", Some(response(200, "", "{} {}")), ErrorKind::Protocol),
    ];
    for (name, bytes, kind) in cases {
        let upstream = Upstream::start(move |_| bytes.clone());
        match change(url(&upstream)).await {
            Ok(Outcome::Unknown { reason }) => {
                assert!(!reason.contains("127.0.0.1") && !reason.contains("html"), "{name}: {reason}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(read(url(&upstream)).await.unwrap_err(), kind, "{name}");
        assert_eq!(upstream.arrived().len(), 2, "{name}: nothing is sent twice");
    }
}

#[actix_web::test]
async fn before_sending_there_is_an_error_and_no_outcome() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(change(format!("http://{free}/")).await.unwrap_err(), ErrorKind::Connect);
    assert_eq!(read(format!("http://{free}/")).await.unwrap_err(), ErrorKind::Connect);
    let plain = Upstream::start(|_| Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    assert_eq!(change(format!("https://{}/", plain.address)).await.unwrap_err(), ErrorKind::Tls);
}

#[actix_web::test]
async fn a_refusal_is_for_the_connector_with_its_retry_after() {
    let upstream = Upstream::start(|_| Some(response(429, "Retry-After: 7\r\n", "{}")));
    let Ok(Outcome::Rejected { rejection }) = change(url(&upstream)).await else { panic!() };
    assert_eq!((rejection.status, rejection.retry_after.as_deref()), (429, Some("7")));
    let odd = Upstream::start(|_| Some(response(429, "Retry-After: dummy\r\n", "{}")));
    let Ok(Outcome::Rejected { rejection }) = change(url(&odd)).await else { panic!() };
    assert_eq!(rejection.retry_after, None);
}

#[actix_web::test]
async fn a_provider_that_echoes_our_credentials_reveals_none() {
    let upstream = Upstream::start(|arrived| {
        let body = json!({"echo": arrived.header("authorization"), "secret": SECRET, SECRET: 1});
        Some(response(200, "", &body.to_string()))
    });
    let Ok(Outcome::Succeeded { result }) = change(url(&upstream)).await else { panic!() };
    let text = result.to_string();
    assert!(text.contains("[withheld]") && !text.contains(SECRET) && !text.contains(TOKEN), "{text}");
    assert!(read(url(&upstream)).await.unwrap().to_string().contains("Bearer [withheld]"));
}

#[test]
fn a_later_step_that_fails_leaves_the_whole_unknown() {
    let error = ProxyError::NotConfigured { target: "stripe" };
    let outcome: Outcome<u8> = after_a_change(Err(error));
    assert_eq!(outcome.name(), "unknown");
    let refused = unless_unknown::<u8>(Err(ProxyError::NotConfigured { target: "stripe" }));
    assert_eq!(refused.unwrap_err().failure().kind, ErrorKind::NotConfigured);
}
