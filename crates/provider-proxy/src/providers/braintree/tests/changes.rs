//! Captures, voids and refunds of what was charged.

use super::*;

fn capture(payment: &str, minor_units: i64, last: bool) -> Value {
    json!({"attempt": SECOND, "payment": payment, "amount": {"minor_units": minor_units, "currency": "USD"}, "last": last})
}

#[actix_web::test]
async fn the_last_capture_submits_the_payment_and_gives_up_the_rest() {
    let payment = id_of(recorded!("submitted_for_less"));
    let script = [("PUT", "/submit_for_settlement", 200, recorded!("submitted_for_less"))];
    let (result, arrived) = run(&script, OperationName::Capture, &capture(&payment, 600, true)).await;
    assert_eq!(outcome(&result), "succeeded");
    assert_eq!(
        result["result"],
        json!({"reference": payment, "status": "submitted_for_settlement", "amount": {"minor_units": 600, "currency": "USD"}})
    );
    assert_eq!(asked(&arrived), [format!("PUT transactions/{payment}/submit_for_settlement")]);
    assert_eq!(body_of(&arrived[0]), json!({"amount": "6.00"}));
}

#[actix_web::test]
async fn a_capture_that_was_made_before_is_not_made_again() {
    let payment = id_of(recorded!("submitted_for_less"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let script = [
        ("PUT", "/submit_for_settlement", 422, recorded!("cannot_submit")),
        ("GET", path, 200, recorded!("submitted_for_less")),
    ];
    let (result, _) = run(&script, OperationName::Capture, &capture(&payment, 600, true)).await;
    assert_eq!(outcome(&result), "succeeded");
    // Another amount was captured by somebody else.
    let (result, _) = run(&script, OperationName::Capture, &capture(&payment, 500, true)).await;
    assert_eq!((outcome(&result), codes(&result)), ("rejected", vec![(None, "91507")]));
    // Whether it was is not known when nothing more is heard.
    let (result, _) = run(&script[..1], OperationName::Capture, &capture(&payment, 600, true)).await;
    assert_eq!(outcome(&result), "unknown");
}

#[actix_web::test]
async fn a_part_is_a_transaction_of_its_own_with_the_attempt_as_its_order() {
    let payment = id_of(recorded!("sale_authorized"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let part: &'static str =
        Box::leak(recorded!("part").replace(&id_of(recorded!("in_parts")), &payment).into_boxed_str());
    let script = [
        ("GET", path, 200, recorded!("sale_authorized")),
        ("POST", "/submit_for_partial_settlement", 201, part),
    ];
    let (result, arrived) = run(&script, OperationName::Capture, &capture(&payment, 400, false)).await;
    assert_eq!(
        (outcome(&result), &result["result"]["reference"]),
        ("succeeded", &json!(id_of(recorded!("part"))))
    );
    assert_eq!(body_of(&arrived[1]), json!({"amount": "4.00", "order_id": SECOND, "final_capture": false}));
}

#[actix_web::test]
async fn a_part_that_was_made_before_is_not_made_again() {
    let payment = id_of(recorded!("in_parts"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let script = [
        ("GET", path, 200, recorded!("in_parts")),
        ("POST", "/advanced_search", 200, recorded!("parts_page")),
    ];
    let (result, arrived) = run(&script, OperationName::Capture, &capture(&payment, 400, false)).await;
    assert_eq!(
        (outcome(&result), &result["result"]["reference"]),
        ("succeeded", &json!(id_of(recorded!("part"))))
    );
    assert_eq!(arrived.len(), 2);
}

#[actix_web::test]
async fn the_last_part_ends_the_parts() {
    let payment = id_of(recorded!("in_parts"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let attempt = fresh();
    let part: &'static str = Box::leak(recorded!("part").replace(SECOND, &attempt).into_boxed_str());
    let script = [
        ("PUT", "/submit_for_settlement", 422, recorded!("cannot_submit")),
        ("GET", path, 200, recorded!("in_parts")),
        ("POST", "/advanced_search", 200, recorded!("parts_page")),
        ("POST", "/submit_for_partial_settlement", 201, part),
    ];
    let mut request = capture(&payment, 400, true);
    request["attempt"] = json!(attempt);
    let (result, arrived) = run(&script, OperationName::Capture, &request).await;
    assert_eq!(outcome(&result), "succeeded");
    assert_eq!(body_of(&arrived[3])["final_capture"], true);
}

#[actix_web::test]
async fn a_payment_is_voided_once_however_often_it_is_asked_for() {
    let payment = id_of(recorded!("voided"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let request = json!({"attempt": SECOND, "payment": payment});
    let script = [("PUT", "/void", 200, recorded!("voided"))];
    let (result, arrived) = run(&script, OperationName::Void, &request).await;
    assert_eq!((outcome(&result), &result["result"]["voided"]), ("succeeded", &json!(true)));
    assert!(arrived[0].body.is_empty());
    let again = [("PUT", "/void", 422, recorded!("cannot_void")), ("GET", path, 200, recorded!("voided"))];
    let (result, _) = run(&again, OperationName::Void, &request).await;
    assert_eq!((outcome(&result), &result["result"]["voided"]), ("succeeded", &json!(true)));
    let payment = id_of(recorded!("settled"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let settled = [("PUT", "/void", 422, recorded!("cannot_void")), ("GET", path, 200, recorded!("settled"))];
    let (result, _) =
        run(&settled, OperationName::Void, &json!({"attempt": SECOND, "payment": payment})).await;
    assert_eq!((outcome(&result), codes(&result)), ("rejected", vec![(None, "91504")]));
}

fn refund(payment: &str, minor_units: i64) -> Value {
    json!({"attempt": SECOND, "payment": payment, "amount": {"minor_units": minor_units, "currency": "USD"}})
}

#[actix_web::test]
async fn a_refund_has_the_attempt_as_its_order() {
    let payment = id_of(recorded!("settled"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let script = [("GET", path, 200, recorded!("settled")), ("POST", "/refund", 201, recorded!("refunded"))];
    let (result, arrived) = run(&script, OperationName::Refund, &refund(&payment, 400)).await;
    assert_eq!(outcome(&result), "succeeded");
    assert_eq!(
        result["result"],
        json!({"reference": id_of(recorded!("refunded")), "attempt": SECOND, "status": "submitted_for_settlement",
               "amount": {"minor_units": 400, "currency": "USD"}})
    );
    assert_eq!(body_of(&arrived[1]), json!({"amount": "4.00", "order_id": SECOND}));
}

#[actix_web::test]
async fn a_refund_that_was_made_before_is_not_made_again() {
    let payment = id_of(recorded!("settled"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let script = [
        ("GET", path, 200, recorded!("settled_and_refunded")),
        ("POST", "/advanced_search", 200, recorded!("refunds_page")),
    ];
    let (result, arrived) = run(&script, OperationName::Refund, &refund(&payment, 400)).await;
    assert_eq!(outcome(&result), "succeeded");
    assert!(arrived.iter().all(|arrived| !arrived.target.ends_with("/refund")));
}

#[actix_web::test]
async fn a_refund_is_refused_or_declined_in_braintree_s_words() {
    let payment = id_of(recorded!("settled"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let unsettled =
        [("GET", path, 200, recorded!("settled")), ("POST", "/refund", 422, recorded!("refund_unsettled"))];
    let (result, _) = run(&unsettled, OperationName::Refund, &refund(&payment, 400)).await;
    assert_eq!((outcome(&result), codes(&result)), ("rejected", vec![(None, "91506")]));
    let refunded = super::super::xml::Element::parse(recorded!("refund_declined").as_bytes()).unwrap();
    let original = refunded.child("transaction").unwrap().text("refunded-transaction-id").unwrap();
    let answer: &'static str =
        Box::leak(recorded!("refund_declined").replace(original, &payment).into_boxed_str());
    let declined = [("GET", path, 200, recorded!("settled")), ("POST", "/refund", 422, answer)];
    let (result, _) = run(&declined, OperationName::Refund, &refund(&payment, 200_400)).await;
    assert_eq!((outcome(&result), &result["decline"]["code"]), ("declined", &json!("2004")));
    let (result, _) = run(&[("GET", path, 404, "")], OperationName::Refund, &refund(&payment, 400)).await;
    assert_eq!((outcome(&result), &result["rejection"]["status"]), ("rejected", &json!(404)));
}
