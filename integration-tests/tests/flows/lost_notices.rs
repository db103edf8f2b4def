//! A payer pays, and nobody tells: each provider is asked, and the payment is on the books all the same.

use chrono::TimeDelta;
use db_server::domain::payment::resolve::{self, Finding, Resolution};
use integration_tests::in_process::PairOptions;
use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    janitor::domain,
    payment_unknowns::{SOON, hushed, look},
    shop::text,
    till::{BACK, Till, checkout, line},
    webhooks::count,
};

/// A till whose providers tell nothing by themselves; the notices of the reference provider do not arrive either.
async fn quiet() -> Till {
    let lost = "[providers.reference.checkout]\ncallback_url = \"http://127.0.0.1:9/webhooks/reference/\"";
    hushed(Till::at(PairOptions::default().proxy_settings(lost).spawn().await).await).await
}

async fn assert_captured(till: &Till, payment: &Value) {
    let now = till.read(payment).await;
    assert_eq!((&now["status"], &now["captured_amount"]), (&json!("captured"), &json!("10.00")), "{now}");
    let mut connection = till.pair.database.as_ref().unwrap().connect();
    let heard = "select count(*) from webhook_events";
    let open = "select count(*) from payment_operations where state <> 3";
    assert_eq!((count(&mut connection, heard), count(&mut connection, open)), (0, 0));
}

/// The token in the URL of the reference provider's page.
fn token(payment: &Value) -> String {
    text(payment, "/next_action/url").split("tx=").nth(1).unwrap().to_owned()
}

#[actix_web::test]
async fn a_payer_who_has_passed_3d_secure_at_stripe_is_found() {
    let till = quiet().await;
    let order = till.stripe_order(&json!({"nonce": "pm_card_authenticationRequired", "return_url": BACK}));
    let payment = till.pay(&order).await;
    assert_eq!(payment["status"], "requires_action");
    till.decide(&payment, "approve").await;
    assert_eq!(look(&till, SOON).await, 1);
    assert_captured(&till, &payment).await;
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
}

#[actix_web::test]
async fn a_payer_at_paypal_whose_bank_takes_its_time_is_found() {
    let till = quiet().await;
    let payment = till.paypal(&json!({})).await;
    till.choose(&payment, "echeck").await;
    let pending = till.change(&payment, "complete", &json!({})).await;
    assert_eq!((pending.status, &pending.json()["status"]), (200, &json!("pending")), "{pending:?}");
    assert_eq!(look(&till, SOON).await, 1);
    assert_eq!(till.read(&payment).await["status"], "pending", "the bank has not said");
    let capture = text(&till.read(&payment).await, "/captures/0");
    let path = format!("/_sandbox/paypal/captures/{capture}/settle");
    let settled = till.pair.sandbox_client().post(&path, &json!({"status": "completed"})).await;
    assert_eq!(settled.status, 200, "{settled:?}");
    assert_eq!(look(&till, TimeDelta::minutes(2)).await, 1);
    assert_captured(&till, &payment).await;
    assert_eq!(till.ledger(Provider::Paypal).await, [line("charge", "10.00")]);
}

#[actix_web::test]
async fn a_charge_at_braintree_of_which_nobody_tells_is_found() {
    let till = quiet().await;
    till.fault("/braintree/merchants", json!("drop_after")).await;
    let order = till.order(Provider::Braintree, &json!({"currency": "USD", "nonce": "fake-valid-nonce"}));
    let unknown = till.ask(&order).await;
    assert_eq!((unknown.status, &unknown.json()["status"]), (202, &json!("unknown")), "{unknown:?}");
    assert_eq!(look(&till, SOON).await, 1);
    assert_captured(&till, &unknown.json()).await;
    assert_eq!(till.ledger(Provider::Braintree).await, [line("charge", "10.00")]);
}

#[actix_web::test]
async fn a_payer_who_has_paid_on_the_reference_providers_page_is_found() {
    let till = quiet().await;
    let order = till.order(Provider::Reference, &json!({"checkout": checkout()}));
    let payment = till.pay(&order).await;
    let page = text(&payment, "/next_action/url");
    assert_eq!(look(&till, SOON).await, 1);
    let waits = till.read(&payment).await;
    assert_eq!((&waits["status"], &waits["next_action"]["url"]), (&json!("requires_action"), &json!(page)));
    till.shop.pay(&token(&payment), &json!({"outcome": "success"})).await;
    assert_eq!(look(&till, TimeDelta::minutes(2)).await, 1);
    assert_captured(&till, &payment).await;
    assert_eq!(look(&till, TimeDelta::days(1)).await, 0, "it is looked at no more");
}

#[actix_web::test]
async fn a_payer_who_could_not_pay_on_the_reference_providers_page_is_found() {
    let till = quiet().await;
    let order = till.order(Provider::Reference, &json!({"checkout": checkout()}));
    let payment = till.pay(&order).await;
    till.shop.pay(&token(&payment), &json!({"outcome": "CC_ERROR"})).await;
    assert_eq!(look(&till, SOON).await, 1);
    let end = till.read(&payment).await;
    assert_eq!((&end["status"], &end["decline"]["code"]), (&json!("declined"), &json!("FAILED")), "{end}");
    assert_eq!(look(&till, TimeDelta::days(1)).await, 0, "it is looked at no more");
}

#[actix_web::test]
async fn a_page_is_looked_at_no_more_once_its_payment_is_completed() {
    let till = quiet().await;
    let order = till.order(Provider::Reference, &json!({"checkout": checkout()}));
    let payment = till.pay(&order).await;
    till.shop.pay(&token(&payment), &json!({"outcome": "success"})).await;
    let done = till.change(&payment, "complete", &json!({})).await;
    assert_eq!((done.status, &done.json()["status"]), (200, &json!("captured")), "{done:?}");
    assert_captured(&till, &payment).await;
    let before = till.pair.sandbox_client().get("/_sandbox/requests").await.json();
    assert_eq!(look(&till, TimeDelta::days(1)).await, 0);
    let after = till.pair.sandbox_client().get("/_sandbox/requests").await.json();
    assert_eq!(before["counts"], after["counts"]);
}

#[actix_web::test]
async fn an_operator_says_that_a_payer_has_paid_on_the_page() {
    let till = quiet().await;
    let order = till.order(Provider::Reference, &json!({"checkout": checkout()}));
    let payment = till.pay(&order).await;
    let domain = domain(&till.pair, TimeDelta::zero()).await;
    let uuid = text(&payment, "/uuid").parse().unwrap();
    let story = resolve::story(&domain.database, uuid).await.unwrap();
    let by_hand = Resolution {
        payment: uuid,
        attempt: story.operations[0].attempt,
        finding: Finding::Captured,
        reference: None,
        captured: None,
        by: "ada".to_owned(),
        because: "seen in the provider's pages".to_owned(),
    };
    let (keys, now) = (domain.keys.clone(), domain.clock.now());
    resolve::resolve(&domain.database, keys, now, by_hand).await.unwrap();
    assert_captured(&till, &payment).await;
}
