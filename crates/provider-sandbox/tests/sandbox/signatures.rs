//! Every OAuth check of the reference provider.

use oauth1::{Credentials, SignatureMethod, sign};
use serde_json::{Value, json};

use crate::consumer::{Consumer, KEY, REALM, SECRET, authorization, credentials, nonce, now, seller};

async fn reason(consumer: &Consumer, header: Option<&str>) -> Value {
    let (status, body) = consumer.send("GET", "/sellers", header, None).await;
    assert_eq!(status, 401, "{body}");
    assert_eq!(body["code"], "UnauthorizedError");
    body["message"].clone()
}

fn sign_at(consumer: &Consumer, credentials: &Credentials, timestamp: u64) -> String {
    let url = consumer.url("/sellers");
    sign(credentials, "GET", &url, &nonce(), timestamp, SignatureMethod::HmacSha1, &[]).unwrap()
}

#[actix_web::test]
async fn a_signed_request_is_answered_and_an_unsigned_one_is_not() {
    let consumer = Consumer::start();
    assert_eq!(consumer.get("/sellers").await, (200u16.try_into().unwrap(), json!([])));
    assert_eq!(reason(&consumer, None).await, "the Authorization header must be there once");
    assert_eq!(reason(&consumer, Some("Bearer x")).await, "the Authorization header's scheme is not OAuth");
}

#[actix_web::test]
async fn hmac_sha256_is_accepted_too() {
    let consumer = Consumer::start();
    let url = consumer.url("/sellers");
    let header = sign(&credentials(), "GET", &url, &nonce(), now(), SignatureMethod::HmacSha256, &[]);
    let (status, _) = consumer.send("GET", "/sellers", Some(&header.unwrap()), None).await;
    assert_eq!(status, 200);
}

#[actix_web::test]
async fn an_empty_token_is_accepted() {
    let consumer = Consumer::start();
    let header = python_header(&consumer.url("/sellers"), &now().to_string());
    let (status, body) = consumer.send("GET", "/sellers", Some(&header), None).await;
    assert_eq!(status, 200, "{body}");
}

/// A header as other clients write it: another order, no version, an empty token that is signed.
fn python_header(url: &str, timestamp: &str) -> String {
    use oauth1::{BaseString, percent_encode};

    let nonce = nonce();
    let protocol = [
        ("oauth_token", ""),
        ("oauth_nonce", nonce.as_str()),
        ("oauth_timestamp", timestamp),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_consumer_key", KEY),
    ];
    let base = BaseString::new("GET", url, &protocol, &[]).unwrap();
    let mut mac =
        <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(format!("{SECRET}&").as_bytes()).unwrap();
    hmac::Mac::update(&mut mac, base.as_str().as_bytes());
    let signature = data_encoding::BASE64.encode(&hmac::Mac::finalize(mac).into_bytes());
    let fields: Vec<String> = protocol
        .iter()
        .chain(&[("oauth_signature", signature.as_str())])
        .map(|(name, value)| format!("{name}=\"{}\"", percent_encode(value)))
        .collect();
    format!("OAuth {},realm=\"{REALM}\"", fields.join(","))
}

#[actix_web::test]
async fn a_wrong_key_secret_or_realm_is_refused() {
    let consumer = Consumer::start();
    let wrong_key = Credentials { consumer_key: "someone".into(), ..credentials() };
    let header = sign_at(&consumer, &wrong_key, now());
    assert_eq!(reason(&consumer, Some(&header)).await, "the consumer key is unknown");
    let wrong_secret = Credentials { consumer_secret: "dummy-wrong".into(), ..credentials() };
    let header = sign_at(&consumer, &wrong_secret, now());
    assert_eq!(reason(&consumer, Some(&header)).await, "the signature does not match");
    for realm in [None, Some("Solitude".to_owned())] {
        let wrong_realm = Credentials { realm, ..credentials() };
        let header = sign_at(&consumer, &wrong_realm, now());
        assert_eq!(reason(&consumer, Some(&header)).await, "the realm is not the right one");
    }
}

#[actix_web::test]
async fn a_signature_of_another_method_path_or_query_is_refused() {
    let consumer = Consumer::start();
    for (method, path) in [("POST", "/sellers"), ("GET", "/products"), ("GET", "/sellers?a=1")] {
        let header = authorization(method, &consumer.url(path));
        assert_eq!(reason(&consumer, Some(&header)).await, "the signature does not match", "{method} {path}");
    }
}

#[actix_web::test]
async fn a_timestamp_five_minutes_off_is_refused() {
    let consumer = Consumer::start();
    for timestamp in [1, now() - 310, now() + 310] {
        let header = sign_at(&consumer, &credentials(), timestamp);
        assert_eq!(reason(&consumer, Some(&header)).await, "the timestamp is outside the window");
    }
    for timestamp in [now() - 290, now() + 290] {
        let header = sign_at(&consumer, &credentials(), timestamp);
        let (status, _) = consumer.send("GET", "/sellers", Some(&header), None).await;
        assert_eq!(status, 200);
    }
}

#[actix_web::test]
async fn a_replayed_request_is_refused_and_does_nothing() {
    let consumer = Consumer::start();
    let header = authorization("POST", &consumer.url("/sellers"));
    let (status, _) = consumer.send("POST", "/sellers", Some(&header), Some(seller("s1"))).await;
    assert_eq!(status, 201);
    // The body is not signed, so another one passes the signature; the nonce stops it.
    let (status, body) = consumer.send("POST", "/sellers", Some(&header), Some(seller("s2"))).await;
    assert_eq!((status.as_u16(), &body["message"]), (401, &json!("the nonce was used before")));
    assert_eq!(consumer.get("/sellers/s2").await.0, 404);
}

#[actix_web::test]
async fn a_request_that_is_not_authentic_does_not_use_up_its_nonce() {
    let consumer = Consumer::start();
    let header = authorization("GET", &consumer.url("/sellers"));
    let (status, _) = consumer.send("GET", "/products", Some(&header), None).await;
    assert_eq!(status, 401);
    let (status, _) = consumer.send("GET", "/sellers", Some(&header), None).await;
    assert_eq!(status, 200);
}

#[actix_web::test]
async fn two_authorization_headers_are_refused() {
    let consumer = Consumer::start();
    let mut request = awc::Client::new().get(consumer.url("/sellers"));
    for _ in 0..2 {
        request = request.append_header(("Authorization", authorization("GET", &consumer.url("/sellers"))));
    }
    assert_eq!(request.send().await.unwrap().status(), 401);
}

#[actix_web::test]
async fn even_an_unknown_path_must_be_signed() {
    let consumer = Consumer::start();
    assert_eq!(consumer.send("GET", "/nothing", None, None).await.0, 401);
    let (status, body) = consumer.get("/nothing").await;
    assert_eq!((status.as_u16(), &body["code"]), (404, &json!("ResourceNotFound")));
    let (status, body) = consumer.signed("DELETE", "/sellers", None).await;
    assert_eq!((status.as_u16(), &body["code"]), (405, &json!("BadMethod")));
}
