//! No secret appears in any line that any process prints, at any level, whatever goes wrong.

use actix_web::http::Method;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use integration_tests::{
    client::Client, in_process::Dummies, postgres::Stop, process::Process, sandbox::send_webhooks,
    settings::identity_key,
};
use provider_sandbox::{BraintreeAccount, PaypalAccount, StripeAccount};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{
    endpoint::{Answer, Endpoint, SECRETS},
    executables::{DATABASE, Executables},
    payment_events::{happens, payment},
    shop::{Shop, created, text},
};

/// The address of a buyer, which is no secret of ours but nobody's to log.
const PERSON: &str = "sentinel.person+buyer@example.test";

/// The beginning of a JSON Web Token: `{"alg":"EdDSA"` in base64url.
const TOKEN: &str = "eyJhbGciOiJFZERTQSI";

pub fn sentinels() -> Dummies {
    Dummies {
        client_key: "sentinel-client".into(),
        client_secret: "dummy-sentinel+client/secret=1".into(),
        consumer_key: "dummy-sentinel+consumer/key".into(),
        consumer_secret: "dummy-sentinel+consumer/secret=2".into(),
        notice_key: "dummy-sentinel+notice/key=3".into(),
        encryption_key: BASE64
            .encode(b"dummy-sentinel-encryption-key-32")
            .replace('/', "_")
            .replace('+', "-"),
        lookup_key: "dummy-sentinel+lookup/key=5".into(),
        pepper: "dummy-sentinel+pepper/of=6".into(),
        stripe: StripeAccount {
            secret_key: "sk_test_sentinel+7".into(),
            webhook_secret: "whsec_sentinel+8".into(),
        },
        paypal: PaypalAccount {
            client_id: "sentinel-paypal-client".into(),
            client_secret: "dummy-sentinel+paypal/secret=9".into(),
            webhook_id: "WH-SENTINEL".into(),
        },
        braintree: BraintreeAccount {
            merchant_id: "sentinelmerchant".into(),
            public_key: "sentinel-braintree-public".into(),
            private_key: "dummy-sentinel+braintree/private=10".into(),
        },
    }
}

/// The forms in which a secret travels.
pub fn forms(secret: &str) -> Vec<String> {
    let percent: String = secret
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let bytes = secret.as_bytes();
    vec![
        secret.to_owned(),
        percent,
        HEXLOWER.encode(bytes),
        BASE64.encode(bytes),
        BASE64URL_NOPAD.encode(bytes),
    ]
}

#[actix_web::test]
async fn no_log_line_at_any_level_holds_a_secret() {
    for format in ["text", "json"] {
        let log = format!("[log]\nlevel = 'trace'\nformat = '{format}'\n");
        let mut endpoint = Endpoint::start();
        let impatient = format!("{log}[providers.reference]\ntimeout = '300ms'\n{}", endpoint.settings());
        let mut running = Executables::start(&log, &impatient, sentinels()).await;
        tell(&running, &mut endpoint).await;
        go_through_everything(&mut running).await;
        let secrets = sentinels();
        let identity_key = std::fs::read_to_string(identity_key()).unwrap();
        let identity_key = identity_key.lines().nth(1).unwrap();
        let product_secret = "dummy-sentinel+product/secret=4";
        for process in [&running.db_server, &running.provider_proxy, &running.sandbox].map(|r| &r.process) {
            for secret in [
                &secrets.client_secret,
                &secrets.consumer_secret,
                &secrets.notice_key,
                &secrets.encryption_key,
                &secrets.lookup_key,
                &secrets.pepper,
                secrets.stripe.secret_key.expose_secret(),
                secrets.stripe.webhook_secret.expose_secret(),
                secrets.paypal.client_secret.expose_secret(),
                secrets.braintree.private_key.expose_secret(),
                SECRETS[0],
                SECRETS[1],
                product_secret,
                PERSON,
                identity_key,
                // How every token begins.
                TOKEN,
            ] {
                assert_silent(process, secret);
            }
        }
        // The check sees what it is meant to see.
        assert!(running.db_server.process.lines().concat().contains("sentinel-client"));
        assert!(running.provider_proxy.process.lines().concat().contains("Warning response status: 503"));
    }
}

#[track_caller]
fn assert_silent(process: &Process, secret: &str) {
    for line in process.lines() {
        for form in forms(secret) {
            assert!(!line.contains(&form), "{} printed {form}: {line}", process.name());
        }
    }
}

/// An endpoint takes one message and refuses the next.
async fn tell(running: &Executables, endpoint: &mut Endpoint) {
    created(running.client().post("/webhook-endpoints/", &json!({"name": "shop"})).await);
    endpoint.answers(&[Answer::Status(200), Answer::Status(500)]);
    let mut connection = running.postgres.connect(DATABASE).unwrap();
    let payment = payment(&mut connection);
    for id in 1..=2 {
        happens(&mut connection, payment, "payment.captured");
        let message = endpoint.next().await;
        assert!(message.event() == id && SECRETS.into_iter().all(|secret| message.is_signed_with(secret)));
    }
}

/// At each provider a payment method that it takes, one that it refuses, and each kind of failure; their webhooks come in.
async fn ask_every_provider(running: &Executables, client: &Client, buyer: &str) {
    let sandbox = Client::unsigned(&running.sandbox.url);
    send_webhooks(&running.sandbox.url, &running.db_server.url).await.unwrap();
    let store = async |provider: &str, nonce: &str| {
        let body = json!({"provider": provider, "buyer": buyer, "nonce": nonce});
        client.post("/paymethods/", &body).await.status
    };
    for (provider, nonce) in [("stripe", "pm_card_visa"), ("braintree", "fake-valid-nonce")] {
        assert_eq!(store(provider, nonce).await, 201, "{provider}");
    }
    for provider in ["stripe", "paypal", "braintree"] {
        let refused = store(provider, "pm_1NoSuchNonce").await;
        assert!((400..500).contains(&refused), "{provider}: {refused}");
        for fault in
            [json!("drop_after"), json!("truncate"), json!({"status": 503}), json!({"body": "<html>"})]
        {
            let faults = json!([{"path": format!("/{provider}/"), "method": "POST", "fault": fault}]);
            assert_eq!(sandbox.post("/_sandbox/faults", &faults).await.status, 200);
            let failed = store(provider, "pm_1NoSuchNonce").await;
            assert!(failed >= 400, "{provider}: {failed}");
            assert_eq!(sandbox.delete("/_sandbox/faults").await.status, 204);
        }
    }
    let delivered = sandbox.get("/_sandbox/webhooks?wait=true").await.json();
    let deliveries = delivered["deliveries"].as_array().unwrap();
    assert!(
        !deliveries.is_empty() && deliveries.iter().all(|delivery| delivery["status"] == 200),
        "{delivered}"
    );
    let forged = client.request(Method::POST, "/webhooks/stripe/").raw(b"{}", "application/json");
    assert_eq!(forged.header("Stripe-Signature", "t=1,v1=00").answer().await.status, 403);
}

/// A purchase, then each kind of failure.
async fn go_through_everything(running: &mut Executables) {
    let client = running.client();
    let sandbox = Client::unsigned(&running.sandbox.url);
    let shop = Shop::open_at(client.clone(), &running.db_server.url, sandbox).await;
    let secret = json!({"secret": "dummy-sentinel+product/secret=4"});
    assert_eq!(client.patch(&shop.product, &secret).await.status, 200);
    let buyer = json!({"uuid": "b1", "email": PERSON, "pin": "1234"});
    let buyer = text(&created(client.post("/generic/buyer/", &buyer).await), "/resource_uri");
    let twice = json!({"uuid": "b1", "email": PERSON});
    assert_eq!(client.post("/generic/buyer/", &twice).await.status, 422);
    let found = client.get(&format!("/generic/buyer/?email={}", PERSON.replace('+', "%2B"))).await;
    assert_eq!(found.json()["meta"]["total_count"], 1);
    let transaction = shop.transaction().await;
    let started = created(shop.start(&text(&transaction, "/uuid")).await);
    shop.pay(&text(&started, "/token"), &json!({"outcome": "success"})).await;

    for fault in [
        json!("drop_before"),
        json!("drop_after"),
        json!("truncate"),
        json!({"delay_ms": 2000}),
        json!({"status": 503}),
        json!({"body": "<html>", "status": 200}),
        json!({"redirect": "http://127.0.0.1:1/"}),
    ] {
        shop.fault("/transactions", fault).await;
        let transaction = shop.transaction().await;
        assert!(shop.start(&text(&transaction, "/uuid")).await.status >= 500);
    }
    ask_every_provider(running, &client, &buyer).await;
    let wrong = Client::signed(&running.db_server.url, "sentinel-client", "dummy-other-secret");
    assert_eq!(wrong.get("/generic/seller/").await.status, 401);
    let forged = Client::unsigned(&running.db_server.url)
        .request(Method::POST, "/webhooks/reference/")
        .form(&[("signed_notice", "ext_transaction_id=x&sig=0:00")])
        .answer()
        .await;
    assert_eq!(forged.status, 403);
    assert_eq!(client.post("/generic/product/", &secret).await.status, 400);
    running.postgres.stop(Stop::Immediate).unwrap();
    assert_eq!(client.get("/generic/seller/").await.status, 500);
    running.postgres.start().unwrap();
    assert_eq!(client.get("/generic/seller/").await.status, 200);
}
