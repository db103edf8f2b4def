//! What the provider keeps is in the ledger once its list and our books agree, and once however often they are compared.

use db_server::{domain::reconcile::Counts, store::payment::PaymentRow};
use wire::payment::Provider;

use super::{agreed, shop::Shop};
use crate::ledger::assert_sound;

/// Compares, and gives how many fees were posted; all must agree.
async fn posted(shop: &Shop, agree: u64) -> u64 {
    let report = shop.compare().await.unwrap();
    assert_eq!(report.counts, agreed(agree), "{report:?}");
    report.fees_posted
}

fn capture(shop: &Shop, payment: &PaymentRow, amount: i64) {
    shop.run(&format!("update payments set captured_minor = {amount} where id = {}", payment.id));
}

#[actix_web::test]
async fn each_fee_is_posted_once_however_often_the_days_are_compared() {
    let shop = Shop::open(Provider::Stripe).await;
    let first = shop.sell(1000).await;
    shop.sell(2000).await;
    shop.refund(&first, 400).await;
    assert_eq!(assert_sound(&mut shop.books.connect()), (2, 14));
    assert_eq!(posted(&shop, 3).await, 2);
    // 2.9 % of each charge.
    let balances = "select account || ' ' || sum(balance_minor) as text from ledger_balances \
                    group by account having sum(balance_minor) <> 0 order by account";
    let expected = ["fees:stripe 87", "payable:1 -2600", "receivable:stripe 2513"];
    assert_eq!(shop.texts(balances), expected);
    assert_eq!(assert_sound(&mut shop.books.connect()), (2, 18));
    assert_eq!(posted(&shop, 3).await, 0);
    assert_eq!(shop.texts(balances), expected);
    assert_eq!(assert_sound(&mut shop.books.connect()), (2, 18));
    let named = "select distinct left(reference, 3) as text from ledger_entries where movement = 3";
    assert_eq!(shop.texts(named), ["ch_"], "the provider's id of the charge");
}

#[actix_web::test]
async fn each_capture_has_a_fee_of_its_own() {
    let shop = Shop::open(Provider::Paypal).await;
    let row = shop.sell_in_parts(1000, &[500, 300]).await;
    assert_eq!(posted(&shop, 1).await, 2);
    let named = "select reference as text from ledger_entries where movement = 3 and amount_minor > 0 order by position";
    assert_eq!(shop.texts(named), row.captures);
    assert_eq!(posted(&shop, 1).await, 0);
    assert_eq!(assert_sound(&mut shop.books.connect()).0, 1);
}

#[actix_web::test]
async fn what_does_not_agree_has_no_fee_until_it_does() {
    let shop = Shop::open(Provider::Stripe).await;
    shop.sell(1000).await;
    let wrong = shop.sell(2000).await;
    capture(&shop, &wrong, 1999);
    let report = shop.compare().await.unwrap();
    assert_eq!(report.counts, Counts { agreed: 1, wrong_amount: 1, ..Counts::default() });
    assert_eq!((report.fees_posted, shop.fees()), (1, vec!["29".to_owned()]));
    capture(&shop, &wrong, 2000);
    assert_eq!((posted(&shop, 2).await, shop.fees()), (1, vec!["87".to_owned()]));
    assert_eq!(assert_sound(&mut shop.books.connect()).0, 2);
}

#[actix_web::test]
async fn those_who_compare_at_once_post_each_fee_once() {
    let shop = Shop::open(Provider::Stripe).await;
    for _ in 0..5 {
        shop.sell(1000).await;
    }
    let (one, two) = futures_util::future::join(posted(&shop, 5), posted(&shop, 5)).await;
    assert_eq!((one + two, shop.fees()), (5, vec!["145".to_owned()]));
    assert_eq!(assert_sound(&mut shop.books.connect()).0, 5);
}
