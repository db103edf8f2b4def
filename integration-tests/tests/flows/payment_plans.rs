//! The queues of payments stay as fast as they are short, however long the tables are.

use chrono::{TimeDelta, Utc};
use db_server::store::{
    code::Provider,
    id::WebhookEventId,
    payment, payment_queue,
    webhook_event::{self, OpenFilter},
};
use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text,
};
use integration_tests::database::TestDatabase;

use super::webhooks::count;

/// 10^5 rows in each table, of which a hundred wait.
const SEED: &str = "
insert into sellers (uuid) values ('seller');
insert into products (seller_id, external_id, public_id) values (1, 'x', 'y');
insert into transactions (uuid) select 't' || n from generate_series(1, 100000) n;
insert into payments
    (uuid, transaction_id, provider, seller_id, product_id, amount_minor, currency, capture, standing, status,
     captured_minor, closed, provider_reference)
select gen_random_uuid(), n, 5, 1, 1, 1000, 'EUR', true, 7, 7, 1000, true, 'pi_' || n from generate_series(1, 100000) n;
insert into payment_operations (attempt, payment_id, operation, amount_minor, state, outcome, actor)
select gen_random_uuid(), n, 0, 1000, 3, 'succeeded', 'client' from generate_series(1, 99900) n;
insert into payment_operations (attempt, payment_id, operation, amount_minor, state, outcome, actor, request, next_look)
select gen_random_uuid(), n, 0, 1000, 1, 'unknown', 'client', 'x', now() - interval '1 minute'
from generate_series(99901, 100000) n;
insert into webhook_events (provider, event_id, kind, provider_kind, payload, applied)
select 5, 'evt_' || n, 'payment', 'payment_intent.succeeded', 'x', case when n > 99900 then null else now() end
from generate_series(1, 100000) n;
insert into idempotency_keys (client, route, key, body_hash, operation_id, status, body, created)
select 'client', 'POST /payments/', 'key' || n, sha256('x'), n, 201, 'x', now() - n * interval '1 second'
from generate_series(1, 100000) n;
analyze;
";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// The plan of a statement with its parameters written out.
fn plan(connection: &mut PgConnection, statement: &str, parameters: &[&str]) -> String {
    let mut text = format!("explain {statement}");
    for (number, parameter) in (1..).zip(parameters) {
        text = text.replace(&format!("${number}"), parameter);
    }
    let lines: Vec<Line> = sql_query(text).load(connection).unwrap();
    lines.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n")
}

/// How often tables have been read from one end to the other by this session and all before.
fn scans(connection: &mut PgConnection) -> i64 {
    connection.batch_execute("select pg_stat_force_next_flush()").unwrap();
    connection.batch_execute("select pg_stat_clear_snapshot()").unwrap();
    count(
        connection,
        "select sum(seq_scan)::bigint as count from pg_stat_user_tables where relname in \
         ('payments', 'payment_operations', 'webhook_events', 'idempotency_keys')",
    )
}

#[test]
fn what_is_due_is_found_by_an_index_among_a_hundred_thousand() {
    let database = TestDatabase::new();
    let mut connection = database.connect();
    connection.batch_execute(SEED).unwrap();

    let claim = plan(&mut connection, payment_queue::CLAIM, &["now()", "now()", "32"]);
    assert!(claim.contains("Index Scan using payment_operations_next_look_idx"), "{claim}");
    let forget = plan(&mut connection, payment_queue::FORGET, &["now() - interval '1 day'", "1000"]);
    assert!(forget.contains("Index Scan using idempotency_keys_created_idx"), "{forget}");
    for plan in [&claim, &forget] {
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }

    let before = scans(&mut connection);
    let now = Utc::now();
    let claimed = payment_queue::claim_due(&mut connection, now, now + TimeDelta::minutes(1), 32).unwrap();
    assert_eq!(claimed.len(), 32);
    let again = payment_queue::claim_due(&mut connection, now, now + TimeDelta::minutes(1), 100).unwrap();
    assert_eq!(again.len(), 68, "what is claimed is not due");
    let filter = OpenFilter {
        kinds: vec!["check".into()],
        recent_kinds: vec!["payment".into(), "refund".into()],
        since: now - TimeDelta::hours(1),
    };
    assert_eq!(webhook_event::open(&mut connection, &filter, WebhookEventId(0), 200).unwrap().len(), 100);
    assert!(payment::by_reference_for_update(&mut connection, Provider::Stripe, "pi_7").unwrap().is_some());
    let old = now - TimeDelta::seconds(50_000);
    assert_eq!(payment_queue::forget_keys(&mut connection, old, 1000).unwrap(), 1000);
    assert_eq!(scans(&mut connection), before, "a table was read as a whole");
    // The measure itself: this one is seen.
    count(&mut connection, "select count(*) as count from payments where description is null");
    assert!(scans(&mut connection) > before);
}
