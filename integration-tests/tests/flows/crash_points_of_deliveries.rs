//! A db-server dies while it tells an endpoint of events: once it is back, the endpoint has got each of them, in order.

use diesel::{Connection as _, RunQueryDsl, sql_query};
use integration_tests::{
    crash::{Database, rig::Rig},
    database::TestDatabase,
    process::End,
};
use serde_json::json;

use super::{
    endpoint::Endpoint,
    payment_events::{happens, payment},
    shop::created,
    webhooks_out::once,
};

const EVENTS: i64 = 3;

/// Dies when it tells of the second of three events.
pub async fn dies_at(name: &str) {
    let (database, mut endpoint) = (TestDatabase::new(), Endpoint::start());
    let of_test = Database::new(&database.socket_folder(), database.name(), database.url());
    let rig = Rig::start_with(of_test, 1, endpoint.settings().parse().unwrap()).await.unwrap();
    let client = rig.client(0);
    created(client.post("/webhook-endpoints/", &json!({"name": "shop"})).await);
    let victim = &rig.db_servers[0];
    victim.kill().await.unwrap();
    victim.start(Some(&format!("{name}:2"))).await.unwrap();

    let mut connection = database.connect();
    let of = payment(&mut connection);
    // All at once: whoever has told of one finds the next.
    let all = connection.transaction(|connection| {
        (0..EVENTS).for_each(|_| happens(connection, of, "payment.captured"));
        Ok::<_, diesel::result::Error>(())
    });
    all.unwrap();
    let end = victim.ended().await.unwrap();
    assert!(matches!(end, Some(End::Killed(_))), "it dies at {name}: {end:?}");
    let before = if name == "delivery.claimed" { 1 } else { 2 };
    assert_eq!(endpoint.events(before).await, [1, 2][..before], "{name}");
    assert!(endpoint.has_nothing_more());

    // The time for which whoever died had the endpoint passes.
    let leased = "update webhook_endpoints set leased_until = now() where leased_until is not null";
    assert_eq!(sql_query(leased).execute(&mut connection).unwrap(), 1, "{name}");
    victim.kill().await.unwrap();
    victim.start(None).await.unwrap();
    // Only what may have been told without being written down comes again.
    let after: &[i64] = if name == "delivery.written" { &[3] } else { &[2, 3] };
    assert_eq!(endpoint.events(after.len()).await, after, "{name}\n{}", rig.last_lines());
    let shown = once(&client, |shown| shown["position"] == EVENTS).await;
    assert_eq!((&shown["failures"], &shown["enabled"]), (&json!(0), &json!(true)), "{shown}");
    assert!(endpoint.has_nothing_more());
}
