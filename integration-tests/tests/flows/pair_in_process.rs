//! The harness starts what the other tests need.

use integration_tests::{
    in_process::{PairOptions, spawn_pair},
    postgres::{PrivatePostgres, Stop},
};
use serde_json::json;

#[actix_web::test]
async fn a_pair_in_this_process_is_healthy_and_serves_a_signed_client() {
    let pair = spawn_pair().await;
    let status = pair.client().get("/services/status/").await;
    assert_eq!(status.status, 200, "{status:?}");
    let created = pair.client().post("/generic/seller/", &json!({"uuid": "a-seller"})).await;
    assert_eq!(created.status, 201, "{created:?}");
    let uri = created.json()["resource_uri"].as_str().unwrap().to_owned();
    assert_eq!(pair.client().get(&uri).await.json()["uuid"], "a-seller");
}

#[actix_web::test]
async fn two_pairs_share_no_data_and_no_port() {
    let (one, other) = (spawn_pair().await, spawn_pair().await);
    for pair in [&one, &other] {
        let created = pair.client().post("/generic/seller/", &json!({"uuid": "the-same"})).await;
        assert_eq!(created.status, 201, "{created:?}");
    }
    assert_ne!(one.db_server.url(), other.db_server.url());
}

#[actix_web::test]
async fn settings_can_be_merged_over_those_of_the_harness() {
    let pair = PairOptions::default()
        .db_settings("[auth.clients.reader]\nsecret = \"dummy-reader-secret\"\nroles = [\"read\"]")
        .spawn()
        .await;
    let reader =
        integration_tests::client::Client::signed(pair.db_server.url(), "reader", "dummy-reader-secret");
    assert_eq!(reader.get("/generic/seller/").await.status, 200);
    assert_eq!(reader.post("/generic/seller/", &json!({"uuid": "x"})).await.status, 403);
}

#[actix_web::test]
async fn a_pair_runs_over_a_postgres_of_its_own_that_can_be_stopped() {
    let mut postgres = PrivatePostgres::temporary().unwrap();
    postgres.create_database("own", None).unwrap();
    let pair = PairOptions::default().spawn_on(postgres.socket_folder(), "own").await;
    assert_eq!(pair.client().get("/services/status/").await.status, 200);
    postgres.stop(Stop::Immediate).unwrap();
    assert_eq!(pair.client().get("/services/status/").await.status, 500);
}
