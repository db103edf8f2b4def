//! SIGTERM and SIGINT: what is in flight is answered, then the process ends with 0.

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt,
};
use integration_tests::{in_process::Dummies, process::End};
use rustix::process::Signal;
use serde_json::json;

use super::{
    executables::{DATABASE, Executables},
    shop::{Shop, text},
};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[actix_web::test]
async fn requests_in_flight_are_answered_before_either_server_ends() {
    for (signal, of_proxy) in [(Signal::TERM, false), (Signal::INT, false), (Signal::TERM, true)] {
        let running = Executables::start("", "", Dummies::default()).await;
        let client = running.client();
        let sandbox = integration_tests::client::Client::unsigned(&running.sandbox.url);
        let shop = Shop::open_at(client, &running.db_server.url, sandbox).await;
        let transaction = shop.transaction().await;
        let uuid = text(&transaction, "/uuid");
        shop.fault("/transactions", json!({"delay_ms": 1000, "after": true})).await;

        let stopping = if of_proxy { &running.provider_proxy } else { &running.db_server };
        let end = async {
            // In flight: the provider has it and has not answered.
            while shop.arrived("POST /transactions").await == 0 {
                actix_web::rt::task::yield_now().await;
            }
            stopping.process.signal(signal);
            stopping.process.wait().await.unwrap()
        };
        let (answer, end) = futures_util::future::join(shop.start(&uuid), end).await;
        assert_eq!(answer.status, 201, "{signal:?}: {answer:?}");
        assert_eq!(end, End::Exited(0), "{signal:?}");
        let refused = awc_connects(&stopping.url).await;
        assert!(!refused, "it still listens");
    }
}

/// How many sessions wait until positions may be given to events.
fn waiting(connection: &mut PgConnection) -> i64 {
    let query = "select count(*) from pg_stat_activity where datname = current_database() \
                 and wait_event_type = 'Lock' and query like '%order_events%'";
    sql_query(query).get_result::<Count>(connection).unwrap().count
}

#[actix_web::test]
async fn who_waits_for_events_is_answered_at_once_when_db_server_is_asked_to_stop() {
    // Shorter than the wait: what is answered is answered because of the stop, and not at the end of the wait.
    let running = Executables::start("[server]\ndrain = '10s'\n", "", Dummies::default()).await;
    let mut connection = running.postgres.connect(DATABASE).unwrap();
    // Whoever asks for events gives them their positions first, as db-server also does by itself. While that cannot be
    // done, it shows in Postgres who has come.
    connection.batch_execute("begin; lock table unordered_events in access exclusive mode").unwrap();
    let poll = || async { running.client().get("/events/?after=0&wait=30").await };
    let end = async {
        let mut watching = running.postgres.connect(DATABASE).unwrap();
        while waiting(&mut watching) < 3 {
            actix_web::rt::task::yield_now().await;
        }
        connection.batch_execute("rollback").unwrap();
        running.db_server.process.signal(Signal::TERM);
        running.db_server.process.wait().await.unwrap()
    };
    let (first, second, end) = futures_util::future::join3(poll(), poll(), end).await;
    for answer in [first, second] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!((&answer.json()["objects"], &answer.json()["meta"]["after"]), (&json!([]), &json!(0)));
    }
    assert_eq!(end, End::Exited(0));
}

async fn awc_connects(url: &str) -> bool {
    awc::Client::new().get(url).send().await.is_ok()
}

#[actix_web::test]
async fn an_idle_server_ends_at_once_with_0() {
    let running = Executables::start("", "", Dummies::default()).await;
    for server in [&running.db_server, &running.provider_proxy, &running.sandbox] {
        server.process.signal(Signal::TERM);
        assert_eq!(server.process.wait().await.unwrap(), End::Exited(0), "{}", server.process.name());
    }
}
