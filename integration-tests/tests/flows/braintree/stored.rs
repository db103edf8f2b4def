//! Cards that are kept, and subscriptions that are charged to them.

use super::*;

#[actix_web::test]
async fn a_payer_s_card_is_stored_charged_and_forgotten() {
    let operator = braintree();
    let request = CreateCustomer { attempt: AttemptId::new(), reference: None, email: None };
    let first = succeeded(operator.result::<operations::CreateCustomer>(&request).await);
    assert_eq!(succeeded(operator.result::<operations::CreateCustomer>(&request).await), first);
    let customer = first.reference;
    let asked = ClientTokenRequest { attempt: AttemptId::new(), customer: Some(customer.clone()) };
    succeeded(operator.result::<operations::ClientToken>(&asked).await);
    let nonce = nonce(&operator, json!({"number": "4012888888881881"})).await;
    let request = StorePaymentMethod {
        attempt: AttemptId::new(),
        customer: customer.clone(),
        nonce: nonce.as_str().into(),
    };
    let card = succeeded(operator.result::<operations::StorePaymentMethod>(&request).await);
    assert_eq!((card.kind, card.last4.as_deref()), (PaymentMethodKind::Card, Some("1881")));
    let again = succeeded(operator.result::<operations::StorePaymentMethod>(&request).await);
    assert_eq!(again.token, card.token);
    let mut sale = authorize(CARD, 1000, true);
    sale.source = Source::PaymentMethod { token: card.token.clone(), customer: Some(customer) };
    let sold = succeeded(operator.result::<operations::Authorize>(&sale).await);
    assert_eq!(sold.payment_method.unwrap().token, card.token);
    for was_gone in [false, true] {
        let request = DeletePaymentMethod { attempt: AttemptId::new(), payment_method: card.token.clone() };
        let deleted = succeeded(operator.result::<operations::DeletePaymentMethod>(&request).await);
        assert_eq!(deleted.was_gone, was_gone);
    }
}

#[actix_web::test]
async fn a_card_that_is_not_verified_is_not_stored() {
    let operator = braintree();
    let cvv = nonce(&operator, json!({"number": "4111111111111111", "cvv": "200"})).await;
    for (nonce, code) in [("fake-processor-declined-visa-nonce", "2000"), (cvv.as_str(), "cvv")] {
        let customer = customer(&operator).await;
        let request = StorePaymentMethod { attempt: AttemptId::new(), customer, nonce: nonce.into() };
        let outcome = operator.result::<operations::StorePaymentMethod>(&request).await;
        let Outcome::Declined { decline, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(decline.code, code);
    }
    let request =
        StorePaymentMethod { attempt: AttemptId::new(), customer: "nobody".to_owned(), nonce: CARD.into() };
    let outcome = operator.result::<operations::StorePaymentMethod>(&request).await;
    assert_eq!(codes(outcome), code(Some("customer_id"), "93105"));
}

#[actix_web::test]
async fn a_subscription_is_started_once_changed_and_cancelled_once() {
    let operator = braintree();
    let (plan, token) = (plan(&operator).await, store(&operator, CARD).await);
    let request = subscribing(token.clone(), plan.clone(), 700);
    let made = succeeded(operator.result::<operations::Subscribe>(&request).await);
    assert_eq!((made.status, made.amount), (SubscriptionStatus::Active, Some(money(700))));
    assert_eq!(made.first_payment.as_ref().unwrap().captured, 700);
    assert_eq!(succeeded(operator.result::<operations::Subscribe>(&request).await), made);
    assert_eq!(operator.ledger(request.attempt).await, lines(&[("charge", "7.00")]));
    let other = store(&operator, "fake-valid-mastercard-nonce").await;
    let change = ChangeSubscriptionPaymentMethod {
        attempt: AttemptId::new(),
        subscription: made.reference.clone(),
        payment_method: other,
    };
    succeeded(operator.result::<operations::ChangeSubscriptionPaymentMethod>(&change).await);
    for _ in 0..2 {
        let request = CancelSubscription { attempt: AttemptId::new(), subscription: made.reference.clone() };
        let ended = succeeded(operator.result::<operations::CancelSubscription>(&request).await);
        assert_eq!(ended.status, SubscriptionStatus::Cancelled);
    }
    let declined = subscribing(token.clone(), plan, 200_100);
    let outcome = operator.result::<operations::Subscribe>(&declined).await;
    let Outcome::Declined { decline, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(decline.code, "2001");
    let unknown = subscribing(token, "none".to_owned(), 700);
    let outcome = operator.result::<operations::Subscribe>(&unknown).await;
    assert_eq!(codes(outcome), code(Some("plan_id"), "91904"));
    // A plan's own price.
    let token = store(&operator, CARD).await;
    let mut own = subscribing(token, "monthly".to_owned(), 1);
    own.amount = None;
    let made = succeeded(operator.result::<operations::Subscribe>(&own).await);
    assert_eq!(made.amount, Some(money(500)));
}
