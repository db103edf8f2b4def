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

pub(super) fn check_headers(arrived: &Arrived, attempt: &str) {
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
