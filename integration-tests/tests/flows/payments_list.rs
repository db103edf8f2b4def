//! The list of payments: its filters, and how it goes on behind its last one.

use serde_json::{Value, json};
use wire::payment::Provider;

use super::{payers::new_buyer, shop::text, till::Till};

async fn listed(till: &Till, query: &str) -> Value {
    let answer = till.client.get(&format!("/payments/{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()
}

fn ids(list: &Value) -> Vec<i64> {
    list["objects"].as_array().unwrap().iter().map(|one| one["resource_pk"].as_i64().unwrap()).collect()
}

#[actix_web::test]
async fn payments_are_found_by_their_filters_newest_first() {
    let till = Till::open().await;
    let buyer = new_buyer(&till.client).await;
    let first = till.stripe(&json!({"buyer": buyer})).await;
    till.stripe(&json!({"capture": false})).await;
    till.ask(&till.stripe_order(&json!({"nonce": "pm_card_visa_chargeDeclined"}))).await;
    till.pay(&till.order(Provider::Braintree, &json!({"currency": "USD", "nonce": "fake-valid-nonce"})))
        .await;
    let created = text(&first, "/created");
    for (query, expected) in [
        (String::new(), vec![4, 3, 2, 1]),
        ("?status=captured".into(), vec![4, 1]),
        ("?status=authorized".into(), vec![2]),
        ("?status=declined&provider=stripe".into(), vec![3]),
        ("?status=unknown".into(), vec![]),
        ("?provider=braintree".into(), vec![4]),
        (format!("?buyer={buyer}"), vec![1]),
        ("?buyer=1&status=declined".into(), vec![]),
        (format!("?seller={}", till.shop.seller), vec![4, 3, 2, 1]),
        ("?seller=99".into(), vec![]),
        (format!("?seller_product={}", till.shop.product), vec![4, 3, 2, 1]),
        (format!("?created__lt={created}"), vec![]),
        (format!("?created__gte={created}"), vec![4, 3, 2, 1]),
        ("?created__gte=2099-01-01T00:00:00%2B00:00".into(), vec![]),
    ] {
        assert_eq!(ids(&listed(&till, &query).await), expected, "{query}");
    }
    for (query, status) in [
        ("?status=paid", 422),
        ("?provider=bango", 422),
        ("?created__gte=yesterday", 422),
        ("?limit=0", 422),
        ("?limit=501", 422),
        ("?after=x", 422),
        ("?page=2", 400),
        ("?staus=captured", 400),
    ] {
        assert_eq!(till.client.get(&format!("/payments/{query}")).await.status, status, "{query}");
    }
    assert_eq!(till.client.get("/payments/99/").await.status, 404);
    assert_eq!(till.client.get("/payments/99/refunds/").await.status, 404);
    assert_eq!(till.client.get("/payments/99/events/").await.status, 404);
}

#[actix_web::test]
async fn a_list_goes_on_where_it_ended_even_if_payments_are_added_meanwhile() {
    let till = Till::open().await;
    for _ in 0..5 {
        till.stripe(&json!({})).await;
    }
    let first = listed(&till, "?limit=2&status=captured").await;
    assert_eq!(ids(&first), [5, 4]);
    till.stripe(&json!({})).await;
    let mut seen = ids(&first);
    let mut next = first["meta"]["next"].as_str().map(ToOwned::to_owned);
    while let Some(path) = next {
        assert!(path.starts_with("/payments/?") && path.contains("status=captured"), "{path}");
        let answer = till.client.get(&path).await.json();
        assert_eq!(answer["meta"]["limit"], 2);
        seen.extend(ids(&answer));
        next = answer["meta"]["next"].as_str().map(ToOwned::to_owned);
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    assert_eq!(listed(&till, "?limit=6").await["meta"]["next"], Value::Null);
}

#[actix_web::test]
async fn the_history_of_a_payment_tells_what_became_of_it() {
    let till = Till::open().await;
    let payment = till.stripe(&json!({"capture": false})).await;
    till.change(&payment, "capture", &json!({"amount": "4.00"})).await;
    till.change(&payment, "capture", &json!({"amount": "6.00"})).await;
    till.change(&payment, "refunds", &json!({"amount": "1.00"})).await;
    let path = format!("{}events/", text(&payment, "/resource_uri"));
    let history = till.client.get(&path).await.json();
    let types: Vec<_> =
        history["objects"].as_array().unwrap().iter().map(|event| text(event, "/type")).collect();
    assert_eq!(
        types,
        ["payment.created", "payment.authorized", "payment.captured", "payment.captured", "refund.succeeded"]
    );
    let first = till.client.get(&format!("{path}?limit=1")).await.json();
    let next = text(&first, "/meta/next");
    assert_eq!(text(&till.client.get(&next).await.json(), "/objects/0/type"), "payment.authorized");
}
