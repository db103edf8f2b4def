//! Postgres goes away, and comes back.

use std::time::{Duration, Instant};

use integration_tests::{
    in_process::{Dummies, db_server_settings},
    postgres::{PrivatePostgres, Stop},
    process::End,
};
use serde_json::json;

use super::{
    executables::{DATABASE, Executables, merged, server},
    shop::created,
};

/// "Nothing hangs longer than 10 s" is what is promised.
const PROMISED: Duration = Duration::from_secs(10);

#[actix_web::test]
async fn db_server_answers_clearly_while_postgres_is_gone_and_recovers_by_itself() {
    for how in [Stop::Fast, Stop::Immediate] {
        let mut running = Executables::start("", "", Dummies::default()).await;
        let client = running.client();
        created(client.post("/generic/seller/", &json!({"uuid": "before"})).await);

        running.postgres.stop(how).unwrap();
        for (path, body) in
            [("/generic/seller/", None), ("/generic/seller/", Some(json!({"uuid": "during"})))]
        {
            let asked = Instant::now();
            let answer = match &body {
                None => client.get(path).await,
                Some(body) => client.post(path, body).await,
            };
            let lines = running.db_server.process.last_lines(10);
            assert_eq!(answer.status, 500, "{answer:?}{lines}");
            assert_eq!(answer.json()["detail"], "The database is out of reach.", "{lines}");
            assert!(asked.elapsed() < PROMISED, "{:?}", asked.elapsed());
        }
        let status = client.get("/services/status/").await;
        assert_eq!(status.status, 500, "{status:?}");
        assert_eq!(status.json()["db"], false);

        running.postgres.start().unwrap();
        let back = client.get("/generic/seller/?uuid=before").await;
        assert_eq!(
            (back.status, &back.json()["meta"]["total_count"]),
            (200, &json!(1)),
            "{back:?}{}",
            running.db_server.process.last_lines(10)
        );
        let during = client.get("/generic/seller/?uuid=during").await;
        assert_eq!(during.json()["meta"]["total_count"], 0, "{during:?}");
        assert_eq!(client.get("/services/status/").await.status, 200);
        assert_eq!(running.db_server.process.end(), None);
    }
}

#[actix_web::test]
async fn no_transaction_is_refused_for_connections_that_broke_while_they_were_idle() {
    let mut running = Executables::start("", "", Dummies::default()).await;
    let client = running.client();
    for how in [Stop::Fast, Stop::Immediate] {
        // Several at once, so that the pool has several connections.
        let none = json!({});
        let posts = (0..8).map(|_| client.post("/generic/transaction/", &none));
        for answer in futures_util::future::join_all(posts).await {
            created(answer);
        }
        running.postgres.stop(how).unwrap();
        running.postgres.start().unwrap();
        for _ in 0..12 {
            created(client.post("/generic/transaction/", &none).await);
        }
    }
}

#[actix_web::test]
async fn db_server_ends_with_129_when_postgres_is_out_of_reach_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let table = db_server_settings(folder.path(), DATABASE, "http://127.0.0.1:1", &Dummies::default());
    let process = server("db-server", folder.path(), &table).start().unwrap();
    assert_eq!(process.wait().await.unwrap(), End::Exited(129));
    let lines = process.lines().join("\n");
    assert!(lines.contains("Postgres is out of reach"), "{lines}");
    assert!(!lines.contains("listening"), "{lines}");
}

#[actix_web::test]
async fn db_server_refuses_a_schema_that_is_older_than_itself() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = PrivatePostgres::temporary().unwrap();
    postgres.create_database(DATABASE, None).unwrap();
    let table =
        db_server_settings(postgres.socket_folder(), DATABASE, "http://127.0.0.1:1", &Dummies::default());
    let table = merged(table, "[database]\nmigrate = false");
    let process = server("db-server", folder.path(), &table).start().unwrap();
    assert_eq!(process.wait().await.unwrap(), End::Exited(64));
    let lines = process.lines().join("\n");
    assert!(lines.contains("database.migrate") && lines.contains("db-server migrate"), "{lines}");

    let migrate = server("db-server", folder.path(), &table).argument("migrate").start().unwrap();
    assert_eq!(migrate.wait().await.unwrap(), End::Exited(0));
    let serving = super::executables::running(server("db-server", folder.path(), &table)).await;
    assert_eq!(serving.process.end(), None);
}
