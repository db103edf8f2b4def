//! `/payments/`: purchases at each provider, in all their ways.

use db_server::store::{
    id::ProductId,
    product_plan::{self, ProductPlanRow},
};
use diesel::connection::SimpleConnection;
use integration_tests::in_process::PairOptions;
use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    shop::{created, text, unique},
    till::{BACK, Till, line},
};

fn assert_shown(payment: &Value, status: &str, captured: &str, refunded: &str) {
    assert_eq!(
        (&payment["status"], &payment["captured_amount"], &payment["refunded_amount"]),
        (&json!(status), &json!(captured), &json!(refunded)),
        "{payment}"
    );
}

#[actix_web::test]
async fn a_payment_with_a_card_is_captured_at_once_and_is_a_transaction() {
    let till = Till::open().await;
    let order = till.stripe_order(&json!({"description": "A book", "metadata": {"order": "6735"}}));
    let payment = till.pay(&order).await;
    let mut expected = json!({
        "resource_pk": 1, "resource_uri": "/payments/1/", "provider": "stripe", "status": "captured",
        "amount": "10.00", "captured_amount": "10.00", "refunded_amount": "0.00", "currency": "EUR",
        "capture": true, "next_action": null, "decline": null, "failure": null, "buyer": null,
        "seller": till.shop.seller, "seller_product": till.shop.product, "payment_method": null,
        "description": "A book", "metadata": {"order": "6735"}, "checkout_reference": null,
    });
    for field in ["uuid", "provider_reference", "captures", "transaction", "created", "modified", "counter"] {
        expected[field] = payment[field].clone();
    }
    assert_eq!(payment, expected);
    assert_eq!(till.read(&payment).await, payment);
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
    let transaction = till.transaction(&payment).await;
    assert_eq!(
        (&transaction["status"], &transaction["type"], &transaction["amount"], &transaction["provider"]),
        (&json!(2), &json!(0), &json!("10.00"), &json!(5))
    );
    assert_eq!(transaction["uid_support"], payment["provider_reference"]);
    assert_eq!(transaction["uuid"], format!("solitude:{}", text(&payment, "/uuid")));
}

#[actix_web::test]
async fn a_decline_is_402_with_the_payment_and_what_may_help() {
    let till = Till::open().await;
    let order = till.stripe_order(&json!({"nonce": "pm_card_visa_chargeDeclinedInsufficientFunds"}));
    let answer = till.ask(&order).await;
    assert_eq!(answer.status, 402, "{answer:?}");
    let payment = answer.json();
    assert_shown(&payment, "declined", "0.00", "0.00");
    assert_eq!(payment["decline"]["code"], "insufficient_funds");
    assert_eq!(payment["error"]["outcome"], "declined");
    assert_eq!(payment["error"]["advice"], payment["decline"]["advice"]);
    assert_eq!(till.transaction(&payment).await["status"], 4);
    for (what, body) in [("capture", json!({})), ("cancel", json!({})), ("refunds", json!({}))] {
        assert_eq!(till.change(&payment, what, &body).await.status, 409, "{what}");
    }
    assert_eq!(till.ledger(Provider::Stripe).await, []);
}

#[actix_web::test]
async fn an_authorization_is_captured_in_parts_until_the_last() {
    let till = Till::open().await;
    let held = till.stripe(&json!({"capture": false})).await;
    assert_shown(&held, "authorized", "0.00", "0.00");
    assert_eq!(till.transaction(&held).await["status"], 0);
    let answer = till.change(&held, "capture", &json!({"amount": "3.00"})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_shown(&answer.json(), "captured", "3.00", "0.00");
    let above = till.change(&held, "capture", &json!({"amount": "7.01"})).await;
    assert_eq!(above.status, 422, "{above:?}");
    assert!(above.json().pointer("/mozilla/amount").is_some(), "{above:?}");
    let answer = till.change(&held, "capture", &json!({"amount": "5.00", "last": true})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_shown(&answer.json(), "captured", "8.00", "0.00");
    assert_eq!(till.change(&held, "capture", &json!({"amount": "1.00"})).await.status, 409);
    assert_eq!(till.change(&held, "cancel", &json!({})).await.status, 409);
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "3.00"), line("charge", "5.00")]);
    assert_eq!(till.transaction(&held).await["status"], 2);
}

#[actix_web::test]
async fn what_is_left_is_captured_when_no_amount_is_named() {
    let till = Till::open().await;
    let held = till.stripe(&json!({"capture": false})).await;
    assert_eq!(till.change(&held, "capture", &json!({"amount": "2.50"})).await.status, 200);
    let all = till.change(&held, "capture", &json!({})).await;
    assert_eq!(all.status, 200, "{all:?}");
    assert_shown(&all.json(), "captured", "10.00", "0.00");
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "2.50"), line("charge", "7.50")]);
}

#[actix_web::test]
async fn what_is_pending_at_the_provider_is_not_captured_once_more() {
    let till = Till::open().await;
    let held = till.stripe(&json!({"capture": false})).await;
    // As PayPal leaves one of 4.00 while the payer's bank takes its time.
    let pending = "insert into payment_operations \
         (attempt, payment_id, operation, amount_minor, state, outcome, request, actor) \
         select gen_random_uuid(), id, 3, 400, 2, 'pending', 'kept', 'client' from payments";
    till.pair.database.as_ref().unwrap().connect().batch_execute(pending).unwrap();
    let above = till.change(&held, "capture", &json!({"amount": "6.01"})).await;
    assert_eq!(above.status, 422, "{above:?}");
    assert!(above.json().pointer("/mozilla/amount").is_some(), "{above:?}");
    let rest = till.change(&held, "capture", &json!({})).await;
    assert_eq!(rest.status, 200, "{rest:?}");
    assert_shown(&rest.json(), "captured", "6.00", "0.00");
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "6.00")]);
}

#[actix_web::test]
async fn the_status_of_its_transaction_is_the_payment_s_and_no_client_changes_it() {
    let till = Till::open().await;
    let held = till.stripe(&json!({"capture": false})).await;
    let paid = till.stripe(&json!({})).await;
    let refund = created(till.change(&paid, "refunds", &json!({"amount": "1.00"})).await);
    for (of, statuses) in [(&held, vec![1, 2, 4, 5]), (&paid, vec![1, 4]), (&refund, vec![1, 4])] {
        let uri = text(of, "/transaction");
        let before = till.transaction(of).await;
        for status in statuses {
            let change = json!({"status": status, "notes": "by hand"});
            let answer = till.client.patch(&uri, &change).await;
            let message = "The transaction belongs to a payment of /payments/, which its status follows.";
            assert_eq!((answer.status, answer.json()), (400, json!({"status": [message]})), "{of} {status}");
        }
        assert_eq!(till.transaction(of).await, before);
        for (field, value) in [("provider", json!(4)), ("uid_support", json!("x")), ("amount", json!("1.00"))]
        {
            let answer = till.client.patch(&uri, &json!({field: value})).await;
            let refused = json!({"__all__": [format!("Cannot alter fields: {field}")]});
            assert_eq!((answer.status, answer.json()), (400, refused), "{field}");
        }
        let noted = till.client.patch(&uri, &json!({"notes": "seen", "status": before["status"]})).await;
        assert_eq!((noted.status, &noted.json()["notes"]), (200, &json!("seen")), "{noted:?}");
    }
    // What the provider says moves it as before.
    assert_eq!(till.change(&held, "capture", &json!({})).await.status, 200);
    assert_eq!(till.transaction(&held).await["status"], 2);
}

#[actix_web::test]
async fn an_authorization_is_given_up() {
    let till = Till::open().await;
    let held = till.stripe(&json!({"capture": false})).await;
    let answer = till.change(&held, "cancel", &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_shown(&answer.json(), "cancelled", "0.00", "0.00");
    assert_eq!(till.transaction(&held).await["status"], 5);
    assert_eq!(till.change(&held, "capture", &json!({})).await.status, 409);
    assert_eq!(till.ledger(Provider::Stripe).await, [line("void", "10.00")]);
}

#[actix_web::test]
async fn a_stored_card_is_charged_for_its_buyer_only_at_its_provider() {
    let till = Till::open().await;
    let buyer = super::payers::new_buyer(&till.client).await;
    let body = json!({"provider": "stripe", "buyer": buyer, "nonce": "pm_card_visa"});
    let card = super::shop::created(till.client.post("/paymethods/", &body).await);
    let card = text(&card, "/resource_uri");
    let order = till.order(Provider::Stripe, &json!({"payment_method": card}));
    let payment = till.pay(&order).await;
    assert_shown(&payment, "captured", "10.00", "0.00");
    assert_eq!((&payment["buyer"], &payment["payment_method"]), (&json!(buyer), &json!(card)));
    let other = super::payers::new_buyer(&till.client).await;
    for (order, field, code) in [
        (till.order(Provider::Braintree, &json!({"payment_method": card})), "payment_method", "invalid"),
        (
            till.order(Provider::Stripe, &json!({"payment_method": card, "buyer": other})),
            "payment_method",
            "invalid",
        ),
        (
            till.order(Provider::Stripe, &json!({"payment_method": "/paymethods/99/"})),
            "payment_method",
            "does_not_exist",
        ),
        (till.stripe_order(&json!({"buyer": "/generic/buyer/99/"})), "buyer", "does_not_exist"),
        (
            till.stripe_order(&json!({"seller_product": "/generic/product/99/"})),
            "seller_product",
            "does_not_exist",
        ),
        (till.stripe_order(&json!({"amount": "0.00"})), "amount", "invalid"),
        (till.stripe_order(&json!({"payment_method": card})), "payment_method", "invalid"),
        (till.stripe_order(&json!({"status": "captured"})), "status", "unknown_field"),
    ] {
        super::buyer::assert_code(&till.ask(&order).await, field, code);
    }
    assert_eq!(till.arrived("POST /stripe/v1/payment_intents").await, 1);
}

#[actix_web::test]
async fn a_purchase_and_a_decline_at_braintree() {
    let till = Till::open().await;
    let order = till.order(Provider::Braintree, &json!({"currency": "USD", "nonce": "fake-valid-nonce"}));
    let payment = till.pay(&order).await;
    assert_shown(&payment, "captured", "10.00", "0.00");
    assert_eq!(till.ledger(Provider::Braintree).await, [line("charge", "10.00")]);
    let mut order = order;
    order["amount"] = json!("2001.00");
    let answer = till.ask(&order).await;
    assert_eq!(answer.status, 402, "{answer:?}");
    assert_eq!(answer.json()["decline"]["code"], "2001");
    order["amount"] = json!("10.00");
    order["nonce"] = json!("fake-luhn-invalid-nonce");
    let answer = till.ask(&order).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let payment = answer.json();
    assert_eq!((&payment["status"], &payment["failure"]["code"]), (&json!("failed"), &json!("81715")));
    assert_eq!(till.transaction(&payment).await["status"], 7);
}

#[actix_web::test]
async fn a_checkout_at_paypal_is_completed_once_however_often_the_payer_comes_back() {
    let till = Till::open().await;
    let payment = till.paypal(&json!({})).await;
    assert_shown(&payment, "requires_action", "0.00", "0.00");
    assert!(text(&payment, "/next_action/url").contains("/paypal/checkoutnow"), "{payment}");
    assert_eq!(till.change(&payment, "cancel", &json!({})).await.status, 409);
    let early = till.change(&payment, "complete", &json!({})).await;
    assert_eq!((early.status, &early.json()["status"]), (200, &json!("requires_action")), "{early:?}");
    till.choose(&payment, "approve").await;
    let path = format!("{}complete/", text(&payment, "/resource_uri"));
    let key = unique("key");
    let first = till.post(&path, &key, &json!({})).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_shown(&first.json(), "captured", "10.00", "0.00");
    assert_eq!(first.json()["next_action"], Value::Null);
    for key in [key, unique("key")] {
        let again = till.post(&path, &key, &json!({})).await;
        assert_eq!((again.status, again.json()), (200, first.json()));
    }
    assert_eq!(till.ledger(Provider::Paypal).await, [line("charge", "10.00")]);
}

#[actix_web::test]
async fn a_checkout_at_paypal_is_authorized_captured_in_parts_and_refunded() {
    let till = Till::open().await;
    let payment = till.paypal(&json!({"capture": false})).await;
    till.choose(&payment, "approve").await;
    let held = till.change(&payment, "complete", &json!({})).await;
    assert_eq!((held.status, &held.json()["status"]), (200, &json!("authorized")), "{held:?}");
    assert_eq!(till.change(&payment, "capture", &json!({"amount": "4.00"})).await.status, 200);
    let last = till.change(&payment, "capture", &json!({})).await;
    assert_eq!(last.status, 200, "{last:?}");
    assert_shown(&last.json(), "captured", "10.00", "0.00");
    let first = text(&last.json(), "/captures/0");
    let refund = till.change(&payment, "refunds", &json!({"amount": "1.50", "capture": first})).await;
    assert_eq!(refund.status, 201, "{refund:?}");
    assert_shown(&till.read(&payment).await, "captured", "10.00", "1.50");
    let unknown = till.change(&payment, "refunds", &json!({"capture": "no-such-capture"})).await;
    super::buyer::assert_code(&unknown, "capture", "invalid");
}

#[actix_web::test]
async fn what_a_provider_did_is_on_the_books_though_another_transaction_has_its_id() {
    let till = Till::open().await;
    let order = till.order(Provider::Paypal, &json!({"checkout": super::till::checkout()}));
    let payment = till.pay(&order).await;
    let reference = text(&payment, "/checkout_reference");
    let mut connection = till.pair.database.as_ref().unwrap().connect();
    let other = "insert into transactions (uuid, provider, uid_support, status, type) values ('other', 3, ";
    connection.batch_execute(&format!("{other}'{reference}', 0, 0)")).unwrap();
    till.choose(&payment, "approve").await;
    let done = till.change(&payment, "complete", &json!({})).await;
    assert_eq!((done.status, done.json()["provider_reference"].clone()), (200, json!(reference)), "{done:?}");
    assert_shown(&done.json(), "captured", "10.00", "0.00");
    let transaction = till.transaction(&payment).await;
    assert_eq!((&transaction["status"], &transaction["uid_support"]), (&json!(2), &Value::Null));
}

#[actix_web::test]
async fn a_product_with_a_plan_is_sold_at_its_amount_and_not_instead_of_its_subscription() {
    let till = Till::open().await;
    let database = till.pair.database.as_ref().unwrap();
    let mut plan = ProductPlanRow {
        product_id: ProductId(1),
        amount_minor: Some(1000),
        currency: "EUR".to_owned(),
        recurring: false,
    };
    assert_eq!(till.shop.product, "/generic/product/1/");
    product_plan::set(&mut database.connect(), &plan).unwrap();
    till.stripe(&json!({})).await;
    let other = till.ask(&till.stripe_order(&json!({"amount": "9.99"}))).await;
    super::buyer::assert_code(&other, "amount", "invalid");
    plan.recurring = true;
    product_plan::set(&mut database.connect(), &plan).unwrap();
    super::buyer::assert_code(&till.ask(&till.stripe_order(&json!({}))).await, "seller_product", "invalid");
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
}

#[actix_web::test]
async fn a_checkout_at_the_reference_provider_is_told_by_the_payers_return() {
    // The notice does not arrive.
    let checkout =
        "[providers.reference.checkout]\ncallback_url = \"http://127.0.0.1:9/webhooks/reference/\"";
    let till = Till::at(PairOptions::default().proxy_settings(checkout).spawn().await).await;
    let order = till.order(Provider::Reference, &json!({"checkout": super::till::checkout()}));
    let payment = till.pay(&order).await;
    assert_shown(&payment, "requires_action", "0.00", "0.00");
    let url = text(&payment, "/next_action/url");
    let token = url.split("tx=").nth(1).unwrap();
    // The payer is not sent to pay for it twice.
    let uuid = text(&till.transaction(&payment).await, "/uuid");
    let again = till.shop.start(&uuid).await;
    assert_eq!(again.status, 400, "{again:?}");
    let reason = "The transaction belongs to a payment of /payments/.";
    assert_eq!(again.json(), json!({"ext_transaction_id": [reason]}));
    let early = till.change(&payment, "complete", &json!({})).await;
    assert_eq!(early.status, 200, "{early:?}");
    assert_shown(&early.json(), "pending", "0.00", "0.00");
    till.shop.pay(token, &json!({"outcome": "success"})).await;
    let done = till.change(&payment, "complete", &json!({})).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_shown(&done.json(), "captured", "10.00", "0.00");
    // It gives nothing back, and says so before anything is sent.
    let refund = till.change(&payment, "refunds", &json!({})).await;
    assert_eq!(refund.status, 501, "{refund:?}");
    assert_eq!(
        (&refund.json()["status"], &refund.json()["error"]["code"]),
        (&json!("failed"), &json!("unsupported"))
    );
    assert_shown(&till.read(&payment).await, "captured", "10.00", "0.00");
}

#[actix_web::test]
async fn three_d_secure_needs_the_payer_and_a_look_tells_how_it_ended() {
    let till = Till::open().await;
    for (decision, status, answered) in [("approve", "captured", 200), ("decline", "declined", 402)] {
        let order =
            till.stripe_order(&json!({"nonce": "pm_card_authenticationRequired", "return_url": BACK}));
        let payment = till.pay(&order).await;
        assert_shown(&payment, "requires_action", "0.00", "0.00");
        assert!(text(&payment, "/next_action/url").contains("/authenticate/"), "{payment}");
        assert_eq!(till.transaction(&payment).await["status"], 0);
        let early = till.change(&payment, "complete", &json!({})).await;
        assert_eq!((early.status, &early.json()["status"]), (200, &json!("requires_action")));
        till.decide(&payment, decision).await;
        let done = till.change(&payment, "complete", &json!({})).await;
        assert_eq!((done.status, &done.json()["status"]), (answered, &json!(status)), "{done:?}");
        assert_eq!(done.json()["next_action"], Value::Null);
    }
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
}

#[actix_web::test]
async fn a_payer_who_is_not_through_may_be_given_up() {
    let till = Till::open().await;
    let order = till.stripe_order(&json!({"nonce": "pm_card_authenticationRequired"}));
    let payment = till.pay(&order).await;
    assert!(payment["next_action"]["data"].is_object(), "{payment}");
    let answer = till.change(&payment, "cancel", &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_shown(&answer.json(), "cancelled", "0.00", "0.00");
    let late = till.change(&payment, "complete", &json!({})).await;
    assert_eq!((late.status, &late.json()["status"]), (200, &json!("cancelled")));
}
