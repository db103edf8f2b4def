//! Every row of every provider's table of capabilities, against the sandbox on real sockets.

mod walk;

use actix_web::http::Method;
use data_encoding::BASE64;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wire::payment::{Provider, WebhookChallenge, operations};

use walk::{Walk, attempt, stored};

#[actix_web::test]
async fn stripe_offers_what_its_table_says_and_nothing_else() {
    let walk = Walk::of(Provider::Stripe).await;
    let bearer = format!("Bearer {}", walk.dummies.stripe.secret_key.expose_secret());
    let price =
        walk.sandbox.request(Method::POST, "/stripe/v1/prices").header("Authorization", &bearer).form(&[
            ("unit_amount", "500"),
            ("currency", "eur"),
            ("recurring[interval]", "month"),
            ("product_data[name]", "a plan"),
        ]);
    let plan = price.answer().await.json()["id"].as_str().unwrap().to_owned();
    walk.health().await;
    let customer = walk.customer().await;
    walk.client_token(Some(customer.clone())).await;
    let first = walk.store(&customer, "pm_card_visa").await;
    let second = walk.store(&customer, "pm_card_mastercard").await;
    let payment = walk.authorize(stored(&first, &customer), false).await;
    walk.capture(&payment).await;
    walk.refund(&payment.reference, None).await;
    walk.look_up(&payment.reference, 600).await;
    walk.list(600, 150).await;
    walk.void(&walk.authorize(stored(&first, &customer), false).await).await;
    walk.webhook().await;
    walk.subscribe(&customer, first.clone(), second, &plan).await;
    walk.delete(first).await;
    walk.finish().await;
}

#[actix_web::test]
async fn paypal_offers_what_its_table_says_and_nothing_else() {
    let walk = Walk::of(Provider::Paypal).await;
    walk.health().await;
    let customer = walk.customer().await;
    let setup = walk.client_token(Some(customer.clone())).await;
    let card = json!({"number": "4111111111111111", "expiry": "2031-12"});
    walk.play(&format!("/_sandbox/paypal/setup-tokens/{}/card", setup.expose()), card).await;
    let method = walk.store(&customer, setup).await;
    let payment = walk.authorize(stored(&method, &customer), false).await;
    let capture = walk.capture(&payment).await;
    walk.refund(&payment.reference, Some(capture)).await;
    walk.look_up(&payment.reference, 600).await;
    walk.list(600, 150).await;
    walk.void(&walk.authorize(stored(&method, &customer), false).await).await;
    let paid = walk.check_out(None).await;
    walk.refund(&paid.reference, None).await;
    walk.webhook().await;
    walk.delete(method).await;
    walk.finish().await;
}

#[actix_web::test]
async fn braintree_offers_what_its_table_says_and_nothing_else() {
    let walk = Walk::of(Provider::Braintree).await;
    let account = &walk.dummies.braintree;
    let pair = format!("{}:{}", account.public_key, account.private_key.expose_secret());
    let plan = "<plan><id>monthly</id><price>5.00</price><currency-iso-code>EUR</currency-iso-code>\
                <billing-frequency type=\"integer\">1</billing-frequency></plan>";
    let path = format!("/braintree/merchants/{}/plans", account.merchant_id);
    let made = walk
        .sandbox
        .request(Method::POST, &path)
        .header("Authorization", &format!("Basic {}", BASE64.encode(pair.as_bytes())))
        .header("X-ApiVersion", "6")
        .raw(plan.as_bytes(), "application/xml");
    assert_eq!(made.answer().await.status, 201);
    walk.health().await;
    let customer = walk.customer().await;
    walk.client_token(Some(customer.clone())).await;
    let first = walk.store(&customer, "fake-valid-nonce").await;
    let second = walk.store(&customer, "fake-valid-mastercard-nonce").await;
    let payment = walk.authorize(stored(&first, &customer), false).await;
    walk.capture(&payment).await;
    walk.play(&format!("/_sandbox/braintree/transactions/{}/settle", payment.reference), json!({})).await;
    walk.refund(&payment.reference, None).await;
    walk.look_up(&payment.reference, 600).await;
    walk.list(600, 150).await;
    walk.void(&walk.authorize(stored(&first, &customer), false).await).await;
    walk.subscribe(&customer, first.clone(), second, "monthly").await;
    walk.webhook().await;
    let challenge = WebhookChallenge { challenge: "0123456789abcdef0123".into() };
    let answer = walk.ask::<operations::AnswerWebhookChallenge>(&challenge).await;
    assert!(answer.verification.contains('|'));
    walk.delete(first).await;
    walk.finish().await;
}

#[actix_web::test]
async fn the_reference_provider_offers_what_its_table_says_and_nothing_else() {
    let walk = Walk::of(Provider::Reference).await;
    let own = async |operation: &str, body: Value| -> String {
        let answer = walk.proxy.post(&format!("/v1/reference/{operation}"), &body).await;
        assert_eq!(answer.status, 201, "{operation}: {answer:?}");
        answer.json()["result"]["resource_pk"].as_str().unwrap().to_owned()
    };
    let seller = json!({
        "uuid": "seller-1", "name": "a", "email": "a@b.test", "status": "ACTIVE", "agreement": "2026-01-02",
    });
    let seller = own("create_seller", seller).await;
    let product = json!({"seller_id": seller, "external_id": "x", "uuid": "product-1", "name": "a"});
    let product = own("create_product", product).await;
    walk.health().await;
    let payment = walk.check_out(Some(product)).await;
    walk.look_up(&payment.reference, 1000).await;
    let signed = {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let text = format!("ext_transaction_id={}", attempt());
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(walk.dummies.notice_key.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let sig = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
        format!("{text}&sig={}:{sig}", integration_tests::settings::NOTICE_KEY_ID)
    };
    let form =
        format!("signed_notice={}", signed.replace('=', "%3D").replace('&', "%26").replace(':', "%3A"));
    let event = walk.verify(Vec::new(), &form).await;
    assert_eq!(event.provider_kind, "success");
    walk.finish().await;
}
