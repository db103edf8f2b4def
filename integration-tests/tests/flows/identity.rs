//! On whose behalf db-server calls provider-proxy, as a stand-in for that sees it.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, http::Method, web};
use integration_tests::{
    client::Client,
    in_process::{Dummies, PairOptions, spawn_pair},
    settings::identity_public_key,
};
use jws::{Expected, VerifyingKey, verify};
use serde_json::{Value, json};
use wire::identity::{Claims, LONGEST_LIFE};

use super::{api_clients::Installation, shop::Shop};

/// A notice that nobody verifies here.
const NOTICE: &str = "ext_transaction_id=x&sig=0:00";

/// Takes every request, and keeps its `Authorization`.
struct StandIn {
    url: String,
    handle: ServerHandle,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl StandIn {
    fn start() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        let server = HttpServer::new(move || {
            let keep = Arc::clone(&keep);
            App::new().default_service(web::to(move |request: HttpRequest| {
                let authorization = request.headers().get("authorization");
                let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
                keep.lock().unwrap().push((request.path().to_owned(), authorization.unwrap_or_default()));
                async { HttpResponse::Ok().json(json!({"result": {"ext_transaction_id": "none"}})) }
            }))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url, handle, seen }
    }

    /// The tokens of all requests since the last time.
    fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// The token of the only request since the last time.
    fn only(&self) -> (String, Claims) {
        let mut seen = self.take();
        assert_eq!(seen.len(), 1, "{seen:?}");
        let (path, authorization) = seen.remove(0);
        (path, read(&authorization))
    }
}

/// Verifies as provider-proxy does.
fn read(authorization: &str) -> Claims {
    let key = fs::read_to_string(identity_public_key()).unwrap();
    let token = authorization.strip_prefix("Bearer ").unwrap();
    let claims = verify(token, &[VerifyingKey::from_pem(&key).unwrap()]).unwrap();
    let (now, leeway) = (SystemTime::now(), Duration::from_secs(1));
    Expected { now, leeway, issuer: "db-server", audience: "provider-proxy" }.check(&claims).unwrap();
    serde_json::from_value(Value::Object(claims)).unwrap()
}

/// A request that makes db-server ask provider-proxy once.
async fn check_notice(client: &Client) {
    let answer = client.post("/provider/reference/notices/", &json!({"qs": NOTICE})).await;
    assert!(answer.status < 400, "{answer:?}");
}

#[actix_web::test]
async fn every_request_says_which_client_asked_and_what_it_may_do() {
    let proxy = StandIn::start();
    let installation = Installation::new(&format!("[proxy]\nurl = '{}'", proxy.url));
    let (server, dummies) = (installation.serve(), Dummies::default());
    // A client of the settings.
    let client = Client::signed(server.url(), &dummies.client_key, &dummies.client_secret);
    check_notice(&client).await;
    let (path, claims) = proxy.only();
    assert_eq!(path, wire::reference::NOTICE_PATH);
    assert_eq!(claims.sub, dummies.client_key);
    assert_eq!(claims.authorities, ["ROLE_READ", "ROLE_WRITE", "ROLE_REFUND", "ROLE_ADMIN"]);
    assert!(claims.exp - claims.iat <= LONGEST_LIFE && !claims.jti.is_empty());
    // A client of the database goes by its name, whatever its key.
    for proof in [&["shop", "--role", "write"][..], &["shop", "--role", "write", "--bearer"]] {
        let (key, credential) = installation.add(proof).await;
        if proof.contains(&"--bearer") {
            let client = Client::unsigned(server.url());
            let request = client.request(Method::POST, "/provider/reference/notices/");
            let request = request.header("Authorization", &format!("Bearer {credential}"));
            let answer = request.json(&json!({"qs": NOTICE})).answer().await;
            assert!(answer.status < 400, "{answer:?}");
        } else {
            check_notice(&Client::signed(server.url(), &key, &credential)).await;
        }
        let (_, claims) = proxy.only();
        assert_eq!((claims.sub.as_str(), claims.authorities), ("shop", vec!["ROLE_WRITE".to_owned()]));
    }
    proxy.handle.stop(false).await;
}

#[actix_web::test]
async fn what_nobody_signed_is_anonymous() {
    let proxy = StandIn::start();
    let over = format!("[proxy]\nurl = '{}'\n[auth]\nrequire_oauth = false", proxy.url);
    let server = Installation::new(&over).serve();
    let client = Client::unsigned(server.url());
    check_notice(&client).await;
    client.get("/services/status/").await;
    let seen = proxy.take();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for (path, authorization) in &seen {
        let claims = read(authorization);
        assert_eq!(
            (claims.sub.as_str(), claims.authorities),
            ("anonymousUser", vec!["ROLE_ANONYMOUS".to_owned()]),
            "{path}"
        );
    }
    // Signed once, for both.
    assert_eq!(seen[0].1, seen[1].1);
    proxy.handle.stop(false).await;
}

#[actix_web::test]
async fn a_pair_whose_keys_differ_asks_for_nothing() {
    let other = integration_tests::certificates::new_identity_key();
    let options =
        PairOptions::default().db_settings(&format!("[proxy.identity]\nprivate_key = \"\"\"{other}\"\"\""));
    let pair = options.spawn().await;
    let answer = pair.client().post("/provider/reference/notices/", &json!({"qs": "a=b&sig=0:00"})).await;
    let error = &answer.json()["proxy_error"];
    assert_eq!((answer.status, &error["kind"], &error["status"]), (502, &json!("identity"), &json!(401)));
    assert_eq!(error["outcome"], "not_sent");
}

#[actix_web::test]
async fn the_pair_of_the_tests_serves_nobody_without_a_token() {
    let pair = spawn_pair().await;
    Shop::open(&pair).await;
    let proxy = Client::unsigned(pair.provider_proxy.url());
    let answer = proxy.post("/v1/reference/get_seller", &json!({"reference_id": "x"})).await;
    assert_eq!((answer.status, &answer.json()["error"]["kind"]), (401, &json!("identity")));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}
