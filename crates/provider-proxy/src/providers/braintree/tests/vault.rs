//! Client tokens, customers, payment methods and subscriptions.

use super::*;

#[actix_web::test]
async fn a_client_token_is_given_for_a_customer_or_nobody() {
    let script = [("POST", "/client_token", 201, recorded!("client_token"))];
    let (result, arrived) =
        run(&script, OperationName::ClientToken, &json!({"attempt": ATTEMPT, "customer": "buyer-1"})).await;
    let expected = super::super::xml::Element::parse(recorded!("client_token").as_bytes()).unwrap();
    assert_eq!(result["result"]["token"], expected.text("value").unwrap());
    assert_eq!(body_of(&arrived[0]), json!({"version": "2", "customer_id": "buyer-1"}));
    let unknown = [("POST", "/client_token", 422, recorded!("customer_unknown"))];
    let (result, _) = run(&unknown, OperationName::ClientToken, &json!({"attempt": ATTEMPT})).await;
    assert_eq!((outcome(&result), codes(&result)), ("rejected", vec![(Some("customer_id"), "92804")]));
}

#[actix_web::test]
async fn a_customer_has_the_attempt_as_its_id_so_that_it_is_made_once() {
    let request = json!({"attempt": ATTEMPT, "reference": "buyer-1", "email": "zoe@example.test"});
    let first = [("POST", "/customers", 201, recorded!("customer"))];
    let (result, arrived) = run(&first, OperationName::CreateCustomer, &request).await;
    assert_eq!((outcome(&result), &result["result"]["reference"]), ("succeeded", &json!(ATTEMPT)));
    assert!(result["result"]["created"].is_string() && result["result"]["modified"].is_string());
    assert_eq!(
        body_of(&arrived[0]),
        json!({"id": ATTEMPT, "company": "buyer-1", "email": "zoe@example.test"})
    );
    let path = "/customers/019a0000-0000-7000-8000-000000000001";
    let again =
        [("POST", "/customers", 422, recorded!("customer_taken")), ("GET", path, 200, recorded!("customer"))];
    let (result, _) = run(&again, OperationName::CreateCustomer, &request).await;
    assert_eq!((outcome(&result), &result["result"]["reference"]), ("succeeded", &json!(ATTEMPT)));
}

fn store() -> Value {
    json!({"attempt": ATTEMPT, "customer": "buyer-1", "nonce": "fake-valid-visa-nonce"})
}

#[actix_web::test]
async fn a_card_is_verified_and_stored_under_the_attempt() {
    let script = [("POST", "/payment_methods", 201, recorded!("card"))];
    let (result, arrived) = run(&script, OperationName::StorePaymentMethod, &store()).await;
    assert_eq!(outcome(&result), "succeeded");
    let method = &result["result"];
    for (field, expected) in [
        ("token", json!(ATTEMPT)),
        ("kind", json!("card")),
        ("brand", json!("Visa")),
        ("last4", json!("1881")),
        ("expiry_month", json!(12)),
        ("expiry_year", json!(2031)),
    ] {
        assert_eq!(method[field], expected, "{field}");
    }
    assert_eq!(body_of(&arrived[0]), json!({"customer_id": "buyer-1", "options": {"verify_card": true}}));
    let text = String::from_utf8_lossy(&arrived[0].body).into_owned();
    assert!(text.contains(&format!("<token>{ATTEMPT}</token>")), "{text}");
}

#[actix_web::test]
async fn a_card_that_is_not_verified_is_declined() {
    let script = [("POST", "/payment_methods", 422, recorded!("card_not_verified"))];
    let (result, _) = run(&script, OperationName::StorePaymentMethod, &store()).await;
    assert_eq!(outcome(&result), "declined");
    assert_eq!(result["decline"], json!({"code": "2000", "message": "Do Not Honor", "advice": "retry"}));
    let cvv: &'static str = Box::leak(
        recorded!("card_not_verified")
            .replace(
                "<gateway-rejection-reason nil=\"true\"/>",
                "<gateway-rejection-reason>cvv</gateway-rejection-reason>",
            )
            .into_boxed_str(),
    );
    let script = [("POST", "/payment_methods", 422, cvv)];
    let (result, _) = run(&script, OperationName::StorePaymentMethod, &store()).await;
    assert_eq!((outcome(&result), &result["decline"]["code"]), ("declined", &json!("cvv")));
}

#[actix_web::test]
async fn a_payment_method_is_stored_once_however_often_it_is_asked_for() {
    let path = "/payment_methods/any/019a0000-0000-7000-8000-000000000001";
    for (refusal, code) in [(recorded!("token_taken"), "91719"), (recorded!("nonce_consumed"), "91564")] {
        let refusal: &'static str = Box::leak(refusal.replace("91564", "93107").into_boxed_str());
        let made = [("POST", "/payment_methods", 422, refusal), ("GET", path, 200, recorded!("card"))];
        let (result, _) = run(&made, OperationName::StorePaymentMethod, &store()).await;
        assert_eq!((outcome(&result), &result["result"]["token"]), ("succeeded", &json!(ATTEMPT)), "{code}");
        let nothing = [("POST", "/payment_methods", 422, refusal), ("GET", path, 404, "")];
        let (result, _) = run(&nothing, OperationName::StorePaymentMethod, &store()).await;
        assert_eq!(outcome(&result), "rejected", "{code}");
    }
}

#[actix_web::test]
async fn a_paypal_account_is_one() {
    let mut request = store();
    request["attempt"] = json!(SECOND);
    let script = [("POST", "/payment_methods", 201, recorded!("paypal_account"))];
    let (result, _) = run(&script, OperationName::StorePaymentMethod, &request).await;
    assert_eq!((outcome(&result), &result["result"]["kind"]), ("succeeded", &json!("paypal")));
}

#[actix_web::test]
async fn a_payment_method_that_is_gone_is_as_good_as_deleted() {
    let request = json!({"attempt": ATTEMPT, "payment_method": SECOND});
    for (status, was_gone) in [(200, false), (204, false), (404, true)] {
        let script = [("DELETE", "/payment_methods/any/019a0000-0000-7000-8000-000000000002", status, "")];
        let (result, arrived) = run(&script, OperationName::DeletePaymentMethod, &request).await;
        assert_eq!(result, json!({"outcome": "succeeded", "result": {"was_gone": was_gone}}));
        assert_eq!(arrived.len(), 1);
    }
    let odd = [("DELETE", SECOND, 200, recorded!("sale_invalid"))];
    let (result, _) = run(&odd, OperationName::DeletePaymentMethod, &request).await;
    assert_eq!(outcome(&result), "rejected");
}

#[actix_web::test]
async fn no_id_leads_elsewhere() {
    let upstream = scripted(&[]);
    let braintree = connector(&upstream);
    for id in ["", "..", "a/b", "../customers/x", "a?b", "a#b", "a%2fb", "a b", "ü", &"x".repeat(65)] {
        for (operation, request) in [
            (OperationName::DeletePaymentMethod, json!({"attempt": ATTEMPT, "payment_method": id})),
            (OperationName::Void, json!({"attempt": ATTEMPT, "payment": id})),
            (OperationName::CancelSubscription, json!({"attempt": ATTEMPT, "subscription": id})),
            (OperationName::Lookup, json!({"attempt": ATTEMPT, "by": {"payment": {"reference": id}}})),
        ] {
            let failure = perform(&braintree, operation, &request).await.unwrap_err();
            assert_eq!(failure.kind, wire::ErrorKind::InvalidRequest, "{operation} {id}");
        }
    }
    assert!(upstream.arrived().is_empty());
}

fn subscribe(minor_units: i64) -> Value {
    json!({"attempt": ATTEMPT, "payment_method": SECOND, "plan": "monthly",
           "amount": {"minor_units": minor_units, "currency": "USD"}})
}

#[actix_web::test]
async fn a_subscription_has_the_attempt_as_its_id_so_that_it_is_made_once() {
    let first = [("POST", "/subscriptions", 201, recorded!("subscription"))];
    let (result, arrived) = run(&first, OperationName::Subscribe, &subscribe(700)).await;
    assert_eq!(outcome(&result), "succeeded");
    let made = &result["result"];
    assert_eq!((&made["reference"], &made["status"]), (&json!(ATTEMPT), &json!("active")));
    assert_eq!(made["amount"], json!({"minor_units": 700, "currency": "USD"}));
    assert_eq!(made["first_payment"]["captured"], 700);
    assert!(made["next_billing"].is_string() && made["period_start"].is_string());
    assert_eq!(
        body_of(&arrived[0]),
        json!({"id": ATTEMPT, "plan_id": "monthly", "price": "7.00", "merchant_account_id": "sandbox_usd"})
    );
    let again = [
        ("POST", "/subscriptions", 422, recorded!("subscription_taken")),
        ("GET", ATTEMPT, 200, recorded!("subscription")),
    ];
    let (result, _) = run(&again, OperationName::Subscribe, &subscribe(700)).await;
    assert_eq!((outcome(&result), &result["result"]["reference"]), ("succeeded", &json!(ATTEMPT)));
}

#[actix_web::test]
async fn a_subscription_whose_first_charge_is_declined_is_declined() {
    let script = [("POST", "/subscriptions", 422, recorded!("subscription_declined"))];
    let (result, _) = run(&script, OperationName::Subscribe, &subscribe(200_100)).await;
    assert_eq!((outcome(&result), &result["decline"]["code"]), ("declined", &json!("2001")));
}

#[actix_web::test]
async fn a_subscription_is_changed_and_cancelled_once() {
    let changed = [("PUT", ATTEMPT, 200, recorded!("subscription_changed"))];
    let request = json!({"attempt": SECOND, "subscription": ATTEMPT, "payment_method": SECOND});
    let (result, arrived) = run(&changed, OperationName::ChangeSubscriptionPaymentMethod, &request).await;
    assert_eq!((outcome(&result), &result["result"]["status"]), ("succeeded", &json!("active")));
    let text = String::from_utf8_lossy(&arrived[0].body).into_owned();
    assert!(text.contains(&format!("<payment_method_token>{SECOND}<")), "{text}");
    let request = json!({"attempt": SECOND, "subscription": ATTEMPT});
    let cancelled = [("PUT", "/cancel", 200, recorded!("subscription_canceled"))];
    let (result, _) = run(&cancelled, OperationName::CancelSubscription, &request).await;
    assert_eq!((outcome(&result), &result["result"]["status"]), ("succeeded", &json!("cancelled")));
    let again = [
        ("PUT", "/cancel", 422, recorded!("subscription_canceled_before")),
        ("GET", ATTEMPT, 200, recorded!("subscription_canceled")),
    ];
    let (result, _) = run(&again, OperationName::CancelSubscription, &request).await;
    assert_eq!((outcome(&result), &result["result"]["status"]), ("succeeded", &json!("cancelled")));
}
