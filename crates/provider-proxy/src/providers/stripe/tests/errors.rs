//! What goes wrong, and what it says about the money.

use serde_json::{Value, json};
use wire::{
    ErrorKind,
    payment::{Advice, OperationName as Name},
};

use super::{
    operations::{authorize, capture, refund, subscribe},
    *,
};
use crate::providers::stripe::error::{ADVICE, DECLINES, ERRORS, Meaning, PAYMENT_INTENT, REFUND, Standing};

async fn told(status: u16, body: &str) -> Value {
    perform(&connector(&Upstream::answering(status, body)), Name::Authorize, &authorize()).await.unwrap()
}

fn error(kind: &str, code: &str) -> String {
    json!({"error": {"type": kind, "code": code, "message": "m"}}).to_string()
}

#[actix_web::test]
async fn a_decline_says_why_and_what_may_help_and_what_is_kept_of_it() {
    let becomes = json!({
        "outcome": "declined",
        "decline": {"code": "insufficient_funds", "message": "Your card has insufficient funds.", "advice": "retry"},
        "result": {
            "attempt": attempt(1), "status": "requires_payment_method", "captured": 0,
            "amount": {"minor_units": 1000, "currency": "EUR"}, "payment_method": {"last4": "9995"}
        }
    });
    assert_has(&told(402, fixture!("error_declined")).await, &becomes, "declined");
    let stolen = told(402, fixture!("error_declined_stolen")).await;
    assert_has(&stolen, &json!({"decline": {"code": "stolen_card", "advice": "never"}}), "stolen");
    for (code, advice, expected) in [
        ("expired_card", "", "other_method"),
        ("a_code_of_tomorrow", "", "other_method"),
        ("processing_error", "", "retry"),
        ("processing_error", "do_not_try_again", "never"),
        ("lost_card", "an_advice_of_tomorrow", "never"),
        ("generic_decline", "confirm_card_data", "other_method"),
    ] {
        let error = json!({"error": {
            "type": "card_error", "code": "card_declined", "decline_code": code, "advice_code": advice
        }});
        let told = told(402, &error.to_string()).await;
        assert_has(&told, &json!({"decline": {"code": code, "advice": expected}}), code);
    }
}

#[actix_web::test]
async fn a_rejection_names_the_parameter_and_the_code_and_when_to_come_back() {
    let becomes = json!({"outcome": "rejected", "rejection": {
        "status": 400, "errors": [{
            "field": "amount", "code": "amount_too_small", "message": "Amount must be at least 0.50 eur."
        }]
    }});
    assert_has(&told(400, fixture!("error_amount_too_small")).await, &becomes, "too small");
    let limited = error("invalid_request_error", "rate_limit");
    let bytes = response(429, "Retry-After: 7\r\n", &limited);
    let upstream = Upstream::start(move |_| Some(bytes.clone()));
    let told = perform(&connector(&upstream), Name::Authorize, &authorize()).await.unwrap();
    assert_has(&told, &json!({"rejection": {"status": 429, "retry_after": "7"}}), "limited");
}

#[actix_web::test]
async fn an_error_does_not_repeat_what_stands_for_a_means_of_payment() {
    let mut request = authorize();
    request["source"]["nonce"]["nonce"] = json!("pm_nothing");
    let upstream = Upstream::answering(400, fixture!("error_no_such_payment_method"));
    let told = perform(&connector(&upstream), Name::Authorize, &request).await.unwrap();
    assert_has(&told, &json!({"rejection": {"message": "No such PaymentMethod: '[withheld]'"}}), "hidden");
    assert!(!told.to_string().contains("pm_nothing"));
}

#[actix_web::test]
async fn our_keys_are_never_passed_on() {
    let body = json!({"error": {
        "type": "invalid_request_error", "message": format!("Invalid API Key: {KEY}, not {}", SECRETS[1])
    }});
    let told = told(401, &body.to_string()).await;
    assert_has(
        &told,
        &json!({"rejection": {"status": 401, "message": "Invalid API Key: [withheld], not [withheld]"}}),
        "401",
    );
}

#[actix_web::test]
async fn what_does_not_prove_that_nothing_happened_is_unknown() {
    let unknown = [
        (409, fixture!("error_idempotency").to_owned()),
        (409, error("idempotency_error", "idempotency_key_in_use")),
        (400, fixture!("error_idempotency").to_owned()),
        (429, error("invalid_request_error", "lock_timeout")),
        (400, error("api_error", "")),
        (500, fixture!("error_api").to_owned()),
        (503, String::new()),
        (302, String::new()),
        (304, String::new()),
        // Whatever is not what Stripe says.
        (200, "<html><body>Bad gateway</body></html>".to_owned()),
        (404, "<html><body>Not found</body></html>".to_owned()),
        (200, String::new()),
        (200, "{}".to_owned()),
        (200, "[]".to_owned()),
        (200, "null".to_owned()),
        (402, "{\"error\": \"no\"}".to_owned()),
        (200, fixture!("error_declined").to_owned()),
        (200, fixture!("refund_succeeded").to_owned()),
        (200, fixture!("payment_intent_succeeded")[..200].to_owned()),
        (200, fixture!("payment_intent_succeeded").replace("\"succeeded\"", "\"a_status_of_tomorrow\"")),
        // The answer to somebody else.
        (200, fixture!("payment_intent_succeeded").replace(&attempt(1), &attempt(5))),
    ];
    for (status, body) in unknown {
        let told = told(status, &body).await;
        assert_eq!(told["outcome"], "unknown", "{status} {body}");
        assert!(!told["reason"].as_str().unwrap().is_empty());
    }
}

#[actix_web::test]
async fn another_amount_or_currency_than_was_asked_is_an_integrity_error() {
    let good = json(fixture!("payment_intent_succeeded"));
    for (field, value) in [
        ("amount", json!(999)),
        ("amount", json!(100_000)),
        ("amount_received", json!(999)),
        ("amount_received", json!(0)),
        ("currency", json!("usd")),
        ("currency", json!("jpy")),
    ] {
        let mut answer = good.clone();
        answer[field] = value.clone();
        let upstream = Upstream::answering(200, &answer.to_string());
        let failure =
            perform(&connector(&upstream), Name::Authorize, &authorize()).await.unwrap_err().failure();
        assert_eq!(failure.kind, ErrorKind::Integrity, "{field} {value}");
    }
    let mut other = json(fixture!("refund_succeeded"));
    other["amount"] = json!(301);
    let upstream = Upstream::answering(200, &other.to_string());
    let failure = perform(&connector(&upstream), Name::Refund, &refund()).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Integrity);
}

#[actix_web::test]
async fn a_lost_connection_is_unknown_after_sending_and_an_error_before() {
    let upstream = Upstream::start(|_| Some(Vec::new()));
    let closed = perform(&connector(&upstream), Name::Authorize, &authorize()).await.unwrap();
    assert_eq!(closed["outcome"], "unknown");
    let half = response(200, "", fixture!("payment_intent_succeeded"));
    let upstream = Upstream::start(move |_| Some(half[..half.len() / 2].to_vec()));
    for (operation, request) in [
        (Name::Authorize, authorize()),
        (Name::Capture, capture("pi_1")),
        (Name::Refund, refund()),
        (Name::Subscribe, subscribe()),
    ] {
        let told = perform(&connector(&upstream), operation, &request).await.unwrap();
        assert_eq!(told["outcome"], "unknown", "{operation}");
    }
    let read = json!({"attempt": attempt(1)});
    let failure = perform(&connector(&upstream), Name::Health, &read).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Protocol);
    // Port 1 of this machine: nobody listens.
    let nobody = Stripe::new(&settings("http://127.0.0.1:1")).unwrap();
    let failure = perform(&nobody, Name::Authorize, &authorize()).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Connect);
}

#[actix_web::test]
async fn no_answer_in_time_is_unknown_and_the_connection_is_given_up() {
    let upstream = Upstream::start(|_| None);
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.client.total_timeout = std::time::Duration::from_millis(50);
    let told = perform(&Stripe::new(&settings).unwrap(), Name::Authorize, &authorize()).await.unwrap();
    assert_eq!(told["outcome"], "unknown");
    upstream.wait_until_closed();
}

#[actix_web::test]
async fn a_redirect_is_not_followed_and_not_told() {
    let elsewhere = Upstream::answering(200, fixture!("payment_intent_succeeded"));
    let bytes = response(307, &format!("Location: http://{}/v1/payment_intents\r\n", elsewhere.address), "");
    let upstream = Upstream::start(move |_| Some(bytes.clone()));
    let told = perform(&connector(&upstream), Name::Authorize, &authorize()).await.unwrap();
    assert_eq!(told["outcome"], "unknown");
    assert!(!told.to_string().contains(&elsewhere.address.to_string()));
    assert!(elsewhere.arrived().is_empty());
}

#[actix_web::test]
async fn a_provider_that_refuses_our_key_is_not_healthy() {
    let body = error("invalid_request_error", "");
    for status in [401, 403, 404, 429, 500, 302] {
        let upstream = Upstream::answering(status, &body);
        let request = json!({"attempt": attempt(1)});
        let failure = perform(&connector(&upstream), Name::Health, &request).await.unwrap_err().failure();
        assert_eq!(failure.kind, ErrorKind::Protocol, "{status}");
    }
}

/// The page for people says the same as the tables.
#[test]
fn the_documentation_lists_every_error_status_and_advice() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers/stripe.md");
    let page = std::fs::read_to_string(page).unwrap();
    let has = |cells: &[&str]| {
        let fits = |line: &&str| {
            let found: Vec<&str> = line.split('|').map(str::trim).collect();
            cells.iter().enumerate().all(|(index, cell)| found.get(index + 1) == Some(cell))
        };
        assert!(page.lines().any(|line| fits(&line)), "no row begins with {cells:?}");
    };
    for row in ERRORS {
        let status = row.status.map_or("any 4xx".to_owned(), |status| status.to_string());
        let quoted = |word: Option<&str>| word.map_or("any".to_owned(), |word| format!("`{word}`"));
        let meaning = match row.meaning {
            Meaning::Declined => "declined",
            Meaning::Rejected => "rejected",
            Meaning::Unknown(_) => "unknown",
        };
        has(&[&status, &quoted(row.kind), &quoted(row.code), meaning]);
    }
    for (code, advice) in DECLINES.iter().chain(ADVICE) {
        let advice = match advice {
            Advice::Retry => "retry",
            Advice::OtherMethod => "other_method",
            Advice::Never => "never",
        };
        has(&[&format!("`{code}`"), advice]);
    }
    for (status, standing) in PAYMENT_INTENT.iter().chain(REFUND) {
        let outcome = match standing {
            Standing::Succeeded => "succeeded",
            Standing::RequiresAction => "requires_action",
            Standing::Pending => "pending",
            Standing::Declined => "declined",
        };
        has(&[&format!("`{status}`"), outcome]);
    }
}
