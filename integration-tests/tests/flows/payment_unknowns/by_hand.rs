//! An operator has the last word on what nobody has settled.

use chrono::TimeDelta;
use db_server::{
    domain::{
        Domain,
        payment::resolve::{self, Finding, Resolution, ResolveError},
    },
    store::payment::PaymentRow,
};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        executables::server as executable,
        janitor::{NO_PROXY, domain, table},
        payers::below,
        shop::text,
        webhooks::count,
    },
    assert_status, attempt, quiet, unknown,
};

async fn resolve(domain: &Domain, said: Resolution) -> Result<PaymentRow, ResolveError> {
    resolve::resolve(&domain.database, domain.keys.clone(), domain.clock.now(), said).await
}

fn said(payment: &Value, attempt: Uuid, finding: Finding) -> Resolution {
    Resolution {
        payment: text(payment, "/uuid").parse().unwrap(),
        attempt,
        finding,
        reference: Some("pi_found".to_owned()),
        captured: None,
        by: "ada".to_owned(),
        because: "seen in the dashboard".to_owned(),
    }
}

#[actix_web::test]
async fn an_operator_says_what_became_of_it_and_cannot_contradict_what_is_known() {
    let till = quiet().await;
    let database = till.pair.database.as_ref().unwrap();
    let table = table(&till.pair, NO_PROXY);
    let folder = tempfile::tempdir().unwrap();
    let show = |payment: &Value| {
        let uuid = text(payment, "/uuid");
        executable("db-server", folder.path(), &table).arguments(["payment", "show", uuid.as_str()])
    };
    let domain = domain(&till.pair, TimeDelta::zero()).await;
    let resolve = async |said| resolve(&domain, said).await;

    let settled = till.stripe(&json!({})).await;
    let known = resolve(said(&settled, attempt(&till), Finding::Failed)).await;
    assert!(matches!(known, Err(ResolveError::Settled)), "{known:?}");

    till.fault("/stripe/v1/payment_intents", json!("drop_before")).await;
    let payment = unknown(&till, &till.stripe_order(&json!({}))).await;
    let open = attempt(&till);
    for (resolution, fault) in [
        (said(&settled, open, Finding::Failed), "the payment has no operation with this attempt"),
        (said(&payment, open, Finding::Refunded), "authorize cannot end so"),
        (
            Resolution { captured: Some("10.01".into()), ..said(&payment, open, Finding::Captured) },
            "it contradicts what is known: more than nothing, and at most the amount, can be captured",
        ),
        (
            Resolution { because: " ".into(), ..said(&payment, open, Finding::Failed) },
            "--because: 1 to 1000 characters",
        ),
        (
            Resolution { reference: None, ..said(&payment, open, Finding::Captured) },
            "--reference: the provider's id is needed",
        ),
    ] {
        assert_eq!(resolve(resolution).await.unwrap_err().to_string(), fault);
    }
    assert_status(&till, &payment, "unknown").await;
    let partly = Resolution { captured: Some("4.00".into()), ..said(&payment, open, Finding::Captured) };
    assert_eq!(resolve(partly).await.unwrap().captured_minor, 400);
    let now = till.read(&payment).await;
    assert_eq!((&now["status"], &now["captured_amount"]), (&json!("captured"), &json!("4.00")));
    assert_eq!(now["provider_reference"], "pi_found");
    let again = resolve(said(&payment, open, Finding::Failed)).await;
    assert!(matches!(again, Err(ResolveError::Settled)), "{again:?}");
    let mut connection = database.connect();
    // An event has no place in their order before somebody reads.
    connection.batch_execute("select order_events()").unwrap();
    let told =
        "select count(*) from payment_events where kind = 'payment.resolved' and actor = 'operator:ada'";
    assert_eq!(count(&mut connection, told), 1);

    let process = show(&payment).start().unwrap();
    assert_eq!(process.wait().await.unwrap().to_string(), "exited with code 0");
    let shown = process.lines().join("\n");
    for part in ["status captured", &open.to_string(), "payment.resolved", "operator:ada", "in the dashboard"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("gAAAA"), "{shown}");
    // Clients are told that it was resolved, and not by whom or why.
    let all = till.client.get("/events/?limit=1000").await.json();
    let own = till.client.get(&below(&payment, "events/")).await.json();
    for told in [all, own] {
        let events = told["objects"].as_array().unwrap();
        let resolved = events.iter().find(|event| event["type"] == "payment.resolved").unwrap();
        assert_eq!(resolved["data"]["resolved"], json!({"operation": "authorize", "attempt": open}));
        assert!(!told.to_string().contains("\"ada\"") && !told.to_string().contains("dashboard"), "{told}");
    }
}

#[actix_web::test]
async fn a_client_does_not_read_why_an_operator_says_that_nothing_was_done() {
    let till = quiet().await;
    let domain = domain(&till.pair, TimeDelta::zero()).await;
    for (finding, status, field) in
        [(Finding::Failed, "failed", "failure"), (Finding::Declined, "declined", "decline")]
    {
        till.fault("/stripe/v1/payment_intents", json!("drop_before")).await;
        let payment = unknown(&till, &till.stripe_order(&json!({}))).await;
        resolve(&domain, said(&payment, attempt(&till), finding)).await.unwrap();
        let now = till.read(&payment).await;
        assert_eq!(
            (&now["status"], &now[field]["message"]),
            (&json!(status), &json!("resolved by hand")),
            "{now}"
        );
        assert!(!now.to_string().contains("dashboard"), "{now}");
    }
}

#[actix_web::test]
async fn an_operator_ends_a_refund_that_stays_pending_at_the_provider() {
    let till = quiet().await;
    let domain = domain(&till.pair, TimeDelta::zero()).await;
    let payment = till.stripe(&json!({"nonce": "pm_card_pendingRefund"})).await;
    let refund = till.change(&payment, "refunds", &json!({"amount": "9.00"})).await.json();
    assert_eq!(refund["status"], "pending", "{refund:?}");
    let by_hand = Resolution { reference: None, ..said(&payment, attempt(&till), Finding::Failed) };
    resolve(&domain, by_hand).await.unwrap();
    let database = till.pair.database.as_ref().unwrap();
    let ended = "select count(*) from refunds where standing = 3 and refusal_code = 'resolved'";
    assert_eq!(count(&mut database.connect(), ended), 1);
    let free = "select count(*) from payments where refunding_minor = 0 and refunded_minor = 0";
    assert_eq!(count(&mut database.connect(), free), 1, "nothing is reserved any more");
}
