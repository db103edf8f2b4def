//! What Braintree tells by itself, and what of it is believed.

use super::*;

async fn hold(operator: &Operator) {
    let held = json!({"hold": true});
    let answer = operator.sandbox_client().put("/_sandbox/webhooks/handling", &held).await;
    assert_eq!(answer.status, 200);
}

/// Everything that was told since `hold`, as it was posted.
async fn told(operator: &Operator) -> Vec<VerifyWebhook> {
    let client = operator.sandbox_client();
    let office = client.get("/_sandbox/webhooks").await.json();
    let mut webhooks = Vec::new();
    for event in office["held"].as_array().unwrap() {
        let id = event["event_id"].as_str().unwrap();
        let message = client.get(&format!("/_sandbox/webhooks/events/{id}")).await.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let header = |pair: &Value| Header { name: text(&pair[0]), value: text(&pair[1]) };
        webhooks.push(VerifyWebhook {
            headers: message["headers"].as_array().unwrap().iter().map(header).collect(),
            body: BASE64.encode(text(&message["body"]).as_bytes()),
        });
    }
    webhooks
}

async fn events(operator: &Operator) -> Vec<Event> {
    let mut events = Vec::new();
    for webhook in told(operator).await {
        events.push(operator.result::<operations::VerifyWebhook>(&webhook).await);
    }
    events
}

#[actix_web::test]
async fn what_happens_at_braintree_is_told_and_believed() {
    let operator = braintree();
    hold(&operator).await;
    let sold = settled(&operator, 1000).await;
    let refund = refunding(&sold.reference, 400);
    let refunded = succeeded(operator.result::<operations::Refund>(&refund).await);
    let decline = format!("transactions/{}/settlement_decline", refunded.reference);
    happen(&operator, &decline, &Value::Null).await;
    let dispute = format!("transactions/{}/dispute", sold.reference);
    happen(&operator, &dispute, &json!({"kind": "opened"})).await;
    happen(&operator, "check", &json!({})).await;
    let events = events(&operator).await;
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Payment, EventKind::Refund, EventKind::Dispute, EventKind::Check]);
    assert_eq!((events[0].attempt, events[1].attempt), (sold.attempt, Some(refund.attempt)));
    assert!(matches!(events[0].payment, Some(Outcome::Succeeded { .. })));
    assert!(matches!(events[1].refund, Some(Outcome::Declined { .. })));
    for event in &events[..3] {
        assert_eq!(event.payment_reference.as_ref(), Some(&sold.reference));
    }
}

#[actix_web::test]
async fn what_happens_to_a_subscription_is_told_and_believed() {
    let operator = braintree();
    let (plan, token) = (plan(&operator).await, store(&operator, CARD).await);
    hold(&operator).await;
    let request = subscribing(token, plan, 700);
    let made = succeeded(operator.result::<operations::Subscribe>(&request).await);
    let charge = format!("subscriptions/{}/charge", made.reference);
    happen(&operator, &charge, &json!({"declined": 2001})).await;
    let cancel = CancelSubscription { attempt: AttemptId::new(), subscription: made.reference };
    succeeded(operator.result::<operations::CancelSubscription>(&cancel).await);
    let events = events(&operator).await;
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    let expected = [
        EventKind::SubscriptionCharged,
        EventKind::SubscriptionChargeFailed,
        EventKind::Subscription,
        EventKind::SubscriptionCancelled,
    ];
    assert_eq!(kinds, expected);
    assert!(events.iter().all(|event| event.attempt == Some(request.attempt)));
    assert!(matches!(events[1].payment, Some(Outcome::Declined { .. })));
    assert_eq!(events[1].subscription.as_ref().unwrap().status, SubscriptionStatus::PastDue);
}

#[actix_web::test]
async fn an_old_a_future_and_a_forged_webhook_are_not_believed() {
    let operator = braintree();
    hold(&operator).await;
    for seconds_ago in [0, 24 * 3600, 26 * 3600, -200, -400] {
        happen(&operator, "check", &json!({"seconds_ago": seconds_ago})).await;
    }
    let webhooks = told(&operator).await;
    for (webhook, believed) in webhooks.iter().zip([true, true, false, true, false]) {
        let reply = operator.ask::<operations::VerifyWebhook>(webhook).await;
        match reply {
            Reply::Result(_) => assert!(believed),
            Reply::Error(failure) => {
                assert!(!believed, "{failure}");
                assert_eq!(failure.kind, ErrorKind::InvalidSignature);
            }
            Reply::Refused(answer) => panic!("{answer:?}"),
        }
    }
    let mut forged = webhooks[0].clone();
    let body = String::from_utf8(BASE64.decode(forged.body.as_bytes()).unwrap()).unwrap();
    forged.body = BASE64.encode(body.replace("bt_payload=", "bt_payload=A").as_bytes());
    let Reply::Error(failure) = operator.ask::<operations::VerifyWebhook>(&forged).await else { panic!() };
    assert_eq!(failure.kind, ErrorKind::InvalidSignature);
    let challenge = WebhookChallenge { challenge: "20f9f8ed05f77439fe955c977e4c8a53".to_owned() };
    let answer = operator.result::<operations::AnswerWebhookChallenge>(&challenge).await;
    let public = &operator.dummies.braintree.public_key;
    assert!(answer.verification.starts_with(&format!("{public}|")), "{}", answer.verification);
}
