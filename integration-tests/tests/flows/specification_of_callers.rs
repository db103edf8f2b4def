//! The API's section on the authentication of clients, over HTTP and in the log.

use actix_web::http::Method;
use integration_tests::{
    client::{Answer, Client},
    in_process::{Dummies, PairOptions},
};
use oauth1::{Credentials, SignatureMethod, sign};
use serde_json::json;

use super::executables::Executables;

const PATH: &str = "/services/request/";

/// Asks who is calling, with a signature by this key and secret at this time.
async fn ask(url: &str, key: &str, secret: &str, nonce: &str, timestamp: i64) -> Answer {
    let credentials = Credentials {
        consumer_key: key.to_owned(),
        consumer_secret: secret.to_owned().into(),
        realm: Some("solitude".to_owned()),
    };
    let time = u64::try_from(timestamp).unwrap();
    let whole = format!("{url}{PATH}");
    let header = sign(&credentials, "GET", &whole, nonce, time, SignatureMethod::HmacSha1, &[]).unwrap();
    let client = Client::unsigned(url);
    client.request(Method::GET, PATH).header("Authorization", &header).answer().await
}

#[actix_web::test]
async fn a_wrong_key_signature_timestamp_or_nonce_is_refused_and_logged_with_no_hint_why() {
    let running = Executables::start("", "", Dummies::default()).await;
    let url = running.db_server.url.as_str();
    let (key, secret) = (running.dummies.client_key.as_str(), running.dummies.client_secret.as_str());
    // One moment for all: a nonce has been used with its timestamp.
    let now = chrono::Utc::now().timestamp();
    let first = ask(url, key, secret, "used", now).await;
    assert_eq!((first.status, first.json()), (200, json!({"authenticated": key})));
    let (mut refusals, mut reasons) = (Vec::new(), Vec::new());
    for (key, secret, nonce, seconds, reason) in [
        ("dummy-nobody", secret, "n1", 0, "no active client has the key"),
        (key, "dummy-wrong", "n2", 0, "the signature does not match"),
        (key, secret, "n3", -301, "the timestamp is outside the window"),
        (key, secret, "n4", 900, "the timestamp is outside the window"),
        (key, secret, "used", 0, "the nonce has been used before"),
    ] {
        refusals.push(ask(url, key, secret, nonce, now + seconds).await);
        reasons.push(reason);
    }
    running.db_server.process.wait_for_line(reasons[4]).await.unwrap();
    let lines = running.db_server.process.lines();
    let logged: Vec<_> = lines.iter().filter_map(|line| line.split_once("not authenticated: ")).collect();
    assert_eq!(logged.iter().map(|(_, reason)| *reason).collect::<Vec<_>>(), reasons);
    assert_eq!(refusals[0].status, 401);
    for refusal in &refusals {
        assert_eq!((refusal.status, &refusal.body), (refusals[0].status, &refusals[0].body));
    }
}

#[actix_web::test]
async fn each_client_has_a_key_and_a_secret_of_its_own() {
    let settings = "[auth.clients.webpay]\nsecret = 'dummy-webpay-secret'\nroles = ['read']\n\
                    [auth.clients.payments]\nsecret = 'dummy-payments-secret'\nroles = ['read']";
    let pair = PairOptions::default().db_settings(settings).spawn().await;
    let url = pair.db_server.url();
    for (key, secret, other) in [
        ("webpay", "dummy-webpay-secret", "dummy-payments-secret"),
        ("payments", "dummy-payments-secret", "dummy-webpay-secret"),
    ] {
        assert_eq!(Client::signed(url, key, secret).get(PATH).await.json(), json!({"authenticated": key}));
        assert_eq!(Client::signed(url, key, other).get(PATH).await.status, 401, "{key}");
    }
}

#[actix_web::test]
async fn require_oauth_false_serves_clients_that_do_not_sign() {
    let pair = PairOptions::default().db_settings("[auth]\nrequire_oauth = false").spawn().await;
    let client = Client::unsigned(pair.db_server.url());
    assert_eq!(client.get("/generic/seller/").await.status, 200);
    assert_eq!(client.post("/generic/seller/", &json!({"uuid": "one"})).await.status, 201);
    assert_eq!(client.get("/services/status/").await.status, 200);
}
