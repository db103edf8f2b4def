use chrono::{NaiveDate, Utc};
use serde_json::{Value, json};

use super::*;
use crate::{
    crypt::EncryptionKeys,
    domain::payment::SaleSource,
    store::{
        code::{PaymentMethodType, Provider},
        id::{BuyerId, PaymentCustomerId, PaymentMethodId, ProviderChargeId, TransactionId},
        payment_method::PaymentMethodRow,
    },
};

fn form(body: &Value) -> Form {
    Form::parse(body.to_string().as_bytes()).unwrap()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_buyer_is_shown_as_the_solitude_api_says() {
    let row = PaymentCustomerRow {
        id: PaymentCustomerId(2),
        buyer_id: BuyerId(1),
        provider: Provider::Braintree,
        provider_id: "bt-customer".into(),
        active: true,
        created: Utc::now(),
        modified: Utc::now(),
        counter: 0,
    };
    let shown = show_buyer(&row);
    assert_eq!(
        names(&shown),
        [
            "active",
            "braintree_id",
            "buyer",
            "counter",
            "created",
            "id",
            "modified",
            "resource_pk",
            "resource_uri"
        ]
    );
    assert_eq!((&shown["id"], &shown["braintree_id"]), (&json!(2), &json!("bt-customer")));
    assert_eq!(shown["buyer"], "/generic/buyer/1/");
    assert_eq!(shown["resource_uri"], "/braintree/mozilla/buyer/2/");
}

#[test]
fn a_payment_method_is_a_card_with_its_brand_and_last_four_digits() {
    let keys = EncryptionKeys::parse(&[EncryptionKeys::generate()]).unwrap();
    let row = PaymentMethodRow {
        id: PaymentMethodId(3),
        customer_id: PaymentCustomerId(2),
        provider: Provider::Braintree,
        token: keys.encrypt("bt-token"),
        kind: PaymentMethodType::Card,
        brand: Some("Visa".into()),
        last4: Some("1111".into()),
        expiry_month: Some(12),
        expiry_year: Some(2030),
        active: true,
        deleted: None,
        created: Utc::now(),
        modified: Utc::now(),
        counter: 0,
    };
    let token = keys.decrypt(&row.token).unwrap();
    let shown = show_method(&Method { row, token });
    for (field, value) in [
        ("id", json!(3)),
        ("resource_uri", json!("/braintree/mozilla/paymethod/3/")),
        ("braintree_buyer", json!("/braintree/mozilla/buyer/2/")),
        ("provider_id", json!("bt-token")),
        ("truncated_id", json!("1111")),
        ("type", json!(1)),
        ("type_name", json!("Visa")),
        ("active", json!(true)),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
}

#[test]
fn a_charge_shows_its_billing_dates_and_the_coming_amount() {
    let row = ProviderChargeRow {
        id: ProviderChargeId(5),
        transaction_id: TransactionId(4),
        provider: Provider::Braintree,
        payment_method_id: Some(PaymentMethodId(3)),
        subscription_id: None,
        kind: "subscription_charged_successfully".into(),
        billing_period_start_date: NaiveDate::from_ymd_opt(2026, 1, 31),
        billing_period_end_date: NaiveDate::from_ymd_opt(2026, 2, 27),
        next_billing_date: NaiveDate::from_ymd_opt(2026, 2, 28),
        next_billing_period_amount_minor: Some(1000),
        created: Utc::now(),
        modified: Utc::now(),
        counter: 0,
        attempt: None,
    };
    let shown = show_charge(&row, Some("USD"));
    for (field, value) in [
        ("billing_period_start_date", json!("2026-01-31")),
        ("billing_period_end_date", json!("2026-02-27")),
        ("next_billing_date", json!("2026-02-28")),
        ("next_billing_period_amount", json!("10.00")),
        ("paymethod", json!("/braintree/mozilla/paymethod/3/")),
        ("subscription", Value::Null),
        ("transaction", json!("/generic/transaction/4/")),
        ("resource_uri", json!("/braintree/mozilla/transaction/5/")),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert!(shown.get("attempt").is_none());
}

#[test]
fn a_sale_is_of_a_nonce_or_of_a_payment_method() {
    let whole = json!({"amount": "5.00", "product_id": "p1", "nonce": "fake-valid-nonce"});
    let new = sale::read(form(&whole)).unwrap();
    assert_eq!(
        (new.amount.as_str(), new.product_id.as_str(), new.kind),
        ("5.00", "p1", "submit_for_settlement")
    );
    assert!(matches!(new.source, SaleSource::Nonce(_)));
    let stored = json!({"amount": 5, "product_id": "p1", "paymethod": "/braintree/mozilla/paymethod/3/"});
    let new = sale::read(form(&stored)).unwrap();
    assert!(matches!(new.source, SaleSource::PaymentMethod(PaymentMethodId(3))));
}

#[test]
fn a_sale_of_both_or_neither_is_invalid() {
    let path = "/braintree/mozilla/paymethod/3/";
    for body in [
        json!({"amount": "5.00", "product_id": "p1", "nonce": "n", "paymethod": path}),
        json!({"amount": "5.00", "product_id": "p1"}),
        json!({"amount": "5.00", "product_id": "p1", "nonce": null, "paymethod": null}),
    ] {
        let errors = sale::read(form(&body)).unwrap_err().mozilla();
        assert_eq!(errors["mozilla"]["__all__"][0]["code"], "invalid", "{body}");
        assert_eq!(names(&errors["mozilla"]), ["__all__"], "{body}");
    }
}

#[test]
fn every_wrong_field_of_a_sale_is_named() {
    for (field, value) in [
        ("amount", json!(0.99)),
        ("amount", Value::Null),
        ("product_id", json!("")),
        ("product_id", json!(1)),
        ("nonce", json!("a\u{0}")),
        ("nonce", json!("x".repeat(256))),
        ("paymethod", json!("/paymethods/3/")),
        ("paymethod", json!("/generic/buyer/3/")),
        ("paymethod", json!(3)),
        ("currency", json!("USD")),
    ] {
        let mut body = json!({"amount": "5.00", "product_id": "p1"});
        if field != "nonce" && field != "paymethod" {
            body["nonce"] = json!("n");
        }
        body[field] = value;
        let errors = sale::read(form(&body)).unwrap_err();
        assert!(errors.has(field), "{body}");
    }
}

#[test]
fn a_payment_method_needs_its_buyer_and_a_nonce() {
    let (buyer, nonce) =
        payment_method::read_new(form(&json!({"buyer_uuid": "b1", "nonce": "fake-valid-nonce"}))).unwrap();
    assert_eq!((buyer.as_str(), nonce.expose()), ("b1", "fake-valid-nonce"));
    let errors = payment_method::read_new(form(&json!({}))).unwrap_err();
    assert!(errors.has("buyer_uuid") && errors.has("nonce"));
    assert!(payment_method::read_one(form(&json!({"paymethod": "/generic/buyer/1/"}))).is_err());
}

#[test]
fn a_subscription_needs_a_payment_method_and_a_plan() {
    let errors = subscription::read_new(form(&json!({}))).err().unwrap();
    assert!(errors.has("paymethod") && errors.has("plan") && !errors.has("amount"));
    let body = json!({"paymethod": "/braintree/mozilla/paymethod/3/", "plan": "p1", "amount": "5.00"});
    let new = subscription::read_new(form(&body)).unwrap();
    assert_eq!(
        (new.method, new.plan.as_str(), new.amount.as_deref()),
        (PaymentMethodId(3), "p1", Some("5.00"))
    );
}

#[test]
fn only_active_changes_and_an_answer_may_be_sent_back() {
    let body =
        json!({"active": false, "id": 1, "counter": 3, "buyer": "/generic/buyer/1/", "braintree_id": "x"});
    assert_eq!(read_active(form(&body), &["buyer", "braintree_id"]).unwrap(), Some(false));
    assert!(read_active(form(&json!({"active": null})), &[]).unwrap_err().has("active"));
    assert!(read_active(form(&json!({"active": "yes"})), &[]).unwrap_err().has("active"));
    assert!(read_active(form(&json!({"braintree": 1})), &[]).unwrap_err().has("braintree"));
}
