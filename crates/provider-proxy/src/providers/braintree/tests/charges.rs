//! Sales.

use super::*;

#[actix_web::test]
async fn a_sale_is_sent_with_the_attempt_as_its_order_and_the_currency_s_account() {
    let (result, arrived) = run(
        &[("POST", "/transactions", 201, recorded!("sale_authorized"))],
        OperationName::Authorize,
        &authorize(false),
    )
    .await;
    assert_eq!(outcome(&result), "succeeded");
    let payment = &result["result"];
    assert_eq!(payment["reference"], id_of(recorded!("sale_authorized")));
    assert_eq!((&payment["attempt"], &payment["status"]), (&json!(ATTEMPT), &json!("authorized")));
    assert_eq!(payment["amount"], json!({"minor_units": 1000, "currency": "USD"}));
    assert_eq!(
        (&payment["captured"], &payment["refunded"], &payment["voided"]),
        (&json!(0), &json!(0), &json!(false))
    );
    assert_eq!(asked(&arrived), ["POST transactions"]);
    assert_eq!(
        body_of(&arrived[0]),
        json!({"type": "sale", "amount": "10.00", "order_id": ATTEMPT, "merchant_account_id": "sandbox_usd",
               "options": {"submit_for_settlement": false}})
    );
    // The nonce is sent, though it is left out of JSON.
    assert!(String::from_utf8_lossy(&arrived[0].body).contains("<payment_method_nonce>fake-valid-nonce<"));
    let expected = data_encoding::BASE64.encode(format!("{PUBLIC}:{PRIVATE}").as_bytes());
    assert_eq!(arrived[0].header("authorization"), Some(format!("Basic {expected}").as_str()));
    assert_eq!(arrived[0].header("x-apiversion"), Some("6"));
    assert_eq!(arrived[0].header("content-type"), Some("application/xml"));
}

#[actix_web::test]
async fn a_sale_that_is_captured_is_submitted_for_settlement() {
    let answer: &'static str = Box::leak(
        recorded!("sale_submitted").replace("019a0000-0000-7000-8000-000000000009", ATTEMPT).into_boxed_str(),
    );
    let (result, arrived) =
        run(&[("POST", "/transactions", 201, answer)], OperationName::Authorize, &authorize(true)).await;
    assert_eq!((outcome(&result), &result["result"]["captured"]), ("succeeded", &json!(1000)));
    assert_eq!(body_of(&arrived[0])["options"], json!({"submit_for_settlement": true}));
    // What was to be taken and is only agreed to is not yet a success.
    let (result, _) = run(
        &[("POST", "/transactions", 201, recorded!("sale_authorized"))],
        OperationName::Authorize,
        &authorize(true),
    )
    .await;
    assert_eq!(outcome(&result), "pending");
}

#[actix_web::test]
async fn a_stored_payment_method_is_charged_by_its_token() {
    let mut request = authorize(false);
    request["source"] = json!({"payment_method": {"token": "dummy-token", "customer": "buyer-1"}});
    let (_, arrived) = run(
        &[("POST", "/transactions", 201, recorded!("sale_authorized"))],
        OperationName::Authorize,
        &request,
    )
    .await;
    let text = String::from_utf8_lossy(&arrived[0].body).into_owned();
    assert!(text.contains("<payment_method_token>dummy-token</payment_method_token>"), "{text}");
    assert!(text.contains("<customer_id>buyer-1</customer_id>") && !text.contains("nonce"), "{text}");
}

#[actix_web::test]
async fn settings_can_require_3d_secure_and_name_each_request() {
    let upstream = scripted(&[("POST", "/transactions", 422, recorded!("sale_rejected_three_d_secure"))]);
    let mut settings = settings(&upstream);
    settings.require_three_d_secure = true;
    settings.api_request_keys = true;
    let braintree = connector_of(&settings);
    let result = perform(&braintree, OperationName::Authorize, &authorize(true)).await.unwrap();
    assert_eq!(outcome(&result), "declined");
    assert_eq!(
        (&result["decline"]["code"], &result["decline"]["advice"]),
        (&json!("three_d_secure"), &json!("retry"))
    );
    let body = body_of(&upstream.arrived()[0]);
    assert_eq!(body["options"]["three_d_secure"], json!({"required": true}));
    assert_eq!(body["api_request_key"], ATTEMPT);
}

#[actix_web::test]
async fn a_currency_without_a_merchant_account_is_never_sent() {
    let upstream = scripted(&[]);
    let braintree = connector(&upstream);
    let mut euro = authorize(true);
    euro["amount"]["currency"] = json!("EUR");
    let mut nothing = authorize(true);
    nothing["amount"]["minor_units"] = json!(0);
    let mut negative = authorize(true);
    negative["amount"]["minor_units"] = json!(-1);
    for request in [euro, nothing, negative] {
        let failure = perform(&braintree, OperationName::Authorize, &request).await.unwrap_err();
        assert_eq!(failure.kind, wire::ErrorKind::InvalidRequest, "{request}");
        assert!(failure.message.contains("amount"), "{}", failure.message);
    }
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn a_decline_has_braintree_s_code_words_and_transaction() {
    for (answer, code, message, advice) in [
        (recorded!("sale_declined"), "2001", "Insufficient Funds", "retry"),
        (recorded!("sale_failed"), "3000", "Processor Network Unavailable - Try Again", "retry"),
        (recorded!("sale_rejected_cvv"), "cvv", "Gateway Rejected: cvv", "retry"),
    ] {
        let (result, arrived) =
            run(&[("POST", "/transactions", 422, answer)], OperationName::Authorize, &authorize(true)).await;
        assert_eq!(outcome(&result), "declined", "{code}");
        assert_eq!(result["decline"], json!({"code": code, "message": message, "advice": advice}));
        assert_eq!(result["result"]["attempt"], ATTEMPT);
        assert_eq!(result["result"]["captured"], 0);
        assert_eq!(arrived.len(), 1, "a decline is not tried again");
    }
}

#[actix_web::test]
async fn a_request_that_is_wrong_is_rejected_with_every_field_and_code() {
    let (result, _) = run(
        &[("POST", "/transactions", 422, recorded!("sale_invalid"))],
        OperationName::Authorize,
        &authorize(true),
    )
    .await;
    assert_eq!((outcome(&result), &result["rejection"]["status"]), ("rejected", &json!(422)));
    assert_eq!(
        codes(&result),
        [(Some("amount"), "81503"), (None, "91508"), (Some("number"), "81715"), (None, "unknown")]
    );
}

#[actix_web::test]
async fn an_error_is_read_whatever_its_status_is() {
    for status in [200, 201, 422] {
        let (result, _) = run(
            &[("POST", "/transactions", status, recorded!("sale_declined"))],
            OperationName::Authorize,
            &authorize(true),
        )
        .await;
        assert_eq!(outcome(&result), "declined", "{status}");
    }
}

#[actix_web::test]
async fn a_duplicate_is_what_came_of_the_first_request() {
    let mut request = authorize(true);
    request["attempt"] = json!(THIRD);
    let script = [
        ("POST", "/transactions", 422, recorded!("sale_duplicate")),
        ("POST", "/advanced_search_ids", 200, recorded!("search_ids")),
        ("POST", "/advanced_search", 200, recorded!("search_page")),
    ];
    let (result, arrived) = run(&script, OperationName::Authorize, &request).await;
    assert_eq!((outcome(&result), &result["result"]["captured"]), ("succeeded", &json!(1000)));
    assert_eq!(result["result"]["reference"], id_of(recorded!("sale_submitted_c")));
    let expected =
        ["POST transactions", "POST transactions/advanced_search_ids", "POST transactions/advanced_search"];
    assert_eq!(asked(&arrived), expected);
    assert_eq!(body_of(&arrived[1]), json!({"order_id": {"is": THIRD}}));
}

#[actix_web::test]
async fn a_duplicate_whose_first_request_is_not_found_yet_is_unknown() {
    let mut request = authorize(true);
    request["attempt"] = json!(THIRD);
    let missing = [
        ("POST", "/transactions", 422, recorded!("sale_duplicate")),
        ("POST", "/advanced_search_ids", 200, recorded!("search_ids_none")),
    ];
    let broken = [("POST", "/transactions", 422, recorded!("sale_duplicate"))];
    for script in [missing.as_slice(), broken.as_slice()] {
        let (result, _) = run(script, OperationName::Authorize, &request).await;
        assert_eq!(outcome(&result), "unknown", "{result}");
    }
}

#[actix_web::test]
async fn a_consumed_nonce_is_rejected_unless_the_attempt_has_consumed_it() {
    let script = [
        ("POST", "/transactions", 422, recorded!("nonce_consumed")),
        ("POST", "/advanced_search_ids", 200, recorded!("search_ids_none")),
    ];
    let mut first = authorize(true);
    first["attempt"] = json!(fresh());
    let (result, _) = run(&script, OperationName::Authorize, &first).await;
    assert_eq!(
        (outcome(&result), codes(&result)),
        ("rejected", vec![(Some("payment_method_nonce"), "91564")])
    );
    // An attempt that is not new may have been asked for before, and the search be behind.
    let upstream = scripted(&script);
    let late = late_connector(&upstream);
    let result = perform(&late, OperationName::Authorize, &authorize(true)).await.unwrap();
    assert_eq!(outcome(&result), "unknown");
    let found = [
        ("POST", "/transactions", 422, recorded!("nonce_consumed")),
        ("POST", "/advanced_search_ids", 200, recorded!("search_ids")),
        ("POST", "/advanced_search", 200, recorded!("search_page")),
    ];
    first["attempt"] = json!(THIRD);
    let (result, _) = run(&found, OperationName::Authorize, &first).await;
    assert_eq!(outcome(&result), "succeeded");
}

#[actix_web::test]
async fn an_attempt_that_is_not_new_is_looked_up_before_anything_is_sent() {
    let mut request = authorize(true);
    request["attempt"] = json!(THIRD);
    let upstream = scripted(&[
        ("POST", "/advanced_search_ids", 200, recorded!("search_ids")),
        ("POST", "/advanced_search", 200, recorded!("search_page")),
    ]);
    let result = perform(&late_connector(&upstream), OperationName::Authorize, &request).await.unwrap();
    assert_eq!((outcome(&result), &result["result"]["captured"]), ("succeeded", &json!(1000)));
    assert_eq!(
        asked(&upstream.arrived()),
        ["POST transactions/advanced_search_ids", "POST transactions/advanced_search"]
    );
    // Without an answer nothing is sent either.
    let upstream = scripted(&[]);
    let failure = perform(&late_connector(&upstream), OperationName::Authorize, &request).await.unwrap_err();
    assert!(failure.kind.outcome_is_unknown());
    assert_eq!(asked(&upstream.arrived()), ["POST transactions/advanced_search_ids"]);
    // Where nothing is found it is sent.
    let upstream = scripted(&[
        ("POST", "/advanced_search_ids", 200, recorded!("search_ids_none")),
        ("POST", "/transactions", 201, recorded!("sale_authorized")),
    ]);
    let result =
        perform(&late_connector(&upstream), OperationName::Authorize, &authorize(false)).await.unwrap();
    assert_eq!((outcome(&result), upstream.arrived().len()), ("succeeded", 2));
}

#[actix_web::test]
async fn a_request_that_is_under_way_is_unknown() {
    let answer: &'static str =
        Box::leak(recorded!("nonce_consumed").replace("91564", "915233").into_boxed_str());
    let (result, arrived) =
        run(&[("POST", "/transactions", 422, answer)], OperationName::Authorize, &authorize(true)).await;
    assert_eq!((outcome(&result), arrived.len()), ("unknown", 1));
}
