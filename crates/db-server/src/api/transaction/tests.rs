use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::transaction::tests::row;

fn form(value: &Value) -> Form {
    Form::parse(value.to_string().as_bytes()).unwrap()
}

fn wrong(value: &Value) -> Value {
    serde_json::to_value(read_new(form(value)).unwrap_err()).unwrap()
}

fn wrong_patch(value: &Value) -> Value {
    let Err(DomainError::Fields(errors)) = read_patch(form(value)) else { panic!("{value} is accepted") };
    serde_json::to_value(errors).unwrap()
}

#[test]
fn a_minimal_transaction_has_its_defaults() {
    let new = read_new(form(&json!({}))).unwrap();
    assert!(new.uuid.starts_with("solitude:"));
    assert_eq!((new.status, new.kind), (TransactionStatus::Started, TransactionType::Payment));
    assert_eq!((new.amount_minor, new.currency, new.provider), (None, None, None));
}

#[test]
fn each_default_uuid_is_another() {
    let uuid = || read_new(form(&json!({"uuid": ""}))).unwrap().uuid;
    assert_ne!(uuid(), uuid());
}

#[test]
fn an_amount_has_the_decimals_of_its_currency() {
    let minor = |amount: Value, currency: &str| {
        read_new(form(&json!({"amount": amount, "currency": currency}))).unwrap().amount_minor
    };
    assert_eq!(minor(json!("0.99"), "EUR"), Some(99));
    assert_eq!(minor(json!("5"), "EUR"), Some(500));
    assert_eq!(minor(json!(5), "EUR"), Some(500));
    assert_eq!(minor(json!("5"), "JPY"), Some(5));
    assert_eq!(minor(json!("1.234"), "KWD"), Some(1234));
    assert_eq!(minor(json!("9999999.99"), "EUR"), Some(999_999_999));
}

#[test]
fn an_amount_that_does_not_fit_is_refused() {
    for (amount, currency) in [
        ("0.999", "EUR"),
        ("1.0", "JPY"),
        ("-1", "EUR"),
        ("1e3", "EUR"),
        ("", "EUR"),
        ("10000000.00", "EUR"),
        ("99999999999999999999", "EUR"),
        ("NaN", "EUR"),
    ] {
        let errors = wrong(&json!({"amount": amount, "currency": currency}));
        assert!(errors.get("amount").is_some(), "{amount} {currency}: {errors}");
    }
}

#[test]
fn an_amount_and_its_currency_go_together() {
    assert!(wrong(&json!({"amount": "5"})).get("currency").is_some());
    assert!(wrong(&json!({"currency": "EUR"})).get("amount").is_some());
    assert!(wrong(&json!({"amount": "5", "currency": "XXX"})).get("currency").is_some());
    assert!(read_new(form(&json!({"amount": null, "currency": ""}))).is_ok());
}

#[test]
fn every_wrong_field_of_a_new_transaction_is_named() {
    for (field, value) in [
        ("uuid", json!("x".repeat(256))),
        ("uuid", json!("a\u{0}b")),
        ("uuid", json!(5)),
        ("buyer", json!("/generic/seller/1/")),
        ("seller", json!("/generic/product/1/")),
        ("seller_product", json!(1)),
        ("related", json!("x")),
        ("provider", json!(9)),
        ("provider", json!("bango")),
        ("type", json!(5)),
        ("type", json!(null)),
        ("status", json!(8)),
        ("status", json!(null)),
        ("region", json!("x".repeat(256))),
        ("carrier", json!({})),
        ("source", json!([])),
        ("status_reason", json!("a\u{0}")),
        ("uid_pay", json!("a\nb")),
        ("uid_support", json!(true)),
        ("pay_url", json!("not-a-url")),
        ("notes", json!("\u{0}")),
        ("staus", json!(1)),
    ] {
        let mut body = json!({});
        body[field] = value;
        let errors = wrong(&body);
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
    }
}

#[test]
fn only_what_may_change_is_taken() {
    let patch = read_patch(form(&json!({
        "notes": "n", "pay_url": "https://bango.com/pay", "status": 7, "status_reason": "r", "uid_pay": "u",
        "provider": 2,
    })));
    let patch = patch.unwrap();
    assert_eq!(patch.status, Some(TransactionStatus::Errored));
    assert_eq!(patch.provider, Some(Some(Provider::Reference)));
    assert_eq!(read_patch(form(&json!({"notes": null}))).unwrap().notes, Some(None));
    assert_eq!(read_patch(form(&json!({}))).unwrap().notes, None);
}

#[test]
fn everything_else_cannot_be_altered() {
    let expected = json!({"__all__": ["Cannot alter fields: uuid"]});
    assert_eq!(wrong_patch(&json!({"uuid": 5})), expected);
    for field in [
        "amount",
        "currency",
        "buyer",
        "seller",
        "seller_product",
        "region",
        "carrier",
        "source",
        "type",
        "uid_support",
        "related",
        "relations",
        "created",
        "counter",
        "resource_pk",
        "nonsense",
    ] {
        let mut body = json!({"notes": "n"});
        body[field] = json!("x");
        assert_eq!(wrong_patch(&body), json!({"__all__": [format!("Cannot alter fields: {field}")]}));
    }
}

#[test]
fn a_wrong_value_in_a_patch_is_named() {
    for (field, value) in [
        ("status", json!(null)),
        ("status", json!("1")),
        ("status", json!(8)),
        ("pay_url", json!("not-a-url")),
        ("uid_pay", json!(5)),
        ("provider", json!(0)),
        ("notes", json!(1)),
    ] {
        let mut body = json!({});
        body[field] = value;
        assert!(wrong_patch(&body).get(field).is_some(), "{body}");
    }
}

#[test]
fn a_transaction_is_shown_with_its_relations() {
    let refund = TransactionRow {
        id: TransactionId(2),
        related_id: Some(TransactionId(1)),
        ..row(TransactionStatus::Pending)
    };
    let transaction = Transaction { row: row(TransactionStatus::Completed), relations: vec![refund] };
    let body = serde_json::to_value(show(&transaction).body).unwrap();
    assert_eq!(body["amount"], "0.99");
    assert_eq!(body["resource_uri"], "/generic/transaction/1/");
    assert_eq!(body["seller_product"], "/generic/product/1/");
    assert_eq!((&body["status"], &body["provider"]), (&json!(1), &json!(2)));
    assert_eq!(body["relations"][0]["resource_pk"], 2);
    assert_eq!(body["relations"][0]["related"], "/generic/transaction/1/");
    assert_eq!(body["relations"][0].get("relations"), None);
    assert_eq!(
        (body["type"].as_i64(), &body["notes"], body["counter"].as_i64()),
        (Some(0), &json!(null), Some(1))
    );
    assert_eq!(body["created"], json!(transaction.row.created));
}

#[test]
fn a_transaction_has_another_version_when_a_relation_changes() {
    let shown = |counter| {
        let refund = TransactionRow { id: TransactionId(2), counter, ..row(TransactionStatus::Pending) };
        show(&Transaction { row: row(TransactionStatus::Completed), relations: vec![refund] }).tag
    };
    assert_ne!(shown(1), shown(2));
}

proptest! {
    #[test]
    fn no_json_makes_the_reader_panic(field in "[a-z_]{1,12}", text in ".{0,40}", number: i64) {
        for value in [json!(text), json!(number), json!([text]), json!({"a": number})] {
            for name in [field.as_str(), "amount", "currency", "uuid", "status", "seller", "pay_url"] {
                let mut body = json!({});
                body[name] = value.clone();
                let _ = read_new(form(&body));
                let _ = read_patch(form(&body));
            }
        }
    }
}
