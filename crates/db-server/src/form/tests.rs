use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    store::{code::TransactionStatus, id::SellerId},
    uri::Kind,
};

fn form(value: &Value) -> Form {
    Form::parse(value.to_string().as_bytes()).unwrap()
}

/// The error of one field after it has been read.
fn error_of<T>(read: impl Fn(&mut Form) -> Given<T>, value: &Value) -> String {
    let mut form = form(&json!({ "field": value }));
    read(&mut form);
    let errors = serde_json::to_value(form.finish().unwrap_err()).unwrap();
    errors["field"][0].as_str().unwrap().to_owned()
}

#[test]
fn absent_null_and_value_are_told_apart() {
    let mut form = form(&json!({"null": null, "blank": "", "value": "x"}));
    assert_eq!(form.text("absent"), None);
    assert_eq!(form.text("null"), Some(None));
    assert_eq!(form.text("blank"), Some(None));
    assert_eq!(form.text("value"), Some(Some("x".into())));
    assert!(form.finish().is_ok());
}

#[test]
fn an_unknown_field_is_refused_by_name() {
    let errors = form(&json!({"uiud": 1})).finish().unwrap_err();
    assert_eq!(serde_json::to_value(errors).unwrap(), json!({"uiud": ["Unknown field."]}));
}

#[test]
fn all_errors_are_told_at_once() {
    let mut form = form(&json!({"a": 1, "b": "x", "d": 1}));
    form.text("a");
    form.boolean("b");
    let missing = form.text("c");
    form.required("c", missing);
    let errors = serde_json::to_value(form.finish().unwrap_err()).unwrap();
    assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}

#[test]
fn a_wrong_value_is_not_also_called_missing() {
    let mut form = form(&json!({"uuid": 5}));
    let uuid = form.id("uuid");
    assert_eq!(form.required("uuid", uuid), None);
    let errors = serde_json::to_value(form.finish().unwrap_err()).unwrap();
    assert_eq!(errors, json!({"uuid": ["Expected a string."]}));
}

#[test]
fn a_blank_required_field_is_missing() {
    for value in [json!({}), json!({"uuid": ""}), json!({"uuid": null})] {
        let mut form = form(&value);
        let uuid = form.id("uuid");
        form.required("uuid", uuid);
        let errors = serde_json::to_value(form.finish().unwrap_err()).unwrap();
        assert_eq!(errors, json!({"uuid": ["This field is required."]}));
    }
}

#[test]
fn a_text_has_at_most_255_characters_and_no_nul() {
    let read = |form: &mut Form| form.text("field");
    assert!(error_of(read, &json!("x".repeat(256))).contains("at most 255"));
    assert!(error_of(read, &json!("a\0b")).contains("Null"));
    assert_eq!(form(&json!({"f": "é".repeat(255)})).text("f"), Some(Some("é".repeat(255))));
}

#[test]
fn an_id_has_no_control_character() {
    let read = |form: &mut Form| form.id("field");
    for text in ["a\nb", "a\0", "\u{7f}", "\u{85}", "\u{1b}[0m"] {
        assert!(error_of(read, &json!(text)).contains("Control"), "{text:?}");
    }
}

#[test]
fn a_wrong_type_is_refused_for_every_kind_of_field() {
    for value in [json!([]), json!({"a": 1}), json!([["x"]])] {
        error_of(|form| form.text("field"), &value);
        error_of(|form| form.decimal("field"), &value);
        error_of(|form| form.boolean("field"), &value);
        error_of(|form| form.choice("field", TransactionStatus::from_code), &value);
        error_of(|form| form.word::<wire::reference::SellerStatus>("field"), &value);
        error_of(|form| form.reference::<SellerId>("field", Kind::Seller), &value);
    }
    error_of(|form| form.boolean("field"), &json!("true"));
    error_of(|form| form.boolean("field"), &json!(1));
}

#[test]
fn a_choice_is_one_of_its_numbers() {
    let read = |form: &mut Form| form.choice("field", TransactionStatus::from_code);
    for value in [json!(8), json!(-1), json!(1.5), json!("1"), json!(u64::MAX), json!(65537)] {
        error_of(read, &value);
    }
    let mut form = form(&json!({"f": 1}));
    assert_eq!(form.choice("f", TransactionStatus::from_code), Some(Some(TransactionStatus::Completed)));
}

#[test]
fn an_amount_is_a_string_or_a_whole_number_and_never_a_float() {
    assert_eq!(form(&json!({"f": "0.99"})).decimal("f"), Some(Some("0.99".into())));
    assert_eq!(form(&json!({"f": 5})).decimal("f"), Some(Some("5".into())));
    for value in [json!(0.99), json!(-5), json!(1e30)] {
        assert!(error_of(|form| form.decimal("field"), &value).contains("decimal string"));
    }
}

#[test]
fn a_url_is_absolute_and_of_the_web() {
    assert!(form(&json!({"f": "https://bango.com/pay?a=b"})).url("f").flatten().is_some());
    for text in ["not-a-url", "/path", "javascript:alert(1)", "ftp://host/", "https://", "https://a\nb/"] {
        error_of(|form| form.url("field"), &json!(text));
    }
}

#[test]
fn a_date_is_a_day_that_exists() {
    assert!(form(&json!({"f": "2014-01-31"})).date("f").flatten().is_some());
    for text in ["2014-02-30", "2014-1-1", "01-01-2014", "2014-01-01T00:00", "+014-01-01", "soon"] {
        error_of(|form| form.date("field"), &json!(text));
    }
}

#[test]
fn a_reference_names_a_resource_of_its_kind() {
    let mut good = form(&json!({"f": "/generic/seller/7/"}));
    assert_eq!(good.reference("f", Kind::Seller), Some(Some(SellerId(7))));
    for value in [json!("/generic/product/7/"), json!("7"), json!(7)] {
        assert!(error_of(|form| form.reference::<SellerId>("field", Kind::Seller), &value).contains("link"));
    }
}

#[test]
fn what_is_not_one_json_object_is_refused() {
    for body in ["{", "{\"a\": 1} x", "{a: 1}", "\"", "{\"a\": 01}", "\u{feff}{}", "nul", "{\"a\": \"\x01\"}"]
    {
        assert!(matches!(Form::parse(body.as_bytes()), Err(BodyError::Malformed(_))), "{body:?}");
    }
    for body in ["[]", "null", "1", "\"text\"", "true"] {
        assert!(matches!(Form::parse(body.as_bytes()), Err(BodyError::NotAnObject)), "{body:?}");
    }
    assert!(matches!(Form::parse(b"{\"a\": \"\xff\"}"), Err(BodyError::Malformed(_))));
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(Form::parse(deep.as_bytes()), Err(BodyError::Malformed(_))));
}

#[test]
fn an_empty_body_has_no_fields() {
    assert!(Form::parse(b"").unwrap().finish().is_ok());
}

#[test]
fn a_key_that_occurs_twice_is_refused_by_name() {
    let error = Form::parse(br#"{"uuid": "a", "uuid": "b"}"#).unwrap_err();
    assert!(matches!(error, BodyError::DuplicateKey(key) if key == "uuid"));
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Form::parse(&body);
    }

    #[test]
    fn a_text_that_is_taken_is_unchanged(text in "[^\\x00]{1,255}") {
        prop_assert_eq!(form(&json!({ "f": text })).text("f"), Some(Some(text)));
    }
}
