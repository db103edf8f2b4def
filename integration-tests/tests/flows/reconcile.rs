//! Our books against a provider's list: what agrees, and each kind of error planted into one side or the other.

mod fees;
mod nightly;
mod planted;
mod program;
mod shop;

use db_server::domain::{
    payment::Fact,
    reconcile::{Counts, Report, Verdict},
};
use serde_json::json;
use wire::{
    Money,
    payment::{MovementKind, Provider},
};

use shop::Shop;

/// The providers that have a list.
const PROVIDERS: [Provider; 3] = [Provider::Stripe, Provider::Paypal, Provider::Braintree];

/// A row that does not agree, in short: what, which way, the provider's id, their amount and ours in minor units.
type Short = (Verdict, MovementKind, Option<String>, Option<i64>, Option<i64>);

fn short(report: &Report) -> Vec<Short> {
    let minor = |amount: Option<Money>| amount.map(|amount| amount.minor_units);
    let short = |row: &db_server::domain::reconcile::Row| {
        (row.verdict, row.kind, row.reference.clone(), minor(row.at_provider), minor(row.in_books))
    };
    report.rows.iter().map(short).collect()
}

fn agreed(count: u64) -> Counts {
    Counts { agreed: count, ..Counts::default() }
}

#[actix_web::test]
async fn books_that_are_right_agree_with_every_provider_s_list() {
    for provider in PROVIDERS {
        let shop = Shop::open(provider).await;
        assert_eq!(shop.compare().await.unwrap().counts, agreed(0), "{provider}: nothing");
        let first = shop.sell(1000).await;
        shop.sell(1100).await;
        shop.sell_in_parts(1200, &[500, 300]).await;
        // What is only authorized is no movement.
        shop.sell_in_parts(1300, &[]).await;
        shop.refund(&first, 400).await;
        shop.refund(&first, 100).await;
        let report = shop.compare().await.unwrap();
        assert_eq!((report.rows.as_slice(), report.counts), ([].as_slice(), agreed(5)), "{provider}");
        assert!(report.agrees());
    }
}

#[actix_web::test]
async fn a_list_of_several_pages_is_read_to_its_end() {
    for provider in [Provider::Stripe, Provider::Braintree] {
        let shop = Shop::open(provider).await;
        // More than a page of either provider, of one hour.
        for amount in 0..105 {
            shop.sell(1000 + amount).await;
        }
        assert_eq!(shop.compare().await.unwrap().counts, agreed(105), "{provider}");
    }
}

#[actix_web::test]
async fn a_list_that_is_behind_is_made_up_for_by_asking() {
    let shop = Shop::open(Provider::Paypal).await;
    let row = shop.sell(1000).await;
    shop.refund(&row, 300).await;
    let behind = json!({"lag_seconds": 10_800});
    let client = integration_tests::client::Client::unsigned(shop.sandbox.url());
    assert_eq!(client.put("/_sandbox/paypal/reporting", &behind).await.status, 204);
    assert_eq!(shop.compare().await.unwrap().counts, agreed(2));
    // So is a search that finds more than PayPal gives: it is made for shorter times.
    shop.play("paypal/clock", json!({"seconds": 60})).await;
    let row = shop.sell(1100).await;
    shop.refund(&row, 300).await;
    let few = json!({"most": 3});
    assert_eq!(client.put("/_sandbox/paypal/reporting", &few).await.status, 204);
    let counts = shop.compare().await.unwrap().counts;
    assert_eq!((counts.agreed, counts.missing, counts.extra), (4, 0, 0));
}

#[actix_web::test]
async fn what_is_not_known_yet_is_open_and_no_error() {
    for provider in PROVIDERS {
        let shop = Shop::open(provider).await;
        // The provider took it, and its answer was lost.
        let (row, operation) = shop.begin(1000, true).await;
        let outcome = shop.authorize(&operation, true).await;
        let report = shop.compare().await.unwrap();
        assert!(report.agrees(), "{provider}: {report:?}");
        assert_eq!(report.counts.open, u64::try_from(report.rows.len()).unwrap());
        assert!(
            report.rows.iter().all(|row| row.verdict == Verdict::Open && row.ours.is_some()),
            "{report:?}"
        );
        assert!(report.rows.iter().any(|row| row.at_provider.is_some()), "the provider's row is among them");
        let row = shop.absorb(&row, Fact::Unknown { operation: operation.clone(), why: None }).await;
        assert!(shop.compare().await.unwrap().agrees());
        shop.absorb(&row, Fact::Payment { operation: Some(operation), outcome }).await;
        assert_eq!(shop.compare().await.unwrap().counts, agreed(1), "{provider}");
    }
}
