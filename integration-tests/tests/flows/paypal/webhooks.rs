//! What PayPal tells by itself, and what of it is believed.

use super::*;

#[actix_web::test]
async fn a_webhook_is_believed_when_paypal_has_signed_it() {
    let desk = Desk::open();
    desk.control(Method::PUT, "/webhooks/handling", json!({"hold": true})).await;
    let (attempt, back) = (AttemptId::new(), AttemptId::new());
    let payment = desk.paid(attempt, 1000, true).await;
    desk.refund(back, &payment, 400).await;
    let dispute = format!("/paypal/captures/{}/dispute", payment.captures[0]);
    desk.control(Method::POST, &dispute, json!({"event": "created"})).await;
    let held = desk.sandbox.get("/_sandbox/webhooks").await.json()["held"].clone();
    let mut seen = Vec::new();
    for event in held.as_array().unwrap() {
        let path = format!("/_sandbox/webhooks/events/{}", event["event_id"].as_str().unwrap());
        let message = desk.sandbox.get(&path).await.json();
        let webhook = posted(&message, message["body"].as_str().unwrap());
        let event: Event = desk.perform::<operations::VerifyWebhook>(&webhook).await;
        seen.push((event.provider_kind.clone(), event.kind, event.attempt));
        if event.provider_kind == "PAYMENT.CAPTURE.COMPLETED" {
            assert_eq!(event.payment_reference.as_ref(), Some(&payment.reference));
            assert_eq!(event.payment.unwrap().result().unwrap().captured, 1000);
        }
        let changed = posted(&message, &message["body"].as_str().unwrap().replace("EUR", "USD"));
        let answer = desk.ask::<operations::VerifyWebhook>(&changed).await;
        assert_eq!((answer.status, &answer.json()["error"]["kind"]), (403, &json!("invalid_signature")));
    }
    assert_eq!(
        seen,
        [
            ("CHECKOUT.ORDER.APPROVED".to_owned(), EventKind::Payment, Some(attempt)),
            ("PAYMENT.CAPTURE.COMPLETED".to_owned(), EventKind::Payment, Some(attempt)),
            ("PAYMENT.CAPTURE.REFUNDED".to_owned(), EventKind::Refund, Some(back)),
            ("CUSTOMER.DISPUTE.CREATED".to_owned(), EventKind::Dispute, Some(attempt)),
        ]
    );
}

/// A message of the sandbox with another body, as db-server passes it on.
fn posted(message: &Value, body: &str) -> VerifyWebhook {
    let headers = message["headers"].as_array().unwrap().iter().map(|header| Header {
        name: header[0].as_str().unwrap().to_lowercase(),
        value: header[1].as_str().unwrap().to_owned(),
    });
    VerifyWebhook { headers: headers.collect(), body: BASE64.encode(body.as_bytes()) }
}
