//! `/events/`: what has happened to payments, in one order for all readers, without gaps, and as soon as it is committed.

use std::{
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use db_server::{
    database::Database,
    settings,
    store::{StoreError, id::PaymentEventId, payment_event},
};
use diesel::{Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, sql_query};
use futures_util::FutureExt as _;
use integration_tests::{
    client::Client,
    database::TestDatabase,
    in_process::{Dummies, Pair, PairOptions, db_server_settings, spawn_pair},
};
use serde_json::{Value, json};

use super::payment_events::{event, events, happens, payment};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn connection(pair: &Pair) -> PgConnection {
    pair.database.as_ref().unwrap().connect()
}

fn id(event: &Value) -> i64 {
    event["id"].as_i64().unwrap()
}

#[actix_web::test]
async fn events_come_in_their_order_and_page_by_page() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let of = payment(&mut connection(&pair));
    for kind in ["payment.authorized", "payment.captured", "refund.succeeded"] {
        happens(&mut connection(&pair), of, kind);
    }
    let first = client.get("/events/?limit=2").await.json();
    assert_eq!(first["meta"], json!({"after": 2, "limit": 2, "next": "/events/?after=2&limit=2"}));
    let shown = &first["objects"][0];
    assert_eq!(
        *shown,
        json!({
            "id": 1, "type": "payment.authorized", "timestamp": shown["timestamp"],
            "payment": format!("/payments/{of}/"), "status": "authorized", "data": {"kind": "payment.authorized"},
        })
    );
    let rest = client.get(first["meta"]["next"].as_str().unwrap()).await.json();
    assert_eq!(rest["objects"][0]["type"], "refund.succeeded");
    let end = client.get(rest["meta"]["next"].as_str().unwrap()).await.json();
    assert_eq!(
        end,
        json!({"meta": {"after": 3, "limit": 2, "next": "/events/?after=3&limit=2"}, "objects": []})
    );
}

/// Writers that take their time between the event and the commit, and some of which give up.
fn write_slowly(database: &TestDatabase, writer: u64, count: u64, begin: &Barrier) {
    let mut connection = database.connect();
    let of = payment(&mut connection);
    begin.wait();
    for number in 0..count {
        let gives_up = (writer + number).is_multiple_of(5);
        let result = connection.transaction(|connection| {
            let new = event(of, "payment.captured", json!({"writer": writer, "number": number}));
            payment_event::append(connection, &new).unwrap();
            // What else the transaction does: long enough for others to come in between, if they could.
            connection.batch_execute("select pg_sleep(0.001)")?;
            if gives_up { Err(diesel::result::Error::RollbackTransaction) } else { Ok(()) }
        });
        assert_eq!(result.is_err(), gives_up);
    }
}

#[actix_web::test]
async fn a_reader_misses_nothing_and_sees_nothing_out_of_order_while_many_write() {
    const WRITERS: u64 = 8;
    const EACH: u64 = 25;
    let database = Arc::new(TestDatabase::new());
    let pair = PairOptions::default().spawn_on(&database.socket_folder(), database.name()).await;
    let (client, begin) = (pair.client(), Arc::new(Barrier::new(WRITERS as usize)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (database, begin) = (Arc::clone(&database), Arc::clone(&begin));
            thread::spawn(move || write_slowly(&database, writer, EACH, &begin))
        })
        .collect();
    let total = (WRITERS * EACH - WRITERS * EACH / 5) as usize;
    let mut seen: Vec<Value> = Vec::new();
    while seen.len() < total {
        let after = seen.last().map_or(0, id);
        // As often as it can, in pieces of any length.
        let piece = events(&client, &format!("?after={after}&limit=7&wait=20")).await;
        assert!(!piece.is_empty(), "{} of {total} were seen", seen.len());
        seen.extend(piece);
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let ids: Vec<_> = seen.iter().map(id).collect();
    assert_eq!(ids, (1..=total as i64).collect::<Vec<_>>());
    for writer in 0..WRITERS {
        let own: Vec<_> =
            seen.iter().map(|event| &event["data"]).filter(|data| data["writer"] == writer).collect();
        assert!(own.is_sorted_by_key(|data| data["number"].as_u64()), "{own:?}");
    }
    assert_eq!(events(&client, "?limit=1000").await, seen, "whoever comes later sees the same");
}

/// Asks for what follows this event, and waits for it in a task.
fn waiting(client: Client, after: i64) -> actix_web::rt::task::JoinHandle<Vec<Value>> {
    actix_web::rt::spawn(async move { events(&client, &format!("?after={after}&wait=30")).await })
}

#[actix_web::test]
async fn who_waits_is_answered_as_soon_as_something_has_happened_anywhere() {
    let pair = spawn_pair().await;
    let of = payment(&mut connection(&pair));
    let started = Instant::now();
    let (first, second) = (waiting(pair.client(), 0), waiting(pair.client(), 1));
    // Written by another process, as far as this db-server knows.
    happens(&mut connection(&pair), of, "payment.authorized");
    assert_eq!(first.await.unwrap().iter().map(id).collect::<Vec<_>>(), [1]);
    assert!(!second.is_finished(), "it has seen the first one");
    happens(&mut connection(&pair), of, "payment.captured");
    assert_eq!(second.await.unwrap().iter().map(id).collect::<Vec<_>>(), [2]);
    assert!(started.elapsed() < PATIENCE);
}

#[actix_web::test]
async fn a_commit_on_the_same_instance_is_told_at_once_and_what_is_rolled_back_never() {
    let test = TestDatabase::new();
    let table =
        db_server_settings(&test.socket_folder(), test.name(), "http://127.0.0.1:1", &Dummies::default());
    let settings = settings::read(table, chassis::environment::Environment::default()).unwrap();
    let database = Database::new(settings.database.connect);
    let of = payment(&mut test.connect());
    let append = move |connection: &mut PgConnection| {
        payment_event::append(connection, &event(of, "payment.captured", json!({})))
    };
    let given_up =
        move |connection: &mut PgConnection| append(connection).and(Err::<(), _>(StoreError::NotFound));
    assert!(database.write(given_up).await.is_err());
    assert!(database.event_written().now_or_never().is_none());
    database.write(append).await.unwrap();
    assert!(database.event_written().now_or_never().is_some());
    assert_eq!(database.write_one(payment_event::order).await.unwrap(), PaymentEventId(1));
    assert_eq!(database.write_one(payment_event::order).await.unwrap(), PaymentEventId(1), "nothing is left");
}

#[test]
fn many_who_give_positions_at_once_give_each_event_one_and_keep_the_order_of_each_payment() {
    let database = Arc::new(TestDatabase::new());
    let (begin, mut threads) = (Arc::new(Barrier::new(8)), Vec::new());
    for writer in 0..4 {
        let (database, begin) = (Arc::clone(&database), Arc::clone(&begin));
        threads.push(thread::spawn(move || write_slowly(&database, writer, 50, &begin)));
    }
    for _ in 0..4 {
        let (database, begin) = (Arc::clone(&database), Arc::clone(&begin));
        threads.push(thread::spawn(move || {
            let mut connection = database.connect();
            begin.wait();
            for _ in 0..100 {
                payment_event::order(&mut connection).unwrap();
            }
        }));
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut connection = database.connect();
    assert_eq!(payment_event::order(&mut connection).unwrap(), PaymentEventId(160));
    let events = payment_event::after(&mut connection, PaymentEventId(0), 1000).unwrap();
    assert_eq!(events.iter().map(|event| event.id.0).collect::<Vec<_>>(), (1..=160).collect::<Vec<_>>());
    for writer in 0..4 {
        let numbers = events.iter().map(|event| &event.payload).filter(|data| data["writer"] == writer);
        let numbers: Vec<_> = numbers.map(|data| data["number"].as_u64().unwrap()).collect();
        assert!(numbers.len() == 40 && numbers.is_sorted(), "{numbers:?}");
    }
}

#[actix_web::test]
async fn nobody_waits_for_longer_than_asked_and_nobody_holds_a_connection_meanwhile() {
    let pair = PairOptions::default().db_settings("[database]\npool_size = 1\n").spawn().await;
    let waiting: Vec<_> = (0..5).map(|_| waiting(pair.client(), 0)).collect();
    let empty = pair.client().get("/events/?wait=1").await;
    assert_eq!((empty.status, &empty.json()["objects"]), (200, &json!([])));
    let started = Instant::now();
    assert_eq!(pair.client().get("/generic/seller/").await.status, 200);
    assert!(started.elapsed() < PATIENCE && waiting.iter().all(|waiting| !waiting.is_finished()));
    let of = payment(&mut connection(&pair));
    happens(&mut connection(&pair), of, "payment.captured");
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().len(), 1);
    }
}

#[actix_web::test]
async fn what_is_asked_for_wrongly_is_refused_and_only_readers_may_ask() {
    let pair = spawn_pair().await;
    let client = pair.client();
    for (query, status) in [
        ("after=-1", 422),
        ("after=x", 422),
        ("limit=0", 422),
        ("limit=1001", 422),
        ("wait=31", 422),
        ("wait=1.5", 422),
        ("since=1", 400),
        ("after=9223372036854775807&limit=1000&wait=0", 200),
    ] {
        let answer = client.get(&format!("/events/?{query}")).await;
        assert_eq!(answer.status, status, "{query}: {answer:?}");
    }
    assert_eq!(Client::unsigned(pair.db_server.url()).get("/events/").await.status, 401);
}

#[test]
fn what_has_happened_cannot_be_changed() {
    let database = TestDatabase::new();
    let mut connection = database.connect();
    let of = payment(&mut connection);
    happens(&mut connection, of, "payment.captured");
    payment_event::order(&mut connection).unwrap();
    for change in [
        "update payment_events set status = 'refunded'",
        "delete from payment_events",
        "truncate payment_events cascade",
    ] {
        let error = sql_query(change).execute(&mut connection).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{change}: {error}");
    }
    for kind in ["captured", "Payment.captured", "payment.", ""] {
        let error = payment_event::append(&mut connection, &event(of, kind, json!({}))).unwrap_err();
        assert!(
            error.constraint().is_some_and(|name| name.starts_with("unordered_events_")),
            "{kind}: {error}"
        );
    }
    assert_eq!(payment_event::newest(&mut connection).unwrap(), PaymentEventId(1));
    assert_eq!(payment_event::of_payment(&mut connection, of, PaymentEventId(0), 10).unwrap().len(), 1);
}
