//! Answers that are none.

use std::time::Duration;

use super::*;

/// Every operation that changes something, with a request of its own.
fn changes() -> Vec<(OperationName, Value)> {
    let amount = json!({"minor_units": 1000, "currency": "USD"});
    vec![
        (OperationName::CreateCustomer, json!({"attempt": ATTEMPT})),
        (OperationName::StorePaymentMethod, json!({"attempt": ATTEMPT, "customer": "c", "nonce": "n"})),
        (OperationName::DeletePaymentMethod, json!({"attempt": ATTEMPT, "payment_method": "m"})),
        (OperationName::Authorize, authorize(true)),
        (OperationName::Capture, json!({"attempt": ATTEMPT, "payment": "p", "amount": amount, "last": true})),
        (OperationName::Void, json!({"attempt": ATTEMPT, "payment": "p"})),
        (OperationName::Subscribe, json!({"attempt": ATTEMPT, "payment_method": "m", "plan": "l"})),
        (
            OperationName::ChangeSubscriptionPaymentMethod,
            json!({"attempt": ATTEMPT, "subscription": "s", "payment_method": "m"}),
        ),
        (OperationName::CancelSubscription, json!({"attempt": ATTEMPT, "subscription": "s"})),
    ]
}

/// Every operation that begins with a question.
fn reads() -> Vec<(OperationName, Value)> {
    let amount = json!({"minor_units": 1000, "currency": "USD"});
    vec![
        (OperationName::ClientToken, json!({"attempt": ATTEMPT})),
        (OperationName::Health, json!({"attempt": ATTEMPT})),
        (OperationName::Lookup, json!({"attempt": ATTEMPT, "by": {"payment": {"reference": "p"}}})),
        (OperationName::Lookup, json!({"attempt": ATTEMPT, "by": {"payment_attempt": {"of": SECOND}}})),
        (OperationName::Refund, json!({"attempt": ATTEMPT, "payment": "p", "amount": amount})),
        (
            OperationName::Capture,
            json!({"attempt": ATTEMPT, "payment": "p", "amount": amount, "last": false}),
        ),
    ]
}

/// Bytes that are no answer of Braintree's.
fn unintelligible() -> Vec<(&'static str, Vec<u8>)> {
    let whole = xml(201, recorded!("sale_authorized"));
    vec![
        ("an error of the server", xml(500, "<html/>")),
        ("nobody behind the gateway", typed(502, "text/html", "<html>Bad Gateway</html>")),
        ("no service", xml(503, "")),
        ("a page", typed(200, "text/html", "<html><body>Welcome</body></html>")),
        ("a page that says it is XML", xml(200, "<html><body>Welcome</body></html>")),
        ("JSON", typed(200, "application/json", "{\"transaction\": {}}")),
        ("XML that says it is something else", typed(201, "text/plain", recorded!("sale_authorized"))),
        ("an empty element", xml(201, "<transaction/>")),
        ("half a document", xml(201, &recorded!("sale_authorized")[..400])),
        ("half an answer", whole[..whole.len() / 2].to_vec()),
        ("nothing", Vec::new()),
        ("another protocol", b"220 mail.test ESMTP\r\n".to_vec()),
        ("a time-out of Braintree's", xml(408, "")),
        (
            "a redirect",
            b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec(),
        ),
        ("an entity", xml(201, "<!DOCTYPE a [<!ENTITY e \"x\">]><transaction><id>&e;</id></transaction>")),
        ("an answer without end", xml(201, &"x".repeat(70_000))),
        ("a 422 that is no error", xml(422, "<html/>")),
    ]
}

#[actix_web::test]
async fn a_change_whose_answer_is_none_is_unknown_and_not_tried_again() {
    for (what, bytes) in unintelligible() {
        for (operation, request) in changes() {
            let sent = bytes.clone();
            let upstream = Upstream::start(move |_| Some(sent.clone()));
            let result = perform(&connector(&upstream), operation, &request).await.unwrap();
            let is_success = outcome(&result) == "succeeded";
            // A deletion says nothing, so that whatever is well-formed and no error is as good.
            let says_nothing = operation == OperationName::DeletePaymentMethod;
            if says_nothing && matches!(what, "a page that says it is XML" | "an empty element") {
                assert!(is_success, "{operation}: {what}");
                continue;
            }
            assert_eq!(outcome(&result), "unknown", "{operation}: {what}");
            assert_eq!(upstream.arrived().len(), 1, "{operation}: {what}");
        }
    }
}

#[actix_web::test]
async fn a_question_whose_answer_is_none_is_an_error() {
    for (what, bytes) in unintelligible() {
        for (operation, request) in reads() {
            let sent = bytes.clone();
            let upstream = Upstream::start(move |_| Some(sent.clone()));
            let failure = perform(&connector(&upstream), operation, &request).await.unwrap_err();
            assert!(failure.kind.outcome_is_unknown(), "{operation}: {what}: {failure:?}");
            assert_eq!(upstream.arrived().len(), 1, "{operation}: {what}");
        }
    }
}

#[actix_web::test]
async fn braintree_s_refusal_of_a_request_as_a_whole_is_no_unknown_outcome() {
    for status in [400, 401, 403, 404, 426, 429] {
        for (operation, request) in changes() {
            if operation == OperationName::DeletePaymentMethod && status == 404 {
                continue;
            }
            let upstream = Upstream::start(move |_| {
                let head = format!("HTTP/1.1 {status} X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
                Some(head.into_bytes())
            });
            let result = perform(&connector(&upstream), operation, &request).await.unwrap();
            assert_eq!(outcome(&result), "rejected", "{operation} {status}");
            assert_eq!(result["rejection"]["status"], status);
            assert_eq!(result["rejection"]["retry_after"], "7");
        }
    }
}

#[actix_web::test]
async fn no_answer_in_time_is_unknown() {
    let upstream = Upstream::start(|_| None);
    let mut settings = settings(&upstream);
    settings.client.total_timeout = Duration::from_millis(100);
    let braintree = connector_of(&settings);
    let result = perform(&braintree, OperationName::Authorize, &authorize(true)).await.unwrap();
    assert_eq!(outcome(&result), "unknown");
    upstream.wait_until_closed();
    let question = json!({"attempt": ATTEMPT, "by": {"payment": {"reference": "p"}}});
    let failure = perform(&braintree, OperationName::Lookup, &question).await.unwrap_err();
    assert_eq!(failure.kind, wire::ErrorKind::Timeout);
}

#[actix_web::test]
async fn where_nobody_listens_nothing_was_sent() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let upstream = scripted(&[]);
    let mut settings = settings(&upstream);
    settings.url = chassis::base_url::BaseUrl::parse(&format!("http://{address}")).unwrap();
    let braintree = connector_of(&settings);
    for (operation, request) in changes().into_iter().chain(reads()) {
        let failure = perform(&braintree, operation, &request).await.unwrap_err();
        assert_eq!(failure.kind, wire::ErrorKind::Connect, "{operation}");
    }
}

#[actix_web::test]
async fn another_amount_or_currency_is_an_integrity_error() {
    let sale = recorded!("sale_authorized");
    for (from, to) in [(">10.00<", ">10.01<"), (">10.00<", ">1.00<"), (">USD<", ">EUR<")] {
        let answer = sale.replace(from, to);
        let upstream = Upstream::start(move |_| Some(xml(201, &answer)));
        let failure =
            perform(&connector(&upstream), OperationName::Authorize, &authorize(false)).await.unwrap_err();
        assert_eq!(failure.kind, wire::ErrorKind::Integrity, "{from} {to}");
    }
    let payment = id_of(recorded!("submitted_for_less"));
    let upstream = scripted(&[("PUT", "/submit_for_settlement", 200, recorded!("submitted_for_less"))]);
    let request = json!({"attempt": SECOND, "payment": payment, "last": true,
                         "amount": {"minor_units": 1000, "currency": "USD"}});
    let failure = perform(&connector(&upstream), OperationName::Capture, &request).await.unwrap_err();
    assert_eq!(failure.kind, wire::ErrorKind::Integrity);
}

#[actix_web::test]
async fn an_answer_about_something_else_is_unknown() {
    let other = fresh();
    for (from, to) in
        [(ATTEMPT, other.as_str()), ("<type>sale<", "<type>credit<"), ("authorized<", "unheard_of<")]
    {
        let answer = recorded!("sale_authorized").replace(from, to);
        let upstream = Upstream::start(move |_| Some(xml(201, &answer)));
        let result =
            perform(&connector(&upstream), OperationName::Authorize, &authorize(false)).await.unwrap();
        assert_eq!(outcome(&result), "unknown", "{from}");
    }
    let upstream = scripted(&[("PUT", "/void", 200, recorded!("voided"))]);
    let request = json!({"attempt": SECOND, "payment": "another"});
    let result = perform(&connector(&upstream), OperationName::Void, &request).await.unwrap();
    assert_eq!(outcome(&result), "unknown");
}

#[actix_web::test]
async fn a_provider_that_echoes_the_request_reveals_no_key() {
    let pair = data_encoding::BASE64.encode(format!("{PUBLIC}:{PRIVATE}").as_bytes());
    for status in [201, 422] {
        let secrets = format!("{PRIVATE} {pair}");
        let echo = recorded!("sale_invalid").replace("Amount is an invalid format.", &secrets);
        let upstream = Upstream::start(move |_| Some(xml(status, &echo)));
        let result =
            perform(&connector(&upstream), OperationName::Authorize, &authorize(true)).await.unwrap();
        let shown = result.to_string();
        assert_eq!(outcome(&result), "rejected");
        for secret in [PRIVATE, &pair] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("[withheld]"), "{shown}");
    }
    let shown = format!("{:?}", settings(&scripted(&[])));
    assert!(!shown.contains(PRIVATE), "{shown}");
}
