//! What was taken and given back: which objects are movements, and how the two lists are gone through.

use serde_json::{Value, json};
use wire::{ErrorKind, payment::OperationName as Name};

use super::*;

fn ask(cursor: Option<&str>) -> Value {
    let mut request =
        json!({"attempt": attempt(8), "from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00+00:00"});
    if let Some(cursor) = cursor {
        request["cursor"] = cursor.into();
    }
    request
}

async fn list(upstream: &Upstream, cursor: Option<&str>) -> Value {
    perform(&connector(upstream), Name::ListMovements, &ask(cursor)).await.unwrap()
}

fn short(answer: &Value) -> Vec<Value> {
    let movements = answer["movements"].as_array().unwrap();
    let short = |one: &Value| {
        json!([one["kind"], one["amount"]["minor_units"], one["status"], one.get("fee"), one.get("attempt")])
    };
    movements.iter().map(short).collect()
}

#[actix_web::test]
async fn charges_that_took_money_come_first_and_refunds_that_gave_it_back_after_them() {
    static ANSWERS: &[(&str, u16, &str)] =
        &[("GET /v1/charges?", 200, fixture!("charges")), ("GET /v1/refunds?", 200, fixture!("refunds"))];
    let upstream = serving(ANSWERS);
    let charges = list(&upstream, None).await;
    // Neither the declined charge nor the one that is only authorized is among them.
    let paid = json!(["charge", 1000, "succeeded", 29, attempt(1)]);
    assert_eq!(short(&charges), [&paid, &paid, &paid].map(Clone::clone));
    assert_eq!(charges["next"], "refunds:");
    let last = &charges["movements"][2];
    let recorded = &json(fixture!("charges"))["data"][4];
    assert_eq!((&last["reference"], &last["payment"]), (&recorded["id"], &recorded["payment_intent"]));
    let at = chrono::DateTime::parse_from_rfc3339(last["at"].as_str().unwrap()).unwrap();
    assert_eq!(recorded["created"], at.timestamp());
    let refunds = list(&upstream, Some("refunds:")).await;
    // The refund that failed is not among them.
    let late = json!(["refund", 400, "pending", 0, null]);
    assert_eq!(short(&refunds), [late, json!(["refund", 300, "succeeded", 0, attempt(3)])]);
    assert_eq!(refunds.get("next"), None);
    for arrived in upstream.arrived() {
        let sent = form(arrived.target.split_once('?').unwrap().1);
        let expected = [
            ("limit", "100"),
            ("created[gte]", "1795305600"),
            ("created[lt]", "1795392000"),
            ("expand[]", "data.balance_transaction"),
        ];
        assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

#[actix_web::test]
async fn a_list_goes_on_after_its_last_object() {
    static ANSWERS: &[(&str, u16, &str)] = &[("GET /v1/charges?", 200, fixture!("charges_first_page"))];
    let upstream = serving(ANSWERS);
    let first = list(&upstream, None).await;
    let last = json(fixture!("charges_first_page"))["data"][2]["id"].as_str().unwrap().to_owned();
    assert_eq!(first["next"], format!("charges:{last}"));
    list(&upstream, first["next"].as_str()).await;
    assert!(upstream.arrived()[1].target.ends_with(&format!("&starting_after={last}")));
}

#[actix_web::test]
async fn a_release_is_no_refund_and_a_fee_in_another_currency_is_not_said() {
    let mut refunds = json(fixture!("refunds"));
    refunds["data"][2]["balance_transaction"] = Value::Null;
    let released = list(&Upstream::answering(200, &refunds.to_string()), Some("refunds:")).await;
    assert_eq!(short(&released).len(), 1, "the pending one is left");
    let mut charges = json(fixture!("charges"));
    charges["data"][0]["balance_transaction"]["currency"] = "usd".into();
    charges["data"][1]["balance_transaction"]["amount"] = 999.into();
    charges["data"][4]["balance_transaction"] = "txn_1".into();
    charges["data"][4]["payment_intent"] = Value::Null;
    let answer = list(&Upstream::answering(200, &charges.to_string()), None).await;
    assert!(short(&answer).iter().all(|one| one[3].is_null()), "{answer}");
    assert_eq!(answer["movements"][2].get("payment"), None);
}

#[actix_web::test]
async fn an_answer_that_is_no_such_list_is_an_error_and_no_empty_page() {
    let charges = fixture!("charges");
    let changed = |pointer: &str, value: Value| {
        let mut changed = json(charges);
        *changed.pointer_mut(pointer).unwrap() = value;
        (200, changed.to_string())
    };
    for (status, body) in [
        (500, String::new()),
        (200, "<html>".to_owned()),
        (200, "{}".to_owned()),
        (404, fixture!("error_no_such_payment_intent").to_owned()),
        (401, fixture!("error_api").to_owned()),
        (200, json!({"object": "list", "data": [], "has_more": true}).to_string()),
        changed("/data/0/status", "lost".into()),
        changed("/data/0/currency", "xyz".into()),
        changed("/data/0/created", i64::MAX.into()),
        changed("/data/0/amount_captured", "10.00".into()),
        changed("/data/0/id", Value::Null),
    ] {
        let upstream = Upstream::answering(status, &body);
        let failure = perform(&connector(&upstream), Name::ListMovements, &ask(None)).await.unwrap_err();
        assert_eq!(failure.failure().kind, ErrorKind::Protocol, "{status} {body:.60}");
    }
}

#[actix_web::test]
async fn what_cannot_be_asked_is_not_sent() {
    let upstream = Upstream::answering(200, fixture!("charges"));
    let mut wrong: Vec<Value> =
        ["charges", "charges:", "refunds:re/1", "ch_1", ""].map(|cursor| ask(Some(cursor))).into();
    for (field, value) in [("from", "yesterday"), ("from", "2026-11-23T00:00:00Z"), ("to", "2026-11-23")] {
        let mut request = ask(None);
        request[field] = value.into();
        wrong.push(request);
    }
    for request in wrong {
        let failure = perform(&connector(&upstream), Name::ListMovements, &request).await.unwrap_err();
        assert_eq!(failure.failure().kind, ErrorKind::InvalidRequest, "{request}");
    }
    assert!(upstream.arrived().is_empty());
}
