//! What was taken and given back: which transactions are movements, and how a time is searched through.

use serde_json::Value;
use wire::payment::{ListMovements, Movement, MovementKind, MovementStatus, Movements};

use super::*;
use crate::{
    error::ProxyError,
    providers::{connect::Connect, paypal::upstream::Upstream},
};

fn ask(from: &str, to: &str, cursor: Option<&str>) -> ListMovements {
    let time = |day: &str| format!("{day}T00:00:00Z");
    let cursor = cursor.map(str::to_owned);
    ListMovements { attempt: AttemptId::new(), from: time(from), to: time(to), cursor }
}

async fn list(upstream: &Upstream, request: &ListMovements) -> Result<Movements, ProxyError> {
    upstream.connector().list_movements(request).await
}

fn page(change: impl FnOnce(&mut Value)) -> String {
    let mut page: Value = serde_json::from_str(fixture!("transactions")).unwrap();
    change(&mut page);
    page.to_string()
}

const MONTH: (&str, &str) = ("2026-11-01", "2026-11-30");

async fn listed(body: &str) -> Vec<Movement> {
    let answer = list(&Upstream::answering(200, body), &ask(MONTH.0, MONTH.1, None)).await.unwrap();
    assert_eq!(answer.next, None);
    answer.movements
}

#[actix_web::test]
async fn captures_and_refunds_are_movements_with_their_fees_and_attempts() {
    let upstream = Upstream::answering(200, fixture!("transactions"));
    let found = list(&upstream, &ask(MONTH.0, MONTH.1, None)).await.unwrap().movements;
    let short: Vec<_> =
        found.iter().map(|one| (one.kind, one.amount.minor_units, one.fee, one.status)).collect();
    let done = MovementStatus::Succeeded;
    assert_eq!(
        short,
        [
            (MovementKind::Charge, 1000, Some(30), done),
            (MovementKind::Charge, 700, Some(21), done),
            (MovementKind::Refund, 400, None, done)
        ]
    );
    assert_eq!(found[0].attempt, Some(attempt()));
    // The search does not say the order; the capture's own id is known.
    assert_eq!((&found[0].payment, found[0].reference.len()), (&None, 17));
    assert!(found[0].at.ends_with('Z') && found[0].at.starts_with("2026-11-22T"), "{}", found[0].at);
    assert_eq!(
        upstream.arrived()[0].line(),
        "GET /v1/reporting/transactions?start_date=2026-11-01T00:00:00Z&end_date=2026-11-30T00:00:00Z\
         &fields=transaction_info&balance_affecting_records_only=Y&page_size=500&page=1"
    );
}

#[actix_web::test]
async fn what_is_not_a_payment_received_or_a_refund_is_passed_over() {
    for (pointer, value, left) in [
        ("transaction_event_code", "T0400", 2),
        ("transaction_event_code", "T1107", 2),
        ("transaction_status", "D", 2),
        ("transaction_status", "V", 3),
        ("transaction_initiation_date", "2026-10-31T23:59:59+0000", 2),
        ("transaction_initiation_date", "2026-11-30T00:00:00Z", 2),
        ("transaction_initiation_date", "2026-11-30T01:00:00+0200", 3),
    ] {
        let body = page(|page| page["transaction_details"][0]["transaction_info"][pointer] = value.into());
        assert_eq!(listed(&body).await.len(), left, "{pointer} {value}");
    }
    // Money that was sent is no charge.
    let sent = page(|page| {
        page["transaction_details"][0]["transaction_info"]["transaction_amount"]["value"] = "-10.00".into();
    });
    assert_eq!(listed(&sent).await.len(), 2);
    let of_order = page(|page| {
        page["transaction_details"][0]["transaction_info"]["paypal_reference_id"] = "ORDER1".into();
        page["transaction_details"][0]["transaction_info"]["paypal_reference_id_type"] = "ODR".into();
        page["transaction_details"][1]["transaction_info"]["transaction_status"] = "P".into();
    });
    let found = listed(&of_order).await;
    assert_eq!(found[0].payment.as_deref(), Some("ORDER1"));
    assert_eq!(found[1].status, MovementStatus::Pending);
    let fee = page(|page| {
        page["transaction_details"][0]["transaction_info"]["fee_amount"]["currency_code"] = "USD".into();
        page["transaction_details"][1]["transaction_info"]["fee_amount"]["value"] = "0.21".into();
    });
    let found = listed(&fee).await;
    assert_eq!((found[0].fee, found[1].fee), (None, Some(-21)), "one that PayPal gives back");
}

#[actix_web::test]
async fn pages_and_months_are_gone_through_in_turn() {
    let two_pages = page(|page| page["total_pages"] = 2.into());
    let upstream = Upstream::answering(200, &two_pages);
    let mut request = ask("2026-10-01", "2026-11-15", None);
    let mut places = Vec::new();
    while let Some(next) = list(&upstream, &request).await.unwrap().next {
        places.push(next.clone());
        request.cursor = Some(next);
    }
    let (begin, between, end) = ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-11-15T00:00:00Z");
    let expected =
        [format!("{begin}/{between}/2"), format!("{between}/{end}/1"), format!("{between}/{end}/2")];
    assert_eq!(places, expected);
    let last = upstream.arrived()[3].line();
    assert!(
        last.contains("start_date=2026-11-01T00:00:00Z&end_date=2026-11-15") && last.ends_with("&page=2")
    );
}

#[actix_web::test]
async fn a_search_that_finds_too_much_is_made_for_half_of_its_time() {
    let upstream = Upstream::answering(400, fixture!("refused_resultset_too_large"));
    let request = ask("2026-11-01", "2026-11-03", None);
    let answer = list(&upstream, &request).await.unwrap();
    assert_eq!(answer.movements, []);
    assert_eq!(answer.next.as_deref(), Some("2026-11-01T00:00:00Z/2026-11-02T00:00:00Z/1"));
    // What was left out comes after it.
    let upstream = Upstream::answering(200, fixture!("transactions"));
    let answer = list(&upstream, &ListMovements { cursor: answer.next, ..request }).await.unwrap();
    assert_eq!(answer.next.as_deref(), Some("2026-11-02T00:00:00Z/2026-11-03T00:00:00Z/1"));
    let upstream = Upstream::answering(400, fixture!("refused_resultset_too_large"));
    let second = ask("2026-11-01", "2026-11-03", Some("2026-11-01T00:00:00Z/2026-11-01T00:00:01Z/1"));
    assert!(matches!(list(&upstream, &second).await, Err(ProxyError::UnexpectedAnswer { .. })));
}

#[actix_web::test]
async fn an_answer_that_is_no_such_list_is_an_error_and_no_empty_page() {
    let info = |field: &str, value: Value| {
        page(|page| page["transaction_details"][0]["transaction_info"][field] = value)
    };
    for (status, body) in [
        (500, String::new()),
        (200, "<html>".to_owned()),
        (200, "{}".to_owned()),
        (403, fixture!("refused_not_found").to_owned()),
        (400, fixture!("refused_not_found").to_owned()),
        (200, info("transaction_status", "X".into())),
        (200, info("transaction_initiation_date", "2026-11-22".into())),
        (200, info("transaction_amount", serde_json::json!({"currency_code": "EUR", "value": "1.005"}))),
        (200, info("fee_amount", serde_json::json!({"currency_code": "EUR", "value": "--1"}))),
        (200, info("transaction_id", Value::Null)),
    ] {
        let failure = list(&Upstream::answering(status, &body), &ask(MONTH.0, MONTH.1, None)).await;
        assert!(failure.is_err(), "{status} {body:.60}");
    }
}

#[actix_web::test]
async fn what_cannot_be_asked_is_not_sent() {
    let upstream = Upstream::answering(200, fixture!("transactions"));
    let cursors = [
        "",
        "1",
        "2026-11-01T00:00:00Z/2026-11-30T00:00:00Z/0",
        "2026-11-01T00:00:00Z/2026-12-01T00:00:00Z/1",
        "2026-10-31T00:00:00Z/2026-11-02T00:00:00Z/1",
        "2026-11-02T00:00:00Z/2026-11-02T00:00:00Z/1",
        "2026-11-01T00:00:00Z/2026-11-02T00:00:00Z/1/2",
        "2026-11-01T00:00:00Z/2026-11-02T00:00:00Z/1&page_size=1",
    ];
    for cursor in cursors {
        let failure = list(&upstream, &ask(MONTH.0, MONTH.1, Some(cursor))).await;
        assert!(matches!(failure, Err(ProxyError::InvalidRequest { .. })), "{cursor}");
    }
    assert!(matches!(
        list(&upstream, &ask(MONTH.1, MONTH.0, None)).await,
        Err(ProxyError::InvalidRequest { .. })
    ));
    assert!(upstream.arrived().is_empty());
}
