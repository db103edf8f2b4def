//! A server dies at each named point of each flow: the client repeats its request under the same key, janitors look, and
//! what the provider has moved is on the books once.

use std::time::Duration;

use integration_tests::{
    crash::{
        CrashError, Database, Differences,
        asking::Asking,
        books::Books,
        plan::{Purchase, Then, With},
        points::{Flow, Point, Program},
        rig::Rig,
        settling,
        shop::{Buying, Shop},
        slot::Slot,
    },
    crash_points,
    database::TestDatabase,
    process::End,
};
use serde_json::json;
use wire::payment::Provider;

use super::crash_points_of_deliveries;

const AMOUNT: i64 = 1234;
const PART: i64 = 500;
/// How many minutes pass between two looks.
const LATER: i64 = 3;
/// Longer than all of it takes.
const LIMIT: Duration = Duration::from_secs(90);

macro_rules! tests {
    ($($test:ident, $name:literal, $program:ident, $flow:ident, $provider:ident;)+) => {
        mod money_is_moved_once_and_told_the_same_when_a_server_dies_at {
            use super::*;

            $(
                #[actix_web::test]
                async fn $test() {
                    let (program, flow) = (Program::$program, Flow::$flow);
                    dies_at(Point { name: $name, program, flow, provider: Provider::$provider }).await;
                }
            )+
        }
    };
}
crash_points!(tests);

async fn dies_at(point: Point) {
    if point.flow == Flow::Delivery {
        return crash_points_of_deliveries::dies_at(point.name).await;
    }
    let database = TestDatabase::new();
    let of_test = Database::new(&database.socket_folder(), database.name(), database.url());
    let rig = Rig::start(of_test, 1).await.unwrap();
    let shop = Shop::open(&rig).await.unwrap();
    if point.flow == Flow::Janitor {
        // The provider does it, and nobody hears of it.
        let lost = json!([{"method": "POST", "path": "/stripe/v1/payment_intents", "fault": "drop_after"}]);
        assert!(rig.sandbox().post("/_sandbox/faults", &lost).await.status < 300);
        let held = json!({"copies": 1, "delay_ms": 0, "hold": true});
        assert_eq!(rig.sandbox().put("/_sandbox/webhooks/handling", &held).await.status, 200);
    }
    let victim = match point.program {
        Program::DbServer => &rig.db_servers[0],
        Program::ProviderProxy => &rig.provider_proxy,
    };
    victim.kill().await.unwrap();
    victim.start(Some(&armed(&point))).await.unwrap();

    let asking = Asking::new(&rig, 1, LIMIT);
    let buying = Buying { shop: &shop, asking: &asking, rig: &rig, name: point.name };
    let purchase = purchase(&point);
    let bought = std::cell::Cell::new(false);
    let buy = async {
        let done = buying.buy(&purchase).await;
        bought.set(true);
        done
    };
    let (done, survived) = tokio::join!(buy, survive(&rig, victim, &point, || bought.get()));
    survived.unwrap();
    done.unwrap();
    check(&rig, &asking, &point).await;
}

/// Which passing of the point is the one of the flow: provider-proxy passes it for each thing that is asked.
fn armed(point: &Point) -> String {
    let before = matches!(point.flow, Flow::Capture | Flow::Cancel | Flow::Refund | Flow::Complete);
    let is_shared = point.program == Program::ProviderProxy;
    format!("{}:{}", point.name, if is_shared && before { 2 } else { 1 })
}

/// A purchase in which that flow comes up.
fn purchase(point: &Point) -> Purchase {
    let with = match point.provider {
        Provider::Stripe | Provider::Braintree => With::Nonce,
        Provider::Paypal | Provider::Reference => With::Checkout,
    };
    let capture = !matches!(point.flow, Flow::Capture | Flow::Cancel);
    let then = if point.flow == Flow::Cancel { Then::Cancel } else { Then::Captures(vec![PART]) };
    let refunds = if point.flow == Flow::Refund { vec![PART] } else { Vec::new() };
    Purchase { number: 1, provider: point.provider, with, amount: AMOUNT, capture, then, refunds }
}

/// Waits for the death, and brings the server back: the time that was lost has passed, providers post again what nobody
/// has taken, and janitors look until nothing is open.
async fn survive(
    rig: &Rig,
    victim: &Slot,
    point: &Point,
    is_over: impl Fn() -> bool,
) -> Result<(), CrashError> {
    if point.flow == Flow::Janitor {
        while victim.process().is_some_and(|process| process.end().is_none()) {
            settling::pass_time(rig, Duration::ZERO, 0).await?;
            tokio::task::yield_now().await;
        }
    }
    let end = victim.ended().await?;
    assert!(matches!(end, Some(End::Killed(_))), "it dies at {}: {end:?}", point.name);
    victim.kill().await?;
    victim.start(None).await?;
    settling::end_leases(rig).await?;
    settling::calm(rig).await?;
    settling::settle(rig, LIMIT, LATER, is_over).await?;
    settling::deliver_again(rig).await
}

/// How many lines the provider's ledger has in the end. Braintree is never asked again: what had not reached it is given
/// up.
fn lines(point: &Point) -> usize {
    match point.flow {
        Flow::Refund => 2,
        Flow::Create if point.provider == Provider::Braintree && point.name.ends_with(".begun") => 0,
        _ => 1,
    }
}

async fn check(rig: &Rig, asking: &Asking<'_>, point: &Point) {
    let books = Books::read(rig).await.unwrap();
    let mut found: Differences = books.compare();
    let asked = asking.asked.borrow().clone();
    found.0.extend(books.compare_answers(&asked).0);
    found.check().unwrap_or_else(|error| panic!("{error}\n{}", rig.last_lines()));
    for asked in &asked {
        asking.ask_again(asked).await.unwrap();
    }
    let after = Books::read(rig).await.unwrap();
    let lines = lines(point);
    assert_eq!((books.lines.len(), after.lines.len()), (lines, lines), "{:?}", after.lines);
    for command in [["ledger", "verify"], ["ledger", "check"]] {
        rig.db_servers[0].command(&command).await.unwrap();
    }
}
