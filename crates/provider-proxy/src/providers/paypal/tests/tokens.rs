//! Access tokens: one for all, never an expired one, another after a 401, none when none is given.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use futures_util::future::join_all;
use wire::ErrorKind;

use super::*;
use crate::providers::{
    connect::Connect,
    paypal::{
        Paypal,
        upstream::{Upstream, response, token},
    },
    posted::WallClock,
};

thread_local! {
    static LATER: Cell<u64> = const { Cell::new(0) };
}

/// A clock that a test puts forward on its own thread.
fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + LATER.with(Cell::get))
}

fn refund_answer() -> Vec<u8> {
    response(201, "application/json", fixture!("refund"))
}

/// Numbers its tokens, and takes only those that `good` says.
fn numbered(life: u64, good: impl Fn(&str) -> bool + Send + 'static) -> Upstream {
    let minted = AtomicUsize::new(0);
    Upstream::start(move |arrived| {
        if arrived.target == "/v1/oauth2/token" {
            return Some(token(&format!("dummy-token-{}", minted.fetch_add(1, Ordering::Relaxed)), life));
        }
        let sent = arrived.header("authorization").unwrap();
        if good(sent) {
            return Some(refund_answer());
        }
        Some(response(401, "application/json", r#"{"error":"invalid_token","error_description":"unknown"}"#))
    })
}

async fn refund_by(connector: &Paypal) -> &'static str {
    connector.refund(&refund(Some("CAPTURE1"))).await.unwrap().name()
}

#[actix_web::test]
async fn a_hundred_callers_ask_for_one_token() {
    let upstream = numbered(32_400, |_| true);
    let connector = upstream.connector();
    let outcomes = join_all((0..100).map(|_| refund_by(&connector))).await;
    assert_eq!(outcomes, vec!["succeeded"; 100]);
    assert_eq!((upstream.tokens(), upstream.arrived().len()), (1, 100));
}

#[actix_web::test]
async fn the_workers_of_the_same_settings_share_a_token() {
    let upstream = numbered(32_400, |_| true);
    let settings = upstream.settings();
    for _ in 0..3 {
        assert_eq!(refund_by(&Paypal::new(&settings).unwrap()).await, "succeeded");
    }
    assert_eq!(upstream.tokens(), 1);
}

#[actix_web::test]
async fn the_token_request_carries_the_client_s_credentials() {
    let upstream = Upstream::start(|arrived| {
        if arrived.target != "/v1/oauth2/token" {
            return Some(refund_answer());
        }
        let expected = data_encoding::BASE64.encode(b"dummy-client-id-0123456789:dummy-client-secret/&=");
        assert_eq!(arrived.line(), "POST /v1/oauth2/token");
        assert_eq!(arrived.header("authorization"), Some(format!("Basic {expected}").as_str()));
        assert_eq!(arrived.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(arrived.body, b"grant_type=client_credentials");
        Some(token("dummy-token-0", 32_400))
    });
    assert_eq!(refund_by(&upstream.connector()).await, "succeeded");
}

#[actix_web::test]
async fn an_expired_token_is_never_sent() {
    let upstream = numbered(600, |_| true);
    let connector = upstream.connector_at(WallClock::of(clock));
    refund_by(&connector).await;
    LATER.set(500);
    refund_by(&connector).await;
    LATER.set(601);
    refund_by(&connector).await;
    let sent: Vec<_> = upstream
        .arrived()
        .iter()
        .map(|arrived| arrived.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(sent, ["Bearer dummy-token-0", "Bearer dummy-token-0", "Bearer dummy-token-1"]);
}

#[actix_web::test]
async fn a_401_leads_to_one_new_token_and_the_same_request_again() {
    let upstream = numbered(32_400, |sent| sent == "Bearer dummy-token-1");
    assert_eq!(refund_by(&upstream.connector()).await, "succeeded");
    let arrived = upstream.arrived();
    assert_eq!((upstream.tokens(), arrived.len()), (2, 2));
    assert_eq!(arrived[0].header("paypal-request-id"), arrived[1].header("paypal-request-id"));
    assert_eq!(arrived[0].body, arrived[1].body);
}

#[actix_web::test]
async fn a_401_that_stays_is_a_rejection_and_costs_no_token_each_time() {
    let upstream = numbered(32_400, |_| false);
    let connector = upstream.connector_at(WallClock::of(clock));
    assert_eq!(refund_by(&connector).await, "rejected");
    assert_eq!((upstream.tokens(), upstream.arrived().len()), (2, 2));
    assert_eq!(refund_by(&connector).await, "rejected");
    assert_eq!((upstream.tokens(), upstream.arrived().len()), (2, 3));
}

#[actix_web::test]
async fn without_a_token_nothing_is_sent() {
    for bytes in [
        response(401, "application/json", r#"{"error":"invalid_client","error_description":"no"}"#),
        response(500, "text/html", "<html>"),
        response(302, "text/html", ""),
        response(200, "application/json", "{}"),
        response(200, "text/html", r#"{"access_token":"dummy-token","token_type":"Bearer","expires_in":60}"#),
        token("dummy token", 60),
        token("dummy-token", 0),
        Vec::new(),
    ] {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let upstream = Upstream::start(move |_| Some(bytes.clone()));
        let failure = upstream.connector().refund(&refund(Some("CAPTURE1"))).await.unwrap_err().failure();
        assert_eq!(failure.kind, ErrorKind::Internal, "{shown}");
        assert!(!failure.kind.outcome_is_unknown());
        assert!(!failure.message.contains("dummy"), "{}", failure.message);
        assert!(upstream.arrived().is_empty(), "{shown}");
    }
}
