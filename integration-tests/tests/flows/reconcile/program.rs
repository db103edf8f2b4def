//! `db-server reconcile`, by the real executable: its table, its JSON and its exit codes.

use chrono::{TimeDelta, Utc};
use integration_tests::process::End;
use serde_json::{Value, json};
use wire::payment::Provider;

use super::shop::Shop;
use crate::executables::{merged, server};

/// Runs the command with these settings over the shop's.
async fn run(shop: &Shop, settings: &str, arguments: &str) -> (End, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let table = merged(shop.settings.clone(), settings);
    let launch = server("db-server", folder.path(), &table).argument("reconcile");
    let process = launch.arguments(arguments.split_whitespace()).start().unwrap();
    (process.wait().await.unwrap(), process.lines())
}

/// From yesterday to tomorrow.
fn days() -> String {
    let day = |days| (Utc::now() + TimeDelta::days(days)).date_naive();
    format!("--from {} --to {}", day(-1), day(2))
}

#[actix_web::test]
async fn the_command_ends_with_0_when_all_agree_and_with_65_when_not() {
    let shop = Shop::open(Provider::Stripe).await;
    let row = shop.sell(1000).await;
    let wanted = format!("--provider stripe {}", days());
    let all_agree = "1 agree, 0 missing, 0 extra, 0 of another amount, 0 open, 1 fee posted";
    assert_eq!(run(&shop, "", &wanted).await, (End::Exited(0), vec![all_agree.to_owned()]));

    shop.run("update payments set captured_minor = 999");
    let (end, lines) = run(&shop, "", &wanted).await;
    let reference = row.provider_reference.clone().unwrap();
    let expected = [
        "VERDICT\tKIND\tREFERENCE\tOURS\tAT PROVIDER\tIN BOOKS\tAT".to_owned(),
        format!("wrong_amount\tcharge\t{reference}\tpayment {}\t10.00 EUR\t9.99 EUR\t-", row.uuid),
        "0 agree, 0 missing, 0 extra, 1 of another amount, 0 open, 0 fees posted".to_owned(),
    ];
    assert_eq!((end, lines.as_slice()), (End::Exited(65), expected.as_slice()));

    let (end, lines) = run(&shop, "", &format!("{wanted} --json")).await;
    assert_eq!((end, lines.len()), (End::Exited(65), 1), "{lines:?}");
    let report: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(
        report["counts"],
        json!({"agreed": 0, "missing": 0, "extra": 0, "wrong_amount": 1, "open": 0})
    );
    assert_eq!((&report["provider"], &report["fees_posted"]), (&json!("stripe"), &json!(0)));
    assert_eq!(
        report["rows"],
        json!([{
            "verdict": "wrong_amount", "kind": "charge", "reference": reference, "ours": {"payment": row.uuid},
            "at_provider": {"minor_units": 1000, "currency": "EUR"},
            "in_books": {"minor_units": 999, "currency": "EUR"}, "at": null,
        }])
    );
}

#[actix_web::test]
async fn what_cannot_be_compared_says_so_by_its_exit_code() {
    let shop = Shop::open(Provider::Stripe).await;
    let wanted = format!("--provider stripe {}", days());
    for (settings, arguments, code) in [
        ("", "", 64),
        ("", "--provider stripe", 64),
        ("", "--provider nobody --from 2026-01-01 --to 2026-01-02", 64),
        ("", "--provider stripe --from 2026-01-02 --to 2026-01-02", 64),
        ("", "--provider stripe --from 2026-01-02 --to tomorrow", 64),
        ("", "--provider reference --from 2026-01-01 --to 2026-01-02", 64),
        ("[proxy]\nurl = 'http://127.0.0.1:1'", &*wanted, 129),
        ("[database.postgres]\nhost = '/nowhere'", &*wanted, 129),
    ] {
        let (end, lines) = run(&shop, settings, arguments).await;
        assert_eq!(end, End::Exited(code), "{settings} {arguments}: {lines:?}");
    }
}

#[actix_web::test]
async fn the_results_of_the_nights_can_be_read() {
    let shop = Shop::open(Provider::Stripe).await;
    shop.run(
        "insert into reconciliations (provider, day, state, held_until, tries, agreed, missing, rows, failure, modified) \
         values (5, '2026-01-02', 1, null, 1, 7, 0, '[]', null, '2026-01-03T04:00:01Z'), \
                (5, '2026-01-03', 2, null, 2, 8, 1, '[{\"verdict\": \"missing\"}]', null, '2026-01-04T04:00:02Z'), \
                (3, '2026-01-03', 3, '2026-01-04T04:15:00Z', 1, 0, 0, null, 'no answer', '2026-01-04T04:00:03Z')",
    );
    let (end, lines) = run(&shop, "", "--nights").await;
    let expected = [
        "DAY\tPROVIDER\tSTATE\tAGREED\tMISSING\tEXTRA\tWRONG AMOUNT\tOPEN\tTRIES\tENDED",
        "2026-01-03\tpaypal\tfailed\t0\t0\t0\t0\t0\t1\t2026-01-04T04:00:03Z",
        "2026-01-03\tstripe\tdiffers\t8\t1\t0\t0\t0\t2\t2026-01-04T04:00:02Z",
        "2026-01-02\tstripe\tagrees\t7\t0\t0\t0\t0\t1\t2026-01-03T04:00:01Z",
    ];
    assert_eq!((end, lines), (End::Exited(0), expected.map(str::to_owned).to_vec()));
    let (end, lines) = run(&shop, "", "--nights --provider stripe --json").await;
    assert_eq!(end, End::Exited(0));
    let nights: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((nights.as_array().unwrap().len(), &nights[0]["rows"][0]["verdict"]), (2, &json!("missing")));
}
