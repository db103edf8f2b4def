//! What becomes of refusals, redirects, silence and nonsense.

use std::{net::TcpListener, time::Duration};

use serde_json::json;
use wire::{ErrorKind, ProxyFailure, Reply};

use super::*;
use crate::policy::Gate;
use crate::providers::{
    Answer,
    reference::{
        Reference,
        upstream::{KEY, NOTICE_KEY, SECRET, Upstream, response, settings},
    },
};

async fn get_seller(connector: &Reference) -> Result<Answer, ProxyFailure> {
    let body = br#"{"reference_id": "seller:2"}"#;
    connector.perform_own("get_seller", body, &Gate::open()).await.map_err(|error| error.failure())
}

async fn failure_of(upstream: &Upstream) -> ProxyFailure {
    get_seller(&upstream.connector()).await.unwrap_err()
}

async fn refusal_of(upstream: &Upstream) -> (u16, Value, Option<String>) {
    let answer = get_seller(&upstream.connector()).await.unwrap();
    let Reply::Refused(refused) = answer.reply else { panic!("{answer:?}") };
    assert_eq!(refused.status, answer.status);
    (refused.status, refused.body, refused.retry_after)
}

#[actix_web::test]
async fn a_refusal_is_passed_on_with_its_status_and_body() {
    for (status, text) in [
        (409, include_str!("../fixtures/refused_conflict.json")),
        (404, include_str!("../fixtures/refused_not_found.json")),
        (401, include_str!("../fixtures/refused_unauthorized.json")),
        (500, "{\"code\": \"InternalError\"}"),
    ] {
        let expected = serde_json::from_str(text).unwrap();
        assert_eq!(refusal_of(&Upstream::answering(status, text)).await, (status, expected, None));
    }
}

#[actix_web::test]
async fn a_refusal_that_is_no_json_is_passed_on_as_bounded_text() {
    let page = "<html>Bad Gateway</html>";
    assert_eq!(refusal_of(&Upstream::answering(502, page)).await, (502, json!(page), None));
    assert_eq!(refusal_of(&Upstream::answering(503, "")).await, (503, json!(""), None));
    let long = "ü".repeat(20_000);
    let (_, body, _) = refusal_of(&Upstream::answering(500, &long)).await;
    assert_eq!(body.as_str().unwrap().chars().count(), 4096);
}

#[actix_web::test]
async fn retry_after_is_passed_on_when_it_is_one() {
    for (sent, passed_on) in [
        ("120", Some("120")),
        ("Wed, 21 Oct 2015 07:28:00 GMT", Some("Wed, 21 Oct 2015 07:28:00 GMT")),
        ("dummy-secret", None),
        ("-1", None),
    ] {
        let header = format!("Retry-After: {sent}\r\n");
        let upstream = Upstream::start(move |_| Some(response(429, &header, "{}")));
        assert_eq!(refusal_of(&upstream).await.2.as_deref(), passed_on, "{sent}");
    }
}

#[actix_web::test]
async fn a_redirect_is_not_followed_and_its_target_is_withheld() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Upstream::answering(200, include_str!("../fixtures/get_seller.json"));
        let location = format!("Location: http://{}/sellers/seller:2\r\n", elsewhere.address);
        let upstream = Upstream::start(move |_| Some(response(status, &location, "{}")));
        let failure = failure_of(&upstream).await;
        assert_eq!(failure.kind, ErrorKind::Protocol, "{status}");
        assert!(failure.message.contains(&status.to_string()), "{}", failure.message);
        assert!(!failure.message.contains("http"), "{}", failure.message);
        assert_eq!(upstream.arrived().len(), 1);
        assert!(elsewhere.arrived().is_empty(), "{status} was followed");
    }
}

#[actix_web::test]
async fn an_odd_status_is_a_protocol_error() {
    for status in [304, 600, 999] {
        let failure = failure_of(&Upstream::answering(status, "")).await;
        assert_eq!(failure.kind, ErrorKind::Protocol, "{status}");
    }
}

#[actix_web::test]
async fn a_provider_that_never_answers_times_out() {
    let upstream = Upstream::start(|_| None);
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.client.total_timeout = Duration::from_millis(200);
    let failure = get_seller(&Reference::new(&settings).unwrap()).await.unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Timeout);
    assert_eq!(failure.message, "No complete answer within 200ms.");
    upstream.wait_until_closed();
    assert_eq!(upstream.arrived().len(), 1);
}

#[actix_web::test]
async fn a_connection_that_breaks_after_the_request_is_a_protocol_error() {
    let whole = response(200, "", include_str!("../fixtures/get_seller.json"));
    let half = whole[..whole.len() / 2].to_vec();
    for bytes in [Vec::new(), half, b"HTTP/1.1 2".to_vec(), b"220 mail.test ESMTP\r\n".to_vec()] {
        let upstream = Upstream::start(move |_| Some(bytes.clone()));
        assert_eq!(failure_of(&upstream).await.kind, ErrorKind::Protocol);
        assert_eq!(upstream.arrived().len(), 1, "an unknown outcome is not tried again");
    }
}

#[actix_web::test]
async fn a_port_that_nobody_listens_on_is_a_connect_error() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let connector = Reference::new(&settings(&format!("http://{free}"))).unwrap();
    let failure = get_seller(&connector).await.unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Connect);
    assert!(!failure.message.contains(&free.port().to_string()), "{}", failure.message);
}

#[actix_web::test]
async fn a_server_that_speaks_no_tls_is_a_tls_error() {
    let upstream = Upstream::start(|_| Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    let connector = Reference::new(&settings(&format!("https://{}", upstream.address))).unwrap();
    assert_eq!(get_seller(&connector).await.unwrap_err().kind, ErrorKind::Tls);
}

#[actix_web::test]
async fn an_oversized_answer_is_a_protocol_error() {
    let filler = json!({ "resource_pk": "1", "resource_uri": "/", "x": "x".repeat(64 * 1024) }).to_string();
    for status in [200, 500] {
        let failure = failure_of(&Upstream::answering(status, &filler)).await;
        assert_eq!(failure.kind, ErrorKind::Protocol);
        assert_eq!(failure.message, "The answer is larger than 65536 bytes.");
    }
}

#[actix_web::test]
async fn a_success_with_another_body_is_a_protocol_error() {
    for (status, body) in [
        (200, ""),
        (204, ""),
        (200, "<html>Welcome</html>"),
        (200, "[]"),
        (200, "null"),
        (200, "{}"),
        (200, "{\"resource_pk\": {}, \"resource_uri\": \"/\"}"),
        (200, "{\"error\": {\"code\": \"x\"}}"),
        (200, "{\"resource_pk\": \"1\""),
    ] {
        let failure = failure_of(&Upstream::answering(status, body)).await;
        assert_eq!(failure.kind, ErrorKind::Protocol, "{status} {body}");
        assert!(
            failure.message.starts_with("The provider's answer was not understood"),
            "{}",
            failure.message
        );
    }
}

#[actix_web::test]
async fn a_provider_that_echoes_the_request_reveals_no_credential() {
    for status in [200, 401] {
        for quoted in [true, false] {
            let upstream = Upstream::start(move |arrived| {
                let header = arrived.header("authorization").unwrap();
                let body = json!({
                    "resource_pk": "1",
                    "resource_uri": "/",
                    "echo": header,
                    "secrets": [SECRET, NOTICE_KEY, {SECRET: 1}],
                });
                Some(response(
                    status,
                    "",
                    &if quoted { body.to_string() } else { format!("x{header} {SECRET}") },
                ))
            });
            let (shown, sensitive) = match get_seller(&upstream.connector()).await {
                Ok(answer) => (format!("{answer:?}"), true),
                Err(failure) => (format!("{failure:?}"), false),
            };
            assert_eq!(sensitive, quoted || status == 401);
            let arrived = upstream.arrived().remove(0);
            let header = arrived.header("authorization").unwrap();
            let signature = header.split("oauth_signature=\"").nth(1).unwrap().trim_end_matches('"');
            for secret in [KEY, SECRET, NOTICE_KEY, signature] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        }
    }
}
