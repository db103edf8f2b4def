//! Reading Braintree's XML, and reading back what is written.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn what_is_there_is_read_and_what_is_nothing_is_not() {
    let text = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- --><transaction>\n <id> t1 </id>\n \
        <order-id nil=\"true\"/><tax/><name>&#252; &amp; <![CDATA[<b>]]></name>\
        <ids type=\"array\"><item>a</item><item>b</item></ids></transaction>\n";
    let element = Element::parse(text.as_bytes()).unwrap();
    assert_eq!((element.name(), element.text("id")), ("transaction", Some("t1")));
    assert_eq!((element.text("order-id"), element.text("tax"), element.text("ids")), (None, None, None));
    assert_eq!(element.text("name"), Some("ü & <b>"));
    assert_eq!(element.items("ids"), ["a", "b"]);
    assert!(element.required("order-id").is_err());
}

#[test]
fn what_is_no_plain_document_is_refused() {
    let entity = "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>";
    let deep = "<a>".repeat(100) + &"</a>".repeat(100);
    let many = format!("<a>{}</a>", "<b/>".repeat(MOST));
    for (text, error) in [
        ("", XmlError::Malformed),
        ("text", XmlError::Malformed),
        ("<a>", XmlError::Malformed),
        ("<a></b>", XmlError::Malformed),
        ("<a/><b/>", XmlError::Malformed),
        ("<a/>x", XmlError::Malformed),
        ("<html><br></html>", XmlError::Malformed),
        (entity, XmlError::Forbidden),
        ("<a>&e;</a>", XmlError::Forbidden),
        ("<?php a?><a/>", XmlError::Forbidden),
        (&deep, XmlError::TooDeep),
        (&many, XmlError::TooMany),
    ] {
        assert_eq!(Element::parse(text.as_bytes()), Err(error), "{}", &text[..text.len().min(60)]);
    }
    assert_eq!(Element::parse(b"<a>\xff</a>"), Err(XmlError::Encoding));
}

#[test]
fn as_json_it_has_no_token() {
    let text = "<a-b><id>x</id><n type=\"integer\">3</n><f type=\"boolean\">true</f><z nil=\"true\"/><e/>\
        <credit-card><token>dummy</token><last-4>1111</last-4></credit-card>\
        <payment-method-token>dummy</payment-method-token>\
        <list type=\"array\"><transaction><id>y</id></transaction></list></a-b>";
    assert_eq!(
        Element::parse(text.as_bytes()).unwrap().json(),
        json!({"id": "x", "n": 3, "f": true, "z": null, "e": "", "credit_card": {"last_4": "1111"},
               "list": [{"id": "y"}]})
    );
}

#[test]
fn a_request_reads_back_as_it_was_written() {
    let written = Written::new("transaction")
        .text("amount", "1.00")
        .optional("order_id", None)
        .optional("note", Some("<&>\"'"))
        .node(Written::new("options").flag("submit_for_settlement", true))
        .list("ids", &["a".to_owned()])
        .finish();
    let element = Element::parse(written.as_bytes()).unwrap();
    assert_eq!(element.text("note"), Some("<&>\"'"));
    assert_eq!(element.child("options").unwrap().json(), json!({"submit_for_settlement": true}));
    assert_eq!(element.items("ids"), ["a"]);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Element::parse(&bytes).map(|element| element.json());
    }

    #[test]
    fn no_text_that_is_written_adds_an_element(text in "[ -~]{0,40}") {
        let written = Written::new("a").text("b", &text).finish();
        let element = Element::parse(written.as_bytes()).unwrap();
        prop_assert_eq!(element.children().len(), 1);
        prop_assert_eq!(element.text("b").unwrap_or_default(), text.trim());
    }
}
