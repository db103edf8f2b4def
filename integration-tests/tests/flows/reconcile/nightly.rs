//! The comparison of the night: once for all servers, again after a failure, and made up for when nobody ran.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use db_server::{
    domain::{Clock, reconcile::nightly::Nightly},
    proxy_client::ProxyClient,
    settings::NightlySettings,
};
use integration_tests::in_process::start_db_server;
use serde_json::{Value, json};
use wire::payment::Provider;

use super::shop::Shop;
use crate::executables::merged;

/// A night in which a test decides what time it is.
struct Night {
    shop: Shop,
    day: NaiveDate,
    time: Arc<Mutex<DateTime<Utc>>>,
}

impl Night {
    /// The night after a day with one payment, an hour after midnight.
    async fn after_a_payment() -> Self {
        let shop = Shop::open(Provider::Stripe).await;
        let day = Utc::now().date_naive();
        shop.sell(1000).await;
        let midnight = (day + TimeDelta::days(1)).and_time(NaiveTime::MIN).and_utc();
        Self { shop, day, time: Arc::new(Mutex::new(midnight + TimeDelta::hours(1))) }
    }

    fn advance(&self, minutes: i64) {
        *self.time.lock().unwrap() += TimeDelta::minutes(minutes);
    }

    fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Clock::new(move || *time.lock().unwrap())
    }

    fn nightly(&self) -> Nightly {
        let settings = NightlySettings {
            providers: vec![Provider::Stripe],
            at: NaiveTime::from_hms_opt(4, 0, 0).unwrap(),
        };
        Nightly { database: self.shop.database.clone(), clock: self.clock(), settings }
    }

    async fn run(&self) -> usize {
        self.nightly().run_due(&self.shop.proxy).await
    }

    /// State, tries and how many agree, by day.
    fn results(&self) -> Vec<String> {
        self.shop.texts(
            "select day || ' ' || state || ' ' || tries || ' ' || agreed as text from reconciliations order by day",
        )
    }

    fn result(&self, state: &str) -> Vec<String> {
        vec![format!("{} {state}", self.day)]
    }
}

#[actix_web::test]
async fn a_day_is_compared_once_whichever_server_comes_first() {
    let night = Night::after_a_payment().await;
    assert_eq!(night.run().await, 1, "the day before has ended long ago");
    night.shop.run("delete from reconciliations");
    night.advance(180);
    let (first, second) = (night.nightly(), night.nightly());
    let both =
        futures_util::future::join(first.run_due(&night.shop.proxy), second.run_due(&night.shop.proxy)).await;
    assert_eq!(both.0 + both.1, 1);
    assert_eq!(night.results(), night.result("1 1 1"));
    assert_eq!(night.shop.fees(), ["29"], "of two comparisons");
    assert_eq!(night.run().await, 0);
    night.advance(60 * 18);
    assert_eq!(night.run().await, 0);
    assert_eq!(night.results(), night.result("1 1 1"));
}

#[actix_web::test]
async fn what_differs_is_kept_for_an_operator() {
    let night = Night::after_a_payment().await;
    night.shop.run("update payments set captured_minor = 999");
    night.advance(180);
    night.run().await;
    assert_eq!(night.results(), night.result("2 1 0"));
    let rows = night.shop.texts("select rows as text from reconciliations");
    let rows: Value = serde_json::from_str(&rows[0]).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(
        (&rows[0]["verdict"], &rows[0]["at_provider"], &rows[0]["in_books"]),
        (
            &json!("wrong_amount"),
            &json!({"minor_units": 1000, "currency": "EUR"}),
            &json!({"minor_units": 999, "currency": "EUR"})
        )
    );
    let counts =
        "select missing || ' ' || extra || ' ' || wrong_amount || ' ' || open as text from reconciliations";
    assert_eq!(night.shop.texts(counts), ["0 0 1 0"]);
    assert_eq!(night.run().await, 0, "a difference is a result");
}

#[actix_web::test]
async fn a_failed_comparison_is_made_again_after_a_while() {
    let night = Night::after_a_payment().await;
    night.advance(180);
    let table = merged(night.shop.settings.clone(), "[proxy]\nurl = 'http://127.0.0.1:1'");
    let nowhere = db_server::settings::read(table, chassis::environment::Environment::default()).unwrap();
    assert_eq!(night.nightly().run_due(&ProxyClient::new(&nowhere.proxy, None)).await, 1);
    assert_eq!(night.results(), night.result("3 1 0"));
    let failure = night.shop.texts("select failure as text from reconciliations");
    assert!(failure[0].starts_with("the provider's list cannot be had"), "{failure:?}");
    night.advance(14);
    assert_eq!(night.run().await, 0);
    night.advance(1);
    assert_eq!(night.run().await, 1);
    assert_eq!(night.results(), night.result("1 2 1"));
    assert_eq!(
        night.shop.texts("select 'x' as text from reconciliations where failure is not null").len(),
        0
    );
}

#[actix_web::test]
async fn a_day_whose_server_died_is_taken_over_and_the_dead_one_changes_nothing() {
    let night = Night::after_a_payment().await;
    night.advance(180);
    let begun = *night.time.lock().unwrap() - TimeDelta::hours(5);
    night.shop.run(&format!(
        "insert into reconciliations (provider, day, held_until) values (5, '{}', '{}')",
        night.day,
        begun + TimeDelta::hours(6)
    ));
    assert_eq!(night.run().await, 0);
    night.advance(60);
    assert_eq!(night.run().await, 1);
    assert_eq!(night.results(), night.result("1 2 1"));
    // What the first one found comes too late.
    let changed = night.shop.write(|connection| {
        use db_server::store::{
            id::ReconciliationId,
            reconciliation::{self, Ended, ReconciliationState},
        };
        let ended = Ended {
            state: ReconciliationState::Differs,
            held_until: None,
            agreed: 0,
            missing: 1,
            extra: 0,
            wrong_amount: 0,
            open: 0,
            rows: Some("[]".to_owned()),
            failure: None,
        };
        reconciliation::end(connection, (ReconciliationId(1), 1), &ended).unwrap()
    });
    assert!(!changed.await);
    assert_eq!(night.results(), night.result("1 2 1"));
}

#[actix_web::test]
async fn days_on_which_nobody_ran_are_made_up_for() {
    let night = Night::after_a_payment().await;
    night.advance(180);
    assert_eq!(night.run().await, 1);
    night.advance(60 * 24 * 3);
    assert_eq!(night.run().await, 3);
    let days: Vec<String> = night.shop.texts("select day::text as text from reconciliations order by day");
    let expected: Vec<String> = (0..4).map(|days| (night.day + TimeDelta::days(days)).to_string()).collect();
    assert_eq!(days, expected);
    // Not further back than a week.
    night.advance(60 * 24 * 30);
    assert_eq!(night.run().await, 1);
}

#[actix_web::test]
async fn db_server_compares_by_itself_when_it_is_set() {
    let shop = Shop::open(Provider::Stripe).await;
    // By the clock of the machine: provider-proxy believes no token of another time. The day before had no payment.
    let _without = start_db_server(shop.settings.clone());
    let set = merged(shop.settings.clone(), "[reconcile]\nnightly = ['stripe']\nat = '00:00'");
    let _with = start_db_server(set);
    let states = "select state::text as text from reconciliations where state > 0";
    while shop.texts(states).is_empty() {
        actix_web::rt::task::yield_now().await;
    }
    assert_eq!(shop.texts(states), ["1"]);
}
