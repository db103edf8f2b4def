//! More clients than connections to Postgres, one of which holds a lock.

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt,
};
use futures_util::future::{join, join_all};
use integration_tests::{client::Answer, in_process::PairOptions};
use serde_json::json;

use super::shop::{created, text, unique};

#[track_caller]
fn assert_graceful(answers: &[Answer]) -> usize {
    for answer in answers {
        match answer.status {
            200 | 201 => {}
            503 => {
                assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
                assert_eq!(answer.json(), json!({"detail": "The database is busy."}));
            }
            _ => panic!("{answer:?}"),
        }
    }
    answers.iter().filter(|answer| answer.status == 503).count()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many sessions of this database wait for a lock.
fn waiting_for_a_lock(connection: &mut PgConnection) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    sql_query(query).get_result::<Count>(connection).unwrap().count
}

#[actix_web::test]
async fn more_clients_than_connections_are_served_or_told_to_come_back() {
    let pair = PairOptions::default()
        .db_settings("[database]\npool_size = 2\npool_wait = '1s'\nstatement_timeout = '2s'\n")
        .spawn()
        .await;
    let client = pair.client();
    let seller = created(client.post("/generic/seller/", &json!({"uuid": "held"})).await);
    let path = text(&seller, "/resource_uri");
    let mut holder = pair.database.as_ref().unwrap().connect();
    holder.batch_execute("BEGIN").unwrap();
    sql_query("SELECT FROM sellers FOR UPDATE").execute(&mut holder).unwrap();

    // Two take both connections and wait for the lock; behind them everybody else waits for a connection.
    let active = json!({"active": false});
    let blocked = join_all((0..4).map(|_| client.patch(&path, &active)));
    let mut observer = pair.database.as_ref().unwrap().connect();
    let others = async {
        while waiting_for_a_lock(&mut observer) < 2 {
            actix_web::rt::task::yield_now().await;
        }
        join_all((0..40).map(async |number: u32| {
            if number.is_multiple_of(2) {
                client.get("/generic/seller/").await
            } else {
                client.post("/generic/seller/", &json!({"uuid": unique("s")})).await
            }
        }))
        .await
    };
    let (blocked, others) = join(blocked, others).await;
    assert_eq!(assert_graceful(&blocked), 4, "the lock was held all the time: {blocked:?}");
    let refused = assert_graceful(&others);
    assert!(refused > 0, "nobody has waited in vain, so this shows nothing");

    // What was refused has left nothing behind, and what was accepted has.
    let accepted = others.iter().filter(|answer| answer.status == 201).count();
    holder.batch_execute("COMMIT").unwrap();
    let sellers = client.get("/generic/seller/?limit=100").await.json();
    assert_eq!(sellers["meta"]["total_count"], accepted + 1, "{sellers}");
    let patched = client.patch(&path, &active).await;
    assert_eq!((patched.status, &patched.json()["counter"]), (200, &json!(1)), "{patched:?}");
}

#[actix_web::test]
async fn many_clients_on_two_connections_are_all_served() {
    let pair = PairOptions::default().db_settings("[database]\npool_size = 2\n").spawn().await;
    let client = pair.client();
    let sent = (0..100).map(|_| async {
        let body = json!({"uuid": unique("s")});
        client.post("/generic/seller/", &body).await
    });
    let answers = join_all(sent).await;
    assert_eq!(assert_graceful(&answers), 0, "{answers:?}");
    let sellers = client.get("/generic/seller/?limit=1").await.json();
    assert_eq!(sellers["meta"]["total_count"], 100);
}
