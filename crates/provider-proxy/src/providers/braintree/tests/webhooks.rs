//! Webhooks, and the question for a new address.

use std::time::{Duration, SystemTime};

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};

use super::*;
use crate::providers::posted::WallClock;

/// 2026-11-22T12:00:00Z, when the recorded notifications were made.
const THEN: u64 = 1_795_348_800;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn sign(private: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(&Sha1::digest(private.as_bytes())).unwrap();
    mac.update(text.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// What Ruby's base64 makes of a notification.
fn payload(notification: &str) -> String {
    let encoded = BASE64.encode(notification.as_bytes());
    let lines = encoded.as_bytes().chunks(60).map(|line| String::from_utf8_lossy(line).into_owned() + "\n");
    lines.collect()
}

fn form(signature: &str, payload: &str) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    format!("bt_signature={}&bt_payload={}", encode(signature), encode(payload))
}

fn posted(body: &str) -> Value {
    json!({"headers": [{"name": "content-type", "value": "application/x-www-form-urlencoded"}],
           "body": BASE64.encode(body.as_bytes())})
}

fn signed(notification: &str) -> Value {
    let payload = payload(notification);
    posted(&form(&format!("{PUBLIC}|{}", sign(PRIVATE, &payload)), &payload))
}

fn then(now: fn() -> SystemTime) -> (Upstream, Braintree) {
    let upstream = scripted(&[]);
    let braintree = connector(&upstream).at(WallClock::of(now));
    (upstream, braintree)
}

async fn verify(braintree: &Braintree, posted: &Value) -> Result<Value, String> {
    let done = perform(braintree, OperationName::VerifyWebhook, posted).await;
    done.map_err(|failure| {
        assert_eq!(failure.kind, wire::ErrorKind::InvalidSignature, "{failure:?}");
        failure.message
    })
}

#[actix_web::test]
async fn every_kind_is_told_by_what_it_is_about() {
    let (upstream, braintree) = then(|| at(THEN));
    for (notification, kind, word) in [
        (recorded!("told_check"), "check", "check"),
        (recorded!("told_transaction_settled"), "payment", "transaction_settled"),
        (recorded!("told_transaction_settlement_declined"), "payment", "transaction_settlement_declined"),
        (recorded!("told_refund_failed"), "refund", "refund_failed"),
        (recorded!("told_dispute_opened"), "dispute", "dispute_opened"),
        (
            recorded!("told_subscription_charged_successfully"),
            "subscription_charged",
            "subscription_charged_successfully",
        ),
        (
            recorded!("told_subscription_charged_unsuccessfully"),
            "subscription_charge_failed",
            "subscription_charged_unsuccessfully",
        ),
        (recorded!("told_subscription_canceled"), "subscription_cancelled", "subscription_canceled"),
        (recorded!("told_subscription_went_past_due"), "subscription", "subscription_went_past_due"),
    ] {
        let event = verify(&braintree, &signed(notification)).await.unwrap();
        assert_eq!((&event["kind"], &event["provider_kind"]), (&json!(kind), &json!(word)));
        assert_eq!(
            (&event["provider"], &event["occurred"]),
            (&json!("braintree"), &json!("2026-11-22T12:00:00Z"))
        );
        assert_eq!(event["body"]["kind"], word);
    }
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn an_event_says_how_the_payment_the_refund_or_the_subscription_stands() {
    let (_upstream, braintree) = then(|| at(THEN));
    let settled = verify(&braintree, &signed(recorded!("told_transaction_settled"))).await.unwrap();
    assert_eq!(
        (outcome(&settled["payment"]), &settled["payment"]["result"]["captured"]),
        ("succeeded", &json!(1100))
    );
    assert_eq!(settled["attempt"], "019a0000-0000-7000-8000-000000000004");
    assert_eq!(settled["payment_reference"], settled["payment"]["result"]["reference"]);
    let declined =
        verify(&braintree, &signed(recorded!("told_transaction_settlement_declined"))).await.unwrap();
    assert_eq!(
        (outcome(&declined["payment"]), &declined["payment"]["decline"]["code"]),
        ("declined", &json!("4001"))
    );
    let lost = &declined["payment"]["result"];
    assert_eq!((&lost["captured"], &lost["settlement_declined"]), (&json!(0), &json!(400_100)));
    let refund = verify(&braintree, &signed(recorded!("told_refund_failed"))).await.unwrap();
    assert_eq!((outcome(&refund["refund"]), &refund["attempt"]), ("declined", &json!(SECOND)));
    assert_eq!(refund["payment_reference"], settled["payment_reference"]);
    let dispute = verify(&braintree, &signed(recorded!("told_dispute_opened"))).await.unwrap();
    assert_eq!(dispute["payment_reference"], settled["payment_reference"]);
    assert_eq!(dispute["attempt"], settled["attempt"]);
    let charged =
        verify(&braintree, &signed(recorded!("told_subscription_charged_successfully"))).await.unwrap();
    assert_eq!(
        (&charged["attempt"], &charged["subscription"]["reference"]),
        (&json!(ATTEMPT), &json!(ATTEMPT))
    );
    assert_eq!(charged["subscription"]["amount"], json!({"minor_units": 700, "currency": "USD"}));
    assert!(charged["subscription"]["next_billing"].is_string());
    assert_eq!(
        (outcome(&charged["payment"]), &charged["payment"]["result"]["captured"]),
        ("succeeded", &json!(700))
    );
    let failed =
        verify(&braintree, &signed(recorded!("told_subscription_charged_unsuccessfully"))).await.unwrap();
    assert_eq!(
        (outcome(&failed["payment"]), &failed["subscription"]["status"]),
        ("declined", &json!("past_due"))
    );
}

#[actix_web::test]
async fn an_event_holds_no_token_and_no_key() {
    let (_upstream, braintree) = then(|| at(THEN));
    let notification =
        recorded!("told_subscription_charged_successfully").replace(">Visa<", &format!(">{PRIVATE}<"));
    let event = verify(&braintree, &signed(&notification)).await.unwrap();
    let body = event["body"].to_string();
    assert!(!body.contains("\"token\"") && !body.contains("payment_method_token"), "{body}");
    assert!(!event.to_string().contains(PRIVATE));
}

/// The vector of `../shared/spec/providers.md`, whose payload is signed with a newline after it.
#[actix_web::test]
async fn the_published_vector_verifies_with_and_without_its_newline() {
    let upstream = scripted(&[]);
    let mut settings = settings(&upstream);
    settings.private_key = "integration_private_key".into();
    let braintree = Braintree::new(&settings).unwrap();
    let bare = "PG5vdGlmaWNhdGlvbj48a2luZD5jaGVjazwva2luZD48L25vdGlmaWNhdGlvbj4=";
    let signature = format!("{PUBLIC}|d53eaf7e941a322fd63f23a4c014828169ba83f4");
    for payload in [bare.to_owned(), format!("{bare}\n")] {
        // It is believed, and then refused: it says no time.
        let message = verify(&braintree, &posted(&form(&signature, &payload))).await.unwrap_err();
        assert_eq!(message, "there is no timestamp");
    }
    let message = verify(&braintree, &posted(&form(&signature, &format!("{bare}\n\n")))).await.unwrap_err();
    assert_eq!(message, "signature mismatch");
}

#[actix_web::test]
async fn any_of_several_key_pairs_may_have_signed() {
    let upstream = scripted(&[]);
    let mut settings = settings(&upstream);
    settings.webhook_keys = vec![("old_public".into(), "dummy-old-private".into())];
    let braintree = Braintree::new(&settings).unwrap().at(WallClock::of(|| at(THEN)));
    let payload = payload(recorded!("told_check"));
    let good = format!("{PUBLIC}|{}", sign(PRIVATE, &payload));
    let old = format!("old_public|{}", sign("dummy-old-private", &payload));
    let stranger = format!("stranger|{}", sign("x", &payload));
    for signature in [
        good.clone(),
        old.clone(),
        format!("{stranger}&{old}"),
        format!("{good}&{stranger}"),
        format!("x&{good}"),
    ] {
        assert!(verify(&braintree, &posted(&form(&signature, &payload))).await.is_ok(), "{signature}");
    }
    let crossed = format!("old_public|{}", sign(PRIVATE, &payload));
    for (signature, message) in [
        (stranger.as_str(), "the webhook is signed with an unknown key"),
        (crossed.as_str(), "signature mismatch"),
        ("", "the webhook is signed with an unknown key"),
        ("|", "the webhook is signed with an unknown key"),
        (&format!("{PUBLIC}|"), "signature mismatch"),
        (&format!("{PUBLIC}|zz"), "the bt_signature is malformed"),
        (&good.replace("dummy", "DUMMY"), "the webhook is signed with an unknown key"),
    ] {
        let refused = verify(&braintree, &posted(&form(signature, &payload))).await.unwrap_err();
        assert_eq!(refused, message, "{signature}");
    }
}

#[actix_web::test]
async fn what_was_changed_or_sent_twice_is_not_believed() {
    let (_upstream, braintree) = then(|| at(THEN));
    let changed = payload(&recorded!("told_check").replace("check</kind>", "checks</kind>"));
    let payload = payload(recorded!("told_check"));
    let signature = format!("{PUBLIC}|{}", sign(PRIVATE, &payload));
    let good = form(&signature, &payload);
    for (body, message) in [
        (form(&signature, &changed), "signature mismatch"),
        (format!("{good}&bt_payload=x"), "there is more than one bt_payload"),
        (format!("{good}&bt_signature=x"), "there is more than one bt_signature"),
        (form(&signature, "<xml>"), "the bt_payload is malformed"),
        (good.split('&').next().unwrap().to_owned(), "there is no bt_payload"),
        (String::new(), "there is no bt_signature"),
    ] {
        assert_eq!(verify(&braintree, &posted(&body)).await.unwrap_err(), message);
    }
    for notification in ["<other/>", "<notification/>", "<notification>", "<!DOCTYPE a><notification/>"] {
        let message = verify(&braintree, &signed(notification)).await.unwrap_err();
        assert!(message.contains("cannot be read"), "{notification}: {message}");
    }
}

#[actix_web::test]
async fn a_webhook_may_be_as_old_as_braintree_tries_and_not_of_the_future() {
    let check = signed(recorded!("told_check"));
    let clocks: [(fn() -> SystemTime, bool); 5] = [
        (|| at(THEN + 25 * 3600), true),
        (|| at(THEN + 25 * 3600 + 1), false),
        (|| at(THEN - 300), true),
        (|| at(THEN - 301), false),
        (|| at(0), false),
    ];
    for (index, (clock, believed)) in clocks.into_iter().enumerate() {
        let (_upstream, braintree) = then(clock);
        let result = verify(&braintree, &check).await;
        assert_eq!(result.is_ok(), believed, "{index}: {result:?}");
    }
}

#[actix_web::test]
async fn what_is_delivered_again_is_the_same_event_and_nothing_else_is() {
    let (_upstream, braintree) = then(|| at(THEN));
    let first = verify(&braintree, &signed(recorded!("told_check"))).await.unwrap();
    let again = verify(&braintree, &signed(recorded!("told_check"))).await.unwrap();
    let other = verify(&braintree, &signed(recorded!("told_dispute_opened"))).await.unwrap();
    assert_eq!(first["id"], again["id"]);
    assert_ne!(first["id"], other["id"]);
    // Without its last newline it is the same payload, and the signature still fits.
    let payload = payload(recorded!("told_check"));
    let signature = format!("{PUBLIC}|{}", sign(PRIVATE, &payload));
    let bare = verify(&braintree, &posted(&form(&signature, payload.trim_end()))).await.unwrap();
    assert_eq!(first["id"], bare["id"]);
}

#[actix_web::test]
async fn the_question_for_an_address_is_answered_with_our_key() {
    let (_upstream, braintree) = then(|| at(THEN));
    let challenge = "20f9f8ed05f77439fe955c977e4c8a53";
    let request = json!({"challenge": challenge});
    let result = perform(&braintree, OperationName::AnswerWebhookChallenge, &request).await.unwrap();
    assert_eq!(result["verification"], format!("{PUBLIC}|{}", sign(PRIVATE, challenge)));
    for challenge in
        ["", "abc", "20F9F8ED05F77439FE955C977E4C8A53", &"a".repeat(33), "x0f9f8ed05f77439fe955c977e4c"]
    {
        let request = json!({"challenge": challenge});
        let failure = perform(&braintree, OperationName::AnswerWebhookChallenge, &request).await.unwrap_err();
        assert_eq!(failure.kind, wire::ErrorKind::InvalidRequest, "{challenge}");
    }
}
