//! What became of something.

use super::*;

fn by(by: &Value) -> Value {
    json!({"attempt": ATTEMPT, "by": by})
}

#[actix_web::test]
async fn a_payment_is_found_by_its_attempt_and_not_its_duplicate() {
    let script = [
        ("POST", "/advanced_search_ids", 200, recorded!("search_ids")),
        ("POST", "/advanced_search", 200, recorded!("search_page")),
    ];
    let (result, _) =
        run(&script, OperationName::Lookup, &by(&json!({"payment_attempt": {"of": THIRD}}))).await;
    assert_eq!((&result["found"], outcome(&result["outcome"])), (&json!("payment"), "succeeded"));
    assert_eq!(result["outcome"]["result"]["reference"], id_of(recorded!("sale_submitted_c")));
    // What the search gives beyond that attempt is not believed.
    let (result, _) =
        run(&script, OperationName::Lookup, &by(&json!({"payment_attempt": {"of": SECOND}}))).await;
    assert_eq!(result, json!({"found": "nothing"}));
}

#[actix_web::test]
async fn nothing_is_found_where_nothing_is() {
    let search = [("POST", "/advanced_search_ids", 200, recorded!("search_ids_none"))];
    for question in
        [json!({"payment_attempt": {"of": THIRD}}), json!({"refund_attempt": {"of": THIRD, "payment": "x"}})]
    {
        let (result, _) = run(&search, OperationName::Lookup, &by(&question)).await;
        assert_eq!(result, json!({"found": "nothing"}), "{question}");
    }
    let get = [("GET", "/transactions/x", 404, "")];
    for question in [json!({"payment": {"reference": "x"}}), json!({"refund": {"reference": "x"}})] {
        let (result, _) = run(&get, OperationName::Lookup, &by(&question)).await;
        assert_eq!(result, json!({"found": "nothing"}), "{question}");
    }
}

#[actix_web::test]
async fn a_payment_by_its_id_says_what_its_parts_and_refunds_come_to() {
    let payment = id_of(recorded!("in_parts"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let script = [
        ("GET", path, 200, recorded!("in_parts")),
        ("POST", "/advanced_search", 200, recorded!("parts_page")),
    ];
    let question = by(&json!({"payment": {"reference": payment}}));
    let (result, _) = run(&script, OperationName::Lookup, &question).await;
    let found = &result["outcome"]["result"];
    assert_eq!(outcome(&result["outcome"]), "succeeded");
    assert_eq!((&found["captured"], &found["refunded"]), (&json!(400), &json!(0)));
    assert_eq!(found["amount"]["minor_units"], 1000);
    assert_eq!(found["captures"], json!([id_of(recorded!("part"))]));
    let payment = id_of(recorded!("settled_and_refunded"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let script = [
        ("GET", path, 200, recorded!("settled_and_refunded")),
        ("POST", "/advanced_search", 200, recorded!("refunds_page")),
    ];
    let question = by(&json!({"payment": {"reference": payment}}));
    let (result, _) = run(&script, OperationName::Lookup, &question).await;
    let found = &result["outcome"]["result"];
    assert_eq!((&found["captured"], &found["refunded"]), (&json!(1000), &json!(400)));
}

#[actix_web::test]
async fn a_payment_submitted_for_less_still_says_what_was_authorized() {
    let payment = id_of(recorded!("submitted_for_less"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let question = by(&json!({"payment": {"reference": payment}}));
    let script = [("GET", path, 200, recorded!("submitted_for_less"))];
    let (result, _) = run(&script, OperationName::Lookup, &question).await;
    let found = &result["outcome"]["result"];
    assert_eq!((&found["amount"]["minor_units"], &found["captured"]), (&json!(1000), &json!(600)));
}

#[actix_web::test]
async fn a_refund_is_found_by_its_attempt_and_by_its_id() {
    let refund = id_of(recorded!("refunded"));
    let ids: &'static str = Box::leak(
        recorded!("search_ids_none")
            .replace("<ids type=\"array\"/>", &format!("<ids type=\"array\"><item>{refund}</item></ids>"))
            .into_boxed_str(),
    );
    let script = [
        ("POST", "/advanced_search_ids", 200, ids),
        ("POST", "/advanced_search", 200, recorded!("refunds_page")),
    ];
    let question = by(&json!({"refund_attempt": {"of": SECOND, "payment": "x"}}));
    let (result, _) = run(&script, OperationName::Lookup, &question).await;
    assert_eq!(
        (&result["found"], &result["outcome"]["result"]["reference"]),
        (&json!("refund"), &json!(refund))
    );
    let path: &'static str = Box::leak(format!("/transactions/{refund}").into_boxed_str());
    let question = by(&json!({"refund": {"reference": refund}}));
    let (result, _) =
        run(&[("GET", path, 200, recorded!("refunded"))], OperationName::Lookup, &question).await;
    assert_eq!(result["outcome"]["result"]["amount"]["minor_units"], 400);
}

#[actix_web::test]
async fn two_payments_of_one_attempt_are_no_answer() {
    let page = recorded!("search_page");
    let reasons: &'static str = Box::leak(
        page.replace("<status>gateway_rejected</status>", "<status>submitted_for_settlement</status>")
            .into_boxed_str(),
    );
    assert_ne!(reasons, page);
    let upstream = scripted(&[
        ("POST", "/advanced_search_ids", 200, recorded!("search_ids")),
        ("POST", "/advanced_search", 200, reasons),
    ]);
    let question = by(&json!({"payment_attempt": {"of": THIRD}}));
    let failure = perform(&connector(&upstream), OperationName::Lookup, &question).await.unwrap_err();
    assert_eq!(failure.kind, wire::ErrorKind::Protocol);
    assert!(failure.message.contains("several payments"), "{}", failure.message);
}

#[actix_web::test]
async fn a_search_that_leaves_one_out_is_no_answer() {
    let upstream = scripted(&[
        ("POST", "/advanced_search_ids", 200, recorded!("search_ids")),
        ("POST", "/advanced_search", 200, "<credit-card-transactions type=\"collection\"/>"),
    ]);
    let question = by(&json!({"payment_attempt": {"of": THIRD}}));
    let failure = perform(&connector(&upstream), OperationName::Lookup, &question).await.unwrap_err();
    assert_eq!(failure.kind, wire::ErrorKind::Protocol);
}

#[actix_web::test]
async fn health_takes_our_keys_and_changes_nothing() {
    let script = [("POST", "/advanced_search_ids", 200, recorded!("search_ids_none"))];
    let (result, arrived) = run(&script, OperationName::Health, &json!({"attempt": ATTEMPT})).await;
    assert_eq!(result, json!({}));
    assert_eq!(asked(&arrived), ["POST transactions/advanced_search_ids"]);
    let upstream = scripted(&[("POST", "/advanced_search_ids", 401, "")]);
    let request = json!({"attempt": ATTEMPT});
    let failure = perform(&connector(&upstream), OperationName::Health, &request).await.unwrap_err();
    assert!(failure.message.contains("401"), "{}", failure.message);
}

/// The same text with other words in it.
fn told(text: &str, words: &[(&str, &str)]) -> &'static str {
    let told = words.iter().fold(text.to_owned(), |text, (word, other)| {
        assert!(text.contains(word), "{word}");
        text.replace(word, other)
    });
    Box::leak(told.into_boxed_str())
}

async fn looked_up(payment: &str, found: &'static str) -> Value {
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let script = [("GET", path, 200, found)];
    let question = by(&json!({"payment": {"reference": payment}}));
    run(&script, OperationName::Lookup, &question).await.0["outcome"].clone()
}

#[actix_web::test]
async fn what_was_taken_and_not_settled_is_told_and_what_was_never_taken_is_a_decline() {
    for word in ["settlement_declined", "settlement_failed"] {
        let status = format!("<status>{word}</status>");
        let words = [("<status>settled</status>", status.as_str())];
        let lost = looked_up(&id_of(recorded!("settled")), told(recorded!("settled"), &words)).await;
        let result = &lost["result"];
        assert_eq!((outcome(&lost), &result["captured"]), ("declined", &json!(0)));
        assert_eq!(result["settlement_declined"], result["amount"]["minor_units"]);
        let never = ("<status>submitted_for_settlement</status>", "<status>settlement_pending</status>");
        let words = [words[0], never];
        let declined = looked_up(&id_of(recorded!("settled")), told(recorded!("settled"), &words)).await;
        assert_eq!(outcome(&declined), "declined");
        assert_eq!(
            (&declined["result"]["captured"], &declined["result"]["settlement_declined"]),
            (&json!(0), &Value::Null)
        );
    }
}

#[actix_web::test]
async fn a_part_that_was_not_settled_is_told_beside_those_that_were() {
    let payment = id_of(recorded!("in_parts"));
    let path: &'static str = Box::leak(format!("/transactions/{payment}").into_boxed_str());
    let page = recorded!("parts_page");
    // Its own status comes first, and then its history.
    let lost: &'static str = Box::leak(
        page.replacen("<status>submitted_for_settlement<", "<status>settlement_declined<", 1)
            .into_boxed_str(),
    );
    assert_ne!(lost, page);
    let script = [("GET", path, 200, recorded!("in_parts")), ("POST", "/advanced_search", 200, lost)];
    let question = by(&json!({"payment": {"reference": payment}}));
    let (result, _) = run(&script, OperationName::Lookup, &question).await;
    let found = &result["outcome"]["result"];
    assert_eq!(outcome(&result["outcome"]), "succeeded");
    assert_eq!((&found["captured"], &found["settlement_declined"]), (&json!(0), &json!(400)));
}
