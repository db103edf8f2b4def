//! On whose behalf a request goes on, and what the target is told.

use super::*;
use crate::api_clients::bearer;

/// What the target is told when somebody comes with these headers.
async fn told(running: &Server, headers: &[(&str, &str)]) -> Value {
    let answer = come(running, "/proxy/whoami?mode=jwt", headers).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The token that a target was given.
fn given(told: &Value) -> String {
    told["headers"]["authorization"].as_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

fn claims(told: &Value) -> Value {
    let payload = given(told).split('.').nth(1).unwrap().to_owned();
    let payload = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn whose(told: &Value) -> (Value, Value) {
    let claims = claims(told);
    (claims["sub"].clone(), claims["authorities"].clone())
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", data_encoding::BASE64.encode(format!("{name}:{password}").as_bytes()))
}

#[actix_web::test]
async fn who_shows_nothing_is_nobody_and_the_target_is_told_how_the_request_came() {
    let (_people, running, target) = open("").await;
    let forged = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-host", "evil.example.test"),
        ("x-forwarded-proto", "gopher"),
        ("forwarded", "host=evil.example.test"),
        ("x-solitude-service", "reference"),
        ("x-kept", "2"),
    ];
    let told = told(&running, &forged).await;
    assert_eq!(whose(&told), (json!("anonymousUser"), json!(["ROLE_ANONYMOUS"])));
    let claims = claims(&told);
    assert_eq!(claims["aud"], json!(target.url));
    assert!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap() <= 60);
    let host = running.url().strip_prefix("http://").unwrap();
    let headers = &told["headers"];
    assert_eq!((&headers["x-forwarded-proto"], &headers["x-forwarded-host"]), (&json!("http"), &json!(host)));
    assert_eq!(headers["host"], json!(target.url.strip_prefix("http://").unwrap()));
    assert_eq!(headers["x-kept"], "2");
    for dropped in ["x-forwarded-for", "forwarded", "x-solitude-service"] {
        assert_eq!(headers[dropped], Value::Null, "{dropped}");
    }
}

#[actix_web::test]
async fn behind_a_terminator_the_target_is_told_the_public_url() {
    let target = Target::start();
    let public = format!("url = '{}'\n[auth]\npublic_url = 'https://pay.example.test:8443/api'", target.url);
    let people = people(&public);
    let running = people.serve();
    let told = told(&running, &[]).await;
    assert_eq!(told["headers"]["x-forwarded-proto"], "https");
    assert_eq!(told["headers"]["x-forwarded-host"], "pay.example.test:8443");
}

#[actix_web::test]
async fn every_proof_of_ours_says_on_whose_behalf_the_request_goes_on() {
    let (people, running, _) = open("").await;
    people.add("Alice", &["user", "wonderland"]);
    let alice = (json!("Alice"), json!(["ROLE_USER", "ROLE_WONDERLAND"]));
    let password = basic("Alice", PASSWORD);
    for _ in 0..2 {
        // The second time without a slow hash.
        assert_eq!(whose(&told(&running, &[("authorization", &password)]).await), alice);
    }
    let token = format!("Bearer {}", token(&running, "Alice", PASSWORD).await);
    assert_eq!(whose(&told(&running, &[("authorization", &token)]).await), alice);
    let signed = admin(&running).get("/proxy/whoami?mode=jwt").await.json();
    let roles = json!(["ROLE_READ", "ROLE_WRITE", "ROLE_REFUND", "ROLE_ADMIN"]);
    assert_eq!(whose(&signed), (json!("dummy-client"), roles));
}

#[actix_web::test]
async fn a_proof_of_ours_that_is_wrong_is_401_and_goes_nowhere() {
    let (people, running, target) = open("").await;
    people.add("Alice", &["user"]);
    people.add("Bob", &["user"]);
    let good = token(&running, "Alice", PASSWORD).await;
    let forged = format!("Bearer {}.{}", good.rsplit_once('.').unwrap().0, "A".repeat(43));
    people.command(&["disable", "Bob"], "", 0);
    for wrong in [
        basic("Alice", "dummy-wrong").as_str(),
        &basic("Bob", PASSWORD),
        &forged,
        "Bearer batch-0123456789ab.dummy-secret",
        "OAuth oauth_consumer_key=\"nobody\"",
        "OAuth",
    ] {
        // Without anything behind the scheme it is nothing of ours.
        let wanted = if wrong == "OAuth" { 200 } else { 401 };
        let before = target.requests();
        let answer = come(&running, "/proxy/x", &[("authorization", wrong)]).await;
        assert_eq!(answer.status, wanted, "{wrong}: {answer:?}");
        assert_eq!(target.requests() - before, usize::from(wanted == 200), "{wrong}");
    }
    let answer =
        come(&running, "/proxy/x", &[("authorization", "Bearer x"), ("authorization", "Bearer y")]).await;
    assert_eq!(answer.status, 401, "two headers: {answer:?}");
}

#[actix_web::test]
async fn the_key_of_another_service_is_dropped_and_its_bearer_is_nobody() {
    let (_people, running, _) = open("").await;
    let other = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJvdGhlciJ9.c2lnbmF0dXJl";
    let braintree = basic("integration_public_key", "integration_private_key");
    for foreign in
        ["Bearer sk_test_x", "Bearer a.b", other, &braintree, "Basic eDp5", "AWS4-HMAC-SHA256 x", "x"]
    {
        let told = told(&running, &[("authorization", foreign)]).await;
        assert_eq!(whose(&told), (json!("anonymousUser"), json!(["ROLE_ANONYMOUS"])), "{foreign}");
        assert_ne!(told["headers"]["authorization"], json!(foreign));
    }
}

#[actix_web::test]
async fn a_target_may_ask_who_its_caller_is_and_nothing_else() {
    let (people, running, target) = open("").await;
    people.add("Alice", &["user", "admin", "read"]);
    let password = basic("Alice", PASSWORD);
    let alices = given(&told(&running, &[("authorization", &password)]).await);
    let answer = whoami(&running, &alices).await;
    let alice = json!({"name": "Alice", "roles": ["ROLE_USER", "ROLE_ADMIN", "ROLE_READ"]});
    assert_eq!((answer.status, answer.json()), (200, alice));
    for path in ["/services/request/", "/services/proxy/", "/generic/seller/"] {
        let answer = bearer(running.url(), Method::GET, path, &alices).await;
        assert_eq!((answer.status, &answer.json()["detail"]), (401, &json!("Invalid token")), "{path}");
    }
    let nobodys = given(&told(&running, &[]).await);
    assert_eq!(whoami(&running, &nobodys).await.status, 403);
    let forged = format!("{}.{}", alices.rsplit_once('.').unwrap().0, "A".repeat(86));
    assert_eq!(whoami(&running, &forged).await.status, 401);
    // Brought back to the door it is somebody else's token, and its bearer nobody.
    let back = told(&running, &[("authorization", &format!("Bearer {alices}"))]).await;
    assert_eq!(whose(&back).0, json!("anonymousUser"));
    assert!(target.requests() >= 3);
}

#[actix_web::test]
async fn what_goes_to_provider_proxy_carries_a_token_for_provider_proxy() {
    let target = Target::start();
    let people = people(&format!("url = '{0}/proxy'\n[proxy]\nurl = '{0}'", target.url));
    let running = people.serve();
    let told = told(&running, &[]).await;
    assert_eq!(
        (&claims(&told)["aud"], &told["target"]),
        (&json!("provider-proxy"), &json!("/proxy/whoami?mode=jwt"))
    );
}
