//! Subscriptions: what is sent, and how the first payment is told.

use serde_json::{Value, json};
use wire::{ErrorKind, payment::OperationName as Name};

use super::{
    operations::{check_headers, subscribe},
    *,
};

#[actix_web::test]
async fn a_subscription_is_told_with_its_first_payment() {
    static PAID: &[(&str, u16, &str)] = &[
        ("POST /v1/subscriptions", 200, fixture!("subscription_active")),
        ("GET /v1/payment_intents/", 200, fixture!("payment_intent_succeeded")),
    ];
    let upstream = serving(PAID);
    let told = perform(&connector(&upstream), Name::Subscribe, &subscribe()).await.unwrap();
    let made = json(fixture!("subscription_active"));
    let period = &made["items"]["data"][0];
    let day = |time: &Value| super::super::subscription::day(time.as_i64().unwrap()).unwrap();
    let becomes = json!({"outcome": "succeeded", "result": {
        "reference": made["id"], "status": "active", "amount": {"minor_units": 1000, "currency": "EUR"},
        "period_start": day(&period["current_period_start"]), "next_billing": day(&period["current_period_end"]),
        "first_payment": {"captured": 1000, "payment_method": {"last4": "4242"}}
    }});
    assert_has(&told, &becomes, "subscribe");
    let arrived = upstream.arrived();
    let sent = form(std::str::from_utf8(&arrived[0].body).unwrap());
    let expected = [
        ("customer", "cus_1"),
        ("default_payment_method", "pm_1"),
        ("payment_behavior", "allow_incomplete"),
        ("metadata[attempt]", "01932c07-7e7c-7000-8000-000000000004"),
        ("expand[]", "latest_invoice.payments"),
        ("items[0][price]", "price_1"),
    ];
    assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    check_headers(&arrived[0], &attempt(4));
    check_headers(&arrived[1], &attempt(4));
}

#[actix_web::test]
async fn a_subscription_that_is_not_paid_is_told_by_its_payment() {
    static DECLINED: &[(&str, u16, &str)] = &[
        ("POST /v1/subscriptions", 200, fixture!("subscription_declined")),
        ("GET /v1/payment_intents/", 200, fixture!("subscription_declined_payment")),
    ];
    let told = perform(&connector(&serving(DECLINED)), Name::Subscribe, &subscribe()).await.unwrap();
    let becomes = json!({"outcome": "declined", "decline": {"code": "generic_decline"}, "result": {"status": "pending"}});
    assert_has(&told, &becomes, "declined");
    static ASKED: &[(&str, u16, &str)] = &[
        ("POST /v1/subscriptions", 200, fixture!("subscription_requires_action")),
        ("GET /v1/payment_intents/", 200, fixture!("subscription_requires_action_payment")),
    ];
    let told = perform(&connector(&serving(ASKED)), Name::Subscribe, &subscribe()).await.unwrap();
    let page = json(fixture!("subscription_requires_action"));
    let page = &page["latest_invoice"]["hosted_invoice_url"];
    assert_has(&told, &json!({"outcome": "requires_action", "action": {"url": page}}), "requires_action");
    // The subscription is there, and how it stands is not.
    static LOST: &[(&str, u16, &str)] = &[
        ("POST /v1/subscriptions", 200, fixture!("subscription_declined")),
        ("GET /v1/payment_intents/", 500, fixture!("error_api")),
    ];
    let told = perform(&connector(&serving(LOST)), Name::Subscribe, &subscribe()).await.unwrap();
    assert_eq!(told["outcome"], "unknown");
}

#[actix_web::test]
async fn a_subscription_to_another_amount_keeps_the_product_and_interval_of_its_plan() {
    static ANSWERS: &[(&str, u16, &str)] = &[
        ("GET /v1/prices/price_1", 200, fixture!("price")),
        ("POST /v1/subscriptions", 200, fixture!("subscription_active")),
        ("GET /v1/payment_intents/", 500, ""),
    ];
    let upstream = serving(ANSWERS);
    let mut request = subscribe();
    request["amount"] = json!({"minor_units": 1000, "currency": "EUR"});
    let told = perform(&connector(&upstream), Name::Subscribe, &request).await.unwrap();
    assert_has(&told, &json!({"outcome": "succeeded", "result": {"first_payment": null}}), "subscribe");
    let product = json(fixture!("price"))["product"].as_str().unwrap().to_owned();
    let sent = form(std::str::from_utf8(&upstream.arrived()[1].body).unwrap());
    for (name, value) in [
        ("items[0][price_data][product]", product.as_str()),
        ("items[0][price_data][currency]", "eur"),
        ("items[0][price_data][unit_amount]", "1000"),
        ("items[0][price_data][recurring][interval]", "month"),
        ("items[0][price_data][recurring][interval_count]", "1"),
    ] {
        assert!(sent.contains(&(name.to_owned(), value.to_owned())), "{name}");
    }
    request["amount"]["minor_units"] = json!(700);
    let failure =
        perform(&connector(&serving(ANSWERS)), Name::Subscribe, &request).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Integrity, "Stripe says 10.00 where 7.00 was asked");
}
