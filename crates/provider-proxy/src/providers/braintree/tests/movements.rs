//! What was taken and given back: which transactions are movements, and how they are gone through.

use super::*;

const DAY: (&str, &str) = ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");

fn ask(cursor: Option<&str>) -> Value {
    let mut request = json!({"attempt": ATTEMPT, "from": DAY.0, "to": DAY.1});
    if let Some(cursor) = cursor {
        request["cursor"] = cursor.into();
    }
    request
}

fn found(page: &'static str) -> [Scripted; 2] {
    [
        ("POST", "/advanced_search_ids", 200, recorded!("movements_ids")),
        ("POST", "/advanced_search", 200, page),
    ]
}

fn short(result: &Value) -> Vec<Value> {
    let movements = result["movements"].as_array().unwrap();
    let short =
        |one: &Value| json!([one["kind"], one["amount"]["minor_units"], one["status"], one.get("attempt")]);
    movements.iter().map(short).collect()
}

#[actix_web::test]
async fn sales_that_were_taken_parts_and_refunds_are_movements() {
    let script = found(recorded!("movements_page"));
    let (result, arrived) = run(&script, OperationName::ListMovements, &ask(None)).await;
    let ours = |number: u8| format!("019a0000-0000-7000-8000-00000000000{number}");
    // Not the sale that was voided, nor the one of which only a part was taken, nor the one that is only authorized.
    assert_eq!(
        short(&result),
        [
            json!(["charge", 500, "succeeded", ours(4)]),
            json!(["refund", 400, "succeeded", ours(2)]),
            json!(["charge", 1000, "succeeded", ours(1)]),
        ]
    );
    let movements = &result["movements"];
    assert_eq!(movements[1]["payment"], movements[2]["reference"], "a refund says what it gives back");
    assert_eq!(movements[2]["payment"], movements[2]["reference"]);
    assert_ne!(movements[0]["payment"], movements[0]["reference"], "a part belongs to the whole");
    assert_eq!(result.get("next"), None);
    assert_eq!(
        asked(&arrived),
        ["POST transactions/advanced_search_ids", "POST transactions/advanced_search"]
    );
    assert_eq!(body_of(&arrived[0]), json!({"created_at": {"min": DAY.0, "max": DAY.1}}));
    let xml = String::from_utf8(arrived[0].body.clone()).unwrap();
    assert!(xml.contains(&format!("<max type=\"datetime\">{}</max>", DAY.1)), "{xml}");
}

#[actix_web::test]
async fn what_was_made_at_the_end_of_the_time_is_not_in_it() {
    let document = super::super::xml::Element::parse(recorded!("movements_page").as_bytes()).unwrap();
    let last = document.children().last().unwrap().text("created-at").unwrap().to_owned();
    let page: &'static str =
        Box::leak(recorded!("movements_page").replace(&last, "2026-11-23T00:00:00Z").into_boxed_str());
    let (result, _) = run(&found(page), OperationName::ListMovements, &ask(None)).await;
    assert!(short(&result).len() < 3, "{result}");
}

#[actix_web::test]
async fn a_list_goes_on_after_the_transaction_that_was_seen_last() {
    let ids: Vec<String> = (0..120).map(|number| format!("t{number}")).collect();
    let listed: String = ids.iter().map(|id| format!("<item>{id}</item>")).collect();
    let all = format!("<search-results><ids type=\"array\">{listed}</ids></search-results>");
    let page = recorded!("movements_page");
    let upstream = Upstream::start(move |arrived| {
        if arrived.target.ends_with("_ids") {
            return Some(xml(200, &all));
        }
        // As many transactions as were asked for; the first of the recording, over and over.
        let many = body_of(arrived)["ids"].as_array().unwrap().len();
        let begin = page.find("<transaction>").unwrap();
        let end = begin + page[begin..].find("</transaction>\n").unwrap() + "</transaction>\n".len();
        let body = page[begin..end].repeat(many);
        let body = format!("<credit-card-transactions type=\"collection\">{body}</credit-card-transactions>");
        Some(xml(200, &body))
    });
    let mut settings = settings(&upstream);
    settings.client.max_response_body = 4 * 1024 * 1024;
    let connector = connector_of(&settings);
    let (mut cursor, mut nexts) = (None, Vec::new());
    loop {
        let answer =
            perform(&connector, OperationName::ListMovements, &ask(cursor.as_deref())).await.unwrap();
        let Some(next) = answer["next"].as_str() else { break };
        nexts.push(next.to_owned());
        cursor = Some(next.to_owned());
    }
    assert_eq!(nexts, ["t49", "t99"]);
    let fetched: Vec<_> = upstream
        .arrived()
        .iter()
        .filter(|arrived| arrived.target.ends_with("/advanced_search"))
        .map(|arrived| body_of(arrived)["ids"][0].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(fetched, ["t0", "t50", "t100"]);
    let failure = perform(&connector, OperationName::ListMovements, &ask(Some("t500"))).await.unwrap_err();
    assert_eq!(failure.kind, wire::ErrorKind::InvalidRequest);
}

#[actix_web::test]
async fn an_answer_that_is_no_such_list_is_an_error_and_no_empty_page() {
    let page = recorded!("movements_page");
    let changed =
        |from: &str, to: &str| -> &'static str { Box::leak(page.replace(from, to).into_boxed_str()) };
    for body in [
        "<html/>",
        "<credit-card-transactions type=\"collection\"/>",
        changed("<type>credit</type>", "<type>loan</type>"),
        changed("<status>settled</status>", "<status>lost</status>"),
        changed("<amount>5.00</amount>", "<amount>5.001</amount>"),
        changed("-11-22T", "-13-22T"),
    ] {
        let upstream = scripted(&found(body));
        let failure = perform(&connector(&upstream), OperationName::ListMovements, &ask(None)).await;
        assert_eq!(failure.unwrap_err().kind, wire::ErrorKind::Protocol, "{body:.60}");
    }
    for (status, body) in [(401, ""), (500, ""), (200, "<search-results/>"), (404, "")] {
        let upstream = scripted(&[("POST", "/advanced_search_ids", status, body)]);
        let failure = perform(&connector(&upstream), OperationName::ListMovements, &ask(None)).await;
        assert_eq!(failure.unwrap_err().kind, wire::ErrorKind::Protocol, "{status} {body}");
    }
}

#[actix_web::test]
async fn what_cannot_be_asked_is_not_sent() {
    let upstream = scripted(&found(recorded!("movements_page")));
    for request in [
        ask(Some("")),
        ask(Some("../x")),
        json!({"attempt": ATTEMPT, "from": DAY.1, "to": DAY.0}),
        json!({"attempt": ATTEMPT, "from": "now", "to": DAY.1}),
    ] {
        let failure =
            perform(&connector(&upstream), OperationName::ListMovements, &request).await.unwrap_err();
        assert_eq!(failure.kind, wire::ErrorKind::InvalidRequest, "{request}");
    }
    assert!(upstream.arrived().is_empty());
}
