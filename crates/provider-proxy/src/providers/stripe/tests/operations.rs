//! What is sent for each operation, and what its answer becomes.

use serde_json::{Value, json};
use wire::{ErrorKind, payment::OperationName as Name};

use super::*;

/// One operation: what is asked, what must arrive, what Stripe says, and what is made of it.
struct Case {
    operation: Name,
    request: Value,
    line: String,
    form: &'static [(&'static str, &'static str)],
    answer: &'static str,
    becomes: Value,
}

fn id_of(answer: &str) -> String {
    json(answer)["id"].as_str().unwrap().to_owned()
}

pub(super) fn authorize() -> Value {
    json!({
        "attempt": attempt(1), "amount": {"minor_units": 1000, "currency": "EUR"},
        "source": {"nonce": {"nonce": "pm_card_visa"}}, "capture": true
    })
}

pub(super) fn capture(payment: &str) -> Value {
    json!({
        "attempt": attempt(2), "payment": payment, "amount": {"minor_units": 300, "currency": "EUR"}, "last": false
    })
}

pub(super) fn refund() -> Value {
    json!({"attempt": attempt(3), "payment": "pi_1", "amount": {"minor_units": 300, "currency": "EUR"}})
}

pub(super) fn subscribe() -> Value {
    json!({
        "attempt": attempt(4), "customer": "cus_1", "payment_method": "pm_1", "plan": "price_1"
    })
}

fn authorizations() -> Vec<Case> {
    let mut held = authorize();
    held["capture"] = json!(false);
    held["source"] = json!({"payment_method": {"token": "pm_1", "customer": "cus_1"}});
    held["description"] = json!("A brick & more");
    held["return_url"] = json!("https://shop.example.test/back");
    held["metadata"] = json!({"order": "6735", "attempt": "not ours to give"});
    vec![
        Case {
            operation: Name::Authorize,
            request: authorize(),
            line: "POST /v1/payment_intents".into(),
            form: &[
                ("amount", "1000"),
                ("currency", "eur"),
                ("confirm", "true"),
                ("capture_method", "automatic"),
                ("automatic_payment_methods[enabled]", "true"),
                ("automatic_payment_methods[allow_redirects]", "never"),
                ("expand[]", "latest_charge"),
                ("expand[]", "payment_method"),
                ("payment_method", "pm_card_visa"),
                ("metadata[attempt]", "01932c07-7e7c-7000-8000-000000000001"),
            ],
            answer: fixture!("payment_intent_succeeded"),
            becomes: json!({"outcome": "succeeded", "result": {
                "attempt": attempt(1), "status": "succeeded", "captured": 1000, "refunded": 0, "voided": false,
                "amount": {"minor_units": 1000, "currency": "EUR"},
                "payment_method": {"kind": "card", "brand": "visa", "last4": "4242", "expiry_month": 12}
            }}),
        },
        Case {
            operation: Name::Authorize,
            request: held,
            line: "POST /v1/payment_intents".into(),
            form: &[
                ("amount", "1000"),
                ("currency", "eur"),
                ("confirm", "true"),
                ("capture_method", "manual"),
                ("automatic_payment_methods[enabled]", "true"),
                ("automatic_payment_methods[allow_redirects]", "always"),
                ("description", "A brick & more"),
                ("return_url", "https://shop.example.test/back"),
                ("expand[]", "latest_charge"),
                ("expand[]", "payment_method"),
                ("payment_method_options[card][request_multicapture]", "if_available"),
                ("payment_method", "pm_1"),
                ("customer", "cus_1"),
                ("metadata[order]", "6735"),
                ("metadata[attempt]", "01932c07-7e7c-7000-8000-000000000001"),
            ],
            answer: fixture!("payment_intent_requires_capture"),
            becomes: json!({"outcome": "succeeded", "result": {"status": "requires_capture", "captured": 0}}),
        },
    ]
}

fn money_cases() -> Vec<Case> {
    let held = fixture!("payment_intent_captured_in_part");
    let canceled = fixture!("payment_intent_canceled");
    vec![
        Case {
            operation: Name::Capture,
            request: capture(&id_of(held)),
            line: format!("POST /v1/payment_intents/{}/capture", id_of(held)),
            form: &[
                ("amount_to_capture", "300"),
                ("final_capture", "false"),
                ("metadata[capture_01932c077e7c70008000000000000002]", "300"),
            ],
            answer: held,
            becomes: json!({"outcome": "succeeded", "result": {
                "reference": id_of(held), "status": "requires_capture",
                "amount": {"minor_units": 300, "currency": "EUR"}
            }}),
        },
        Case {
            operation: Name::Void,
            request: json!({"attempt": attempt(2), "payment": id_of(canceled)}),
            line: format!("POST /v1/payment_intents/{}/cancel", id_of(canceled)),
            form: &[],
            answer: canceled,
            becomes: json!({"outcome": "succeeded", "result": {"status": "canceled", "voided": true, "captured": 0}}),
        },
        Case {
            operation: Name::Refund,
            request: refund(),
            line: "POST /v1/refunds".into(),
            form: &[
                ("payment_intent", "pi_1"),
                ("amount", "300"),
                ("metadata[attempt]", "01932c07-7e7c-7000-8000-000000000003"),
            ],
            answer: fixture!("refund_succeeded"),
            becomes: json!({"outcome": "succeeded", "result": {
                "reference": id_of(fixture!("refund_succeeded")), "attempt": attempt(3),
                "amount": {"minor_units": 300, "currency": "EUR"}
            }}),
        },
    ]
}

fn customer_cases() -> Vec<Case> {
    let method = json(fixture!("payment_method"));
    let (kept, owner) = (method["id"].as_str().unwrap(), method["customer"].as_str().unwrap());
    let detached = id_of(fixture!("payment_method_detached"));
    vec![
        Case {
            operation: Name::ClientToken,
            request: json!({"attempt": attempt(1), "customer": "cus_1"}),
            line: "POST /v1/setup_intents".into(),
            form: &[
                ("usage", "off_session"),
                ("automatic_payment_methods[enabled]", "true"),
                ("automatic_payment_methods[allow_redirects]", "never"),
                ("customer", "cus_1"),
                ("metadata[attempt]", "01932c07-7e7c-7000-8000-000000000001"),
            ],
            answer: fixture!("setup_intent"),
            becomes: json!({"outcome": "succeeded", "result": {
                "token": json(fixture!("setup_intent"))["client_secret"]
            }}),
        },
        Case {
            operation: Name::CreateCustomer,
            request: json!({"attempt": attempt(1), "reference": "buyer:1", "email": "jill@example.test"}),
            line: "POST /v1/customers".into(),
            form: &[
                ("email", "jill@example.test"),
                ("metadata[reference]", "buyer:1"),
                ("metadata[attempt]", "01932c07-7e7c-7000-8000-000000000001"),
            ],
            answer: fixture!("customer"),
            becomes: json!({"outcome": "succeeded", "result": {"reference": id_of(fixture!("customer"))}}),
        },
        Case {
            operation: Name::StorePaymentMethod,
            request: json!({"attempt": attempt(1), "customer": owner, "nonce": "pm_card_visa"}),
            line: "POST /v1/payment_methods/pm_card_visa/attach".into(),
            form: &[],
            answer: fixture!("payment_method"),
            becomes: json!({"outcome": "succeeded", "result": {"token": kept, "kind": "card", "last4": "4242"}}),
        },
        Case {
            operation: Name::DeletePaymentMethod,
            request: json!({"attempt": attempt(1), "payment_method": detached}),
            line: format!("POST /v1/payment_methods/{detached}/detach"),
            form: &[],
            answer: fixture!("payment_method_detached"),
            becomes: json!({"outcome": "succeeded", "result": {"was_gone": false}}),
        },
    ]
}

fn subscription_cases() -> Vec<Case> {
    let (changed, ended) = (fixture!("subscription_updated"), fixture!("subscription_canceled"));
    vec![
        Case {
            operation: Name::ChangeSubscriptionPaymentMethod,
            request: json!({"attempt": attempt(1), "subscription": id_of(changed), "payment_method": "pm_2"}),
            line: format!("POST /v1/subscriptions/{}", id_of(changed)),
            form: &[("default_payment_method", "pm_2")],
            answer: changed,
            becomes: json!({"outcome": "succeeded", "result": {"status": "active", "provider_status": "active"}}),
        },
        Case {
            operation: Name::CancelSubscription,
            request: json!({"attempt": attempt(1), "subscription": id_of(ended)}),
            line: format!("DELETE /v1/subscriptions/{}", id_of(ended)),
            form: &[],
            answer: ended,
            becomes: json!({"outcome": "succeeded", "result": {
                "status": "cancelled", "provider_status": "canceled", "next_billing": null
            }}),
        },
        Case {
            operation: Name::Health,
            request: json!({"attempt": attempt(1)}),
            line: "GET /v1/balance".into(),
            form: &[],
            answer: fixture!("balance"),
            becomes: json!({}),
        },
    ]
}

#[actix_web::test]
async fn every_operation_is_sent_as_stripe_reads_it_and_its_answer_is_told_in_our_words() {
    let cases = authorizations().into_iter().chain(money_cases()).chain(customer_cases());
    for case in cases.chain(subscription_cases()) {
        let upstream = Upstream::answering(200, case.answer);
        let told = perform(&connector(&upstream), case.operation, &case.request).await.unwrap();
        assert_has(&told, &case.becomes, case.operation.name());
        let [arrived] = upstream.arrived().try_into().unwrap();
        assert_eq!(format!("{} {}", arrived.method, arrived.target), case.line);
        check_headers(&arrived, case.request["attempt"].as_str().unwrap());
        let sent = form(std::str::from_utf8(&arrived.body).unwrap());
        if !case.form.is_empty() {
            let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(sent, case.form, "{}", case.operation);
        }
    }
}

fn check_headers(arrived: &Arrived, attempt: &str) {
    let is_post = arrived.method == "POST";
    assert_eq!(arrived.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(arrived.header("stripe-version"), Some("2026-10-28.endive"));
    assert_eq!(arrived.header("accept"), Some("application/json"));
    assert_eq!(arrived.header("idempotency-key"), is_post.then_some(attempt));
    assert_eq!(arrived.header("content-type"), is_post.then_some("application/x-www-form-urlencoded"));
}

#[actix_web::test]
async fn each_status_of_a_payment_is_told_by_one_outcome() {
    let page = json(fixture!("payment_intent_requires_action"));
    let page = &page["next_action"]["redirect_to_url"]["url"];
    for (answer, currency, becomes) in [
        (
            fixture!("payment_intent_requires_action"),
            "EUR",
            json!({"outcome": "requires_action", "action": {"url": page, "data": {"type": "redirect_to_url"}}}),
        ),
        (
            fixture!("payment_intent_requires_action_script"),
            "EUR",
            json!({"outcome": "requires_action", "action": {"url": null, "data": {"type": "use_stripe_sdk"}}}),
        ),
        (fixture!("payment_intent_processing"), "USD", json!({"outcome": "pending"})),
    ] {
        let upstream = Upstream::answering(200, answer);
        let mut request = authorize();
        request["amount"]["currency"] = json!(currency);
        let told = perform(&connector(&upstream), Name::Authorize, &request).await.unwrap();
        assert_has(&told, &becomes, "authorize");
        assert_eq!(told["result"]["captured"], 0);
        let secret = told["action"]["data"]["client_secret"].as_str();
        assert_eq!(secret.is_some(), becomes["outcome"] == "requires_action");
    }
}

#[actix_web::test]
async fn each_status_of_a_refund_is_told_by_one_outcome() {
    for (answer, outcome) in
        [(fixture!("refund_pending"), "pending"), (fixture!("refund_failed"), "declined")]
    {
        let upstream = Upstream::answering(200, answer);
        let told = perform(&connector(&upstream), Name::Refund, &refund()).await.unwrap();
        assert_eq!(told["outcome"], outcome);
        assert_eq!(told["result"]["amount"]["minor_units"], 300);
    }
}

#[actix_web::test]
async fn a_second_capture_is_told_by_its_own_amount() {
    let mut second = json(fixture!("payment_intent_captured_in_part"));
    let held = second["id"].as_str().unwrap().to_owned();
    second["status"] = json!("succeeded");
    second["amount_received"] = json!(800);
    second["metadata"]["capture_01932c077e7c70008000000000000009"] = json!("500");
    let answer = second.to_string();
    let mut request = capture(&held);
    request["attempt"] = json!(attempt(9));
    request["amount"]["minor_units"] = json!(500);
    let told =
        perform(&connector(&Upstream::answering(200, &answer)), Name::Capture, &request).await.unwrap();
    assert_eq!(told["result"]["amount"]["minor_units"], 500);
    // Whatever else was captured besides ours is not ours.
    second["amount_received"] = json!(900);
    let upstream = Upstream::answering(200, &second.to_string());
    let failure = perform(&connector(&upstream), Name::Capture, &request).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Integrity);
}

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

#[actix_web::test]
async fn what_cannot_be_asked_is_never_sent() {
    let upstream = Upstream::answering(200, fixture!("payment_intent_succeeded"));
    let mut changed =
        [authorize(), authorize(), authorize(), refund(), subscribe(), subscribe(), capture("pi_1")];
    changed[0]["amount"]["minor_units"] = json!(0);
    changed[1]["amount"] = json!({"minor_units": 1234, "currency": "KWD"});
    changed[2]["metadata"] = json!({"a][b": "x"});
    changed[3]["capture"] = json!("ch_1");
    changed[4].as_object_mut().unwrap().remove("customer");
    changed[5]["amount"] = json!({"minor_units": -1, "currency": "EUR"});
    changed[6]["payment"] = json!("../customers");
    let [free, thousandths, brackets, other, nobody, negative, climbing] = changed;
    for (operation, request, field) in [
        (Name::Authorize, free, "amount.minor_units"),
        (Name::Authorize, thousandths, "amount.minor_units"),
        (Name::Authorize, brackets, "metadata"),
        (Name::Refund, other, "capture"),
        (Name::Subscribe, nobody, "customer"),
        (Name::Subscribe, negative, "amount.minor_units"),
        (Name::Capture, climbing, "payment"),
        (Name::Capture, capture(""), "payment"),
        (Name::Capture, capture("pi/1"), "payment"),
        (Name::Void, json!({"attempt": attempt(1), "payment": "pi_1?x=1"}), "payment"),
        (
            Name::DeletePaymentMethod,
            json!({"attempt": attempt(1), "payment_method": "a%2Fb"}),
            "payment_method",
        ),
        (Name::StorePaymentMethod, json!({"attempt": attempt(1), "customer": "c", "nonce": "\n"}), "nonce"),
        (Name::Authorize, json!({"attempt": "7"}), "attempt"),
    ] {
        let failure = perform(&connector(&upstream), operation, &request).await.unwrap_err().failure();
        assert_eq!(failure.kind, ErrorKind::InvalidRequest, "{operation} {request}");
        assert!(failure.message.contains(field), "{operation}: {}", failure.message);
    }
    for operation in [Name::StartCheckout, Name::CompleteCheckout, Name::AnswerWebhookChallenge] {
        let failure = perform(&connector(&upstream), operation, &json!({})).await.unwrap_err().failure();
        assert_eq!(failure.kind, ErrorKind::Unsupported, "{operation}");
    }
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn what_is_gone_already_is_as_good_as_gone_now() {
    static DETACHED: &[(&str, u16, &str)] = &[
        ("POST /v1/payment_methods/", 400, fixture!("error_not_attached")),
        ("GET /v1/payment_methods/", 200, fixture!("payment_method_detached")),
    ];
    static KEPT: &[(&str, u16, &str)] = &[
        ("POST /v1/payment_methods/", 400, fixture!("error_not_attached")),
        ("GET /v1/payment_methods/", 200, fixture!("payment_method")),
    ];
    let request = json!({"attempt": attempt(1), "payment_method": "pm_1"});
    let told = perform(&connector(&serving(DETACHED)), Name::DeletePaymentMethod, &request).await.unwrap();
    assert_has(&told, &json!({"outcome": "succeeded", "result": {"was_gone": true}}), "detached");
    let told = perform(&connector(&serving(KEPT)), Name::DeletePaymentMethod, &request).await.unwrap();
    assert_eq!(told["outcome"], "rejected", "there is no evidence that it is gone");

    static ENDED: &[(&str, u16, &str)] = &[
        ("DELETE /v1/subscriptions/", 404, fixture!("error_no_such_subscription")),
        ("GET /v1/subscriptions/", 200, fixture!("subscription_canceled")),
    ];
    static RUNNING: &[(&str, u16, &str)] = &[
        ("DELETE /v1/subscriptions/", 404, fixture!("error_no_such_subscription")),
        ("GET /v1/subscriptions/", 200, fixture!("subscription_active")),
    ];
    let request = json!({"attempt": attempt(1), "subscription": "sub_1"});
    let told = perform(&connector(&serving(ENDED)), Name::CancelSubscription, &request).await.unwrap();
    assert_has(&told, &json!({"outcome": "succeeded", "result": {"status": "cancelled"}}), "ended");
    let told = perform(&connector(&serving(RUNNING)), Name::CancelSubscription, &request).await.unwrap();
    assert_eq!(told["outcome"], "rejected");

    static VOIDED: &[(&str, u16, &str)] = &[
        ("POST /v1/payment_intents/", 400, fixture!("error_unexpected_state")),
        ("GET /v1/payment_intents/", 200, fixture!("payment_intent_canceled")),
    ];
    static PAID: &[(&str, u16, &str)] = &[
        ("POST /v1/payment_intents/", 400, fixture!("error_unexpected_state")),
        ("GET /v1/payment_intents/", 200, fixture!("payment_intent_succeeded")),
    ];
    let request = json!({"attempt": attempt(1), "payment": "pi_1"});
    let told = perform(&connector(&serving(VOIDED)), Name::Void, &request).await.unwrap();
    assert_has(&told, &json!({"outcome": "succeeded", "result": {"voided": true}}), "voided");
    let told = perform(&connector(&serving(PAID)), Name::Void, &request).await.unwrap();
    let code = json!({"outcome": "rejected", "rejection": {"status": 400}});
    assert_has(&told, &code, "paid");
}
