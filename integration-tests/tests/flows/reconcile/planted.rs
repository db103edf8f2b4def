//! One error of each kind, planted, and found as what it is.

use db_server::{
    domain::{
        payment::look::at_payment,
        reconcile::{Counts, Ours, Range, Verdict},
    },
    store::payment_code::PaymentStatus,
};
use uuid::Uuid;
use wire::payment::{AttemptId, MovementKind, Provider};

use super::{PROVIDERS, agreed, shop::Shop, short};

use MovementKind::{Charge, Refund};
use Verdict::{Extra, Missing, WrongAmount};

#[actix_web::test]
async fn a_charge_that_nobody_wrote_down_is_missing() {
    for provider in PROVIDERS {
        let shop = Shop::open(provider).await;
        shop.sell(1000).await;
        // Made directly at the provider, under an attempt that is not ours.
        let (_, mut operation) = shop.begin(1100, true).await;
        operation.attempt = Uuid::now_v7();
        let charge = shop.authorize(&operation, true).await.result().unwrap().clone();
        shop.run("delete from payment_operations where payment_id = 2; delete from payments where id = 2");
        let report = shop.compare().await.unwrap();
        assert_eq!(report.counts, Counts { agreed: 1, missing: 1, ..Counts::default() }, "{provider}");
        let found = &short(&report)[0];
        assert_eq!((found.0, found.1, found.3, found.4), (Missing, Charge, Some(1100), None));
        if provider == Provider::Braintree {
            assert_eq!(found.2.as_ref(), Some(&charge.reference));
        }
        assert!(!report.agrees());
    }
}

#[actix_web::test]
async fn a_second_charge_of_the_same_attempt_is_missing() {
    let shop = Shop::open(Provider::Braintree).await;
    let row = shop.sell(1000).await;
    // Braintree takes an attempt twice where nothing stops it: another amount is no duplicate to it.
    let (_, mut second) = shop.begin(1001, true).await;
    let query = format!("select attempt::text as text from payment_operations where payment_id = {}", row.id);
    second.attempt = shop.texts(&query)[0].parse().unwrap();
    let second = shop.authorize(&second, true).await.result().unwrap().reference.clone();
    shop.run("delete from payment_operations where payment_id = 2; delete from payments where id = 2");
    let report = shop.compare().await.unwrap();
    assert_eq!(short(&report), [(Missing, Charge, Some(second), Some(1001), None)]);
    assert_eq!(report.rows[0].ours, Some(Ours::Payment(row.uuid.to_string())), "whose attempt it was");
    assert_eq!(report.counts.agreed, 1);
}

#[actix_web::test]
async fn a_payment_that_we_lost_is_missing_and_one_that_nobody_made_is_extra() {
    for provider in PROVIDERS {
        let shop = Shop::open(provider).await;
        shop.sell(1000).await;
        let lost = shop.sell(1100).await;
        // The row now says that it is another payment.
        shop.run(&format!(
            "update payments set provider_reference = 'NOBODYMADEIT', captures = '{{}}' where id = {}",
            lost.id
        ));
        let report = shop.compare().await.unwrap();
        assert_eq!(
            report.counts,
            Counts { agreed: 1, missing: 1, extra: 1, ..Counts::default() },
            "{provider}: {report:?}"
        );
        let (missing, extra) = (&short(&report)[0], &short(&report)[1]);
        assert_eq!((missing.0, missing.3, missing.4), (Missing, Some(1100), None));
        let nobody = Some("NOBODYMADEIT".to_owned());
        assert_eq!(extra, &(Extra, Charge, nobody, None, Some(1100)));
        assert_eq!(report.rows[1].ours, Some(Ours::Payment(lost.uuid.to_string())));
    }
}

#[actix_web::test]
async fn another_amount_is_told_whichever_side_has_more() {
    for provider in PROVIDERS {
        let shop = Shop::open(provider).await;
        let (less, more) = (shop.sell(1000).await, shop.sell(1100).await);
        let currency = shop.sell(1200).await;
        shop.run(&format!("update payments set captured_minor = 999 where id = {}", less.id));
        shop.run(&format!(
            "update payments set amount_minor = 1200, captured_minor = 1101 where id = {}",
            more.id
        ));
        shop.run(&format!("update payments set currency = 'USD' where id = {}", currency.id));
        let report = shop.compare().await.unwrap();
        let reference = |row: &db_server::store::payment::PaymentRow| row.provider_reference.clone();
        let expected = [
            (WrongAmount, Charge, reference(&less), Some(1000), Some(999)),
            (WrongAmount, Charge, reference(&more), Some(1100), Some(1101)),
            (WrongAmount, Charge, reference(&currency), Some(1200), Some(1200)),
        ];
        assert_eq!(short(&report), expected, "{provider}");
        assert_eq!(report.rows[2].in_books.unwrap().currency.code(), "USD");
        assert_eq!(report.counts, Counts { wrong_amount: 3, ..Counts::default() });
    }
}

#[actix_web::test]
async fn a_capture_that_we_do_not_know_is_missing_though_its_payment_is_ours() {
    for provider in [Provider::Paypal, Provider::Braintree] {
        let shop = Shop::open(provider).await;
        let row = shop.sell_in_parts(1000, &[500, 300]).await;
        let lost = row.captures[1].clone();
        shop.run(&format!(
            "update payments set captures = captures[1:1], captured_minor = 500 where id = {}",
            row.id
        ));
        let report = shop.compare().await.unwrap();
        assert_eq!(short(&report), [(Missing, Charge, Some(lost), Some(300), None)], "{provider}");
        assert_eq!(report.counts.agreed, 1);
    }
}

#[actix_web::test]
async fn what_braintree_took_and_then_could_not_settle_is_extra() {
    let shop = Shop::open(Provider::Braintree).await;
    // The sandbox declines the settlement of this amount.
    let row = shop.sell(400_100).await;
    assert!(shop.compare().await.unwrap().agrees());
    let reference = row.provider_reference.clone().unwrap();
    shop.play(&format!("braintree/transactions/{reference}/settle"), serde_json::json!({})).await;
    let report = shop.compare().await.unwrap();
    assert_eq!(short(&report), [(Extra, Charge, Some(reference.clone()), None, Some(400_100))]);
    // What Braintree posts then, and here a look shows, takes it back.
    let looked = at_payment(&shop.proxy, Provider::Braintree, reference).await.unwrap().unwrap();
    let row = shop.absorb(&row, looked).await;
    assert_eq!((row.standing, row.captured_minor), (PaymentStatus::Failed, 0));
    assert_eq!(shop.compare().await.unwrap().counts, agreed(0));
}

#[actix_web::test]
async fn refunds_are_compared_one_by_one() {
    for provider in PROVIDERS {
        let shop = Shop::open(provider).await;
        let row = shop.sell(1000).await;
        let (wrong, failed, right) =
            (shop.refund(&row, 100).await, shop.refund(&row, 110).await, shop.refund(&row, 120).await);
        let elsewhere = shop.refund_at_provider(&row, 130).await.result().unwrap().reference.clone();
        let lost = shop.refund(&row, 140).await;
        shop.run(&format!("update refunds set amount_minor = 99 where provider_reference = '{wrong}'"));
        shop.run(&format!("update refunds set standing = 3 where provider_reference = '{failed}'"));
        shop.run(&format!(
            "update refunds set provider_reference = 'NOBODYMADEIT' where provider_reference = '{lost}'"
        ));
        let report = shop.compare().await.unwrap();
        let mut found = short(&report);
        found.sort_by_key(|row| (row.3, row.4));
        let expected = [
            (Extra, Refund, Some("NOBODYMADEIT".to_owned()), None, Some(140)),
            (WrongAmount, Refund, Some(wrong), Some(100), Some(99)),
            (Missing, Refund, Some(failed), Some(110), Some(110)),
            (Missing, Refund, Some(elsewhere), Some(130), None),
            (Missing, Refund, Some(lost), Some(140), None),
        ];
        assert_eq!(found, expected, "{provider}");
        assert_eq!(report.counts.agreed, 2, "the payment, and {right}");
    }
}

#[actix_web::test]
async fn money_of_the_older_paths_is_on_the_books_as_well() {
    let shop = Shop::open(Provider::Braintree).await;
    let mut references = Vec::new();
    for amount in [1000, 1100, 1200] {
        let (_, mut operation) = shop.begin(amount, true).await;
        operation.attempt = AttemptId::new().uuid();
        references.push(shop.authorize(&operation, true).await.result().unwrap().reference.clone());
    }
    shop.run("delete from payment_operations; delete from payments");
    // The transactions of the three are all that is left: a sale, one of another amount, one that failed here.
    for (index, (reference, status)) in references.iter().zip([2, 1, 4]).enumerate() {
        let id = index + 1;
        shop.run(&format!(
            "update transactions set status = {status}, uid_support = '{reference}' where id = {id}"
        ));
    }
    shop.run("update transactions set amount_minor = 1 where id = 2");
    shop.run(
        "insert into transactions (uuid, status, amount_minor, currency, provider, uid_support) \
         values ('t', 2, 700, 'EUR', 4, 'nobody made it'), ('u', 0, 800, 'EUR', 4, 'neither this')",
    );
    let report = shop.compare().await.unwrap();
    let expected = [
        (Extra, Charge, Some("nobody made it".to_owned()), None, Some(700)),
        (WrongAmount, Charge, Some(references[1].clone()), Some(1100), Some(1)),
        (Missing, Charge, Some(references[2].clone()), Some(1200), Some(1200)),
    ];
    let mut found = short(&report);
    found.sort_by_key(|row| (row.3, row.4));
    assert_eq!(found, expected);
    assert_eq!(report.counts.agreed, 1);
    assert!(report.rows.iter().all(|row| matches!(row.ours, Some(Ours::Transaction(_)))));
}

#[actix_web::test]
async fn other_days_and_other_providers_are_not_looked_at() {
    let shop = Shop::open(Provider::Stripe).await;
    shop.sell(1000).await;
    let day = (chrono::Utc::now() - chrono::TimeDelta::days(9)).date_naive();
    assert_eq!(shop.compare_days(Range::day(day)).await.unwrap().counts, agreed(0));
    shop.run("update payments set captured_minor = 999");
    let other = db_server::domain::reconcile::reconcile(
        &shop.database,
        &shop.proxy,
        Provider::Braintree,
        super::shop::today(),
        chrono::Utc::now(),
    );
    assert_eq!(other.await.unwrap().counts, agreed(0));
}
