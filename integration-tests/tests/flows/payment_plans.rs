//! The queues of payments stay as fast as they are short, however long the tables are.

use std::cmp::Reverse;

use chrono::{TimeDelta, Utc};
use db_server::store::{
    code::Provider,
    id::{BuyerId, PaymentId, ProductId, SellerId, WebhookEventId},
    payment::{self, PaymentFilter},
    payment_code::PaymentStatus,
    payment_queue, reconcile,
    webhook_event::{self, OpenFilter},
};
use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query,
    sql_types::Text,
};
use integration_tests::database::TestDatabase;

use super::webhooks::count;

/// 10^5 rows in each table, of which a hundred wait.
const SEED: &str = "
insert into sellers (uuid) values ('seller');
insert into products (seller_id, external_id, public_id) values (1, 'x', 'y');
insert into transactions (uuid, provider, status, uid_support, created)
select 't' || n, 5, 2, 'ch_' || n, now() - (100000 - n) * interval '1 minute' from generate_series(1, 100000) n;
insert into payments
    (uuid, transaction_id, provider, seller_id, product_id, amount_minor, currency, capture, standing, status,
     captured_minor, closed, provider_reference, created)
select gen_random_uuid(), n, 5, 1, 1, 1000, 'EUR', true, 7, 7, 1000, true, 'pi_' || n,
    now() - (100000 - n) * interval '1 minute'
from generate_series(1, 100000) n;
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

/// How often the tables of the queues have been read from one end to the other. Like [`reads`] it counts what this
/// connection has done, which is exact from one look to the next within a transaction. What others do, as autovacuum does
/// when it summarizes a BRIN index, is not in it.
fn scans(connection: &mut PgConnection) -> i64 {
    count(
        connection,
        "select sum(seq_scan)::bigint as count from pg_stat_xact_user_tables where relname in \
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

    connection.begin_test_transaction().unwrap();
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

/// How often the tables of a list of payments and of a comparison were read from one end to the other, how often the index
/// of the comparison was used, and how many payments were fetched through any.
fn reads(connection: &mut PgConnection) -> [i64; 3] {
    [
        "select sum(seq_scan)::bigint as count from pg_stat_xact_user_tables where relname in ('transactions', 'payments')",
        "select pg_stat_get_xact_numscans('transactions_created_idx'::regclass) as count",
        "select idx_tup_fetch as count from pg_stat_xact_user_tables where relname = 'payments'",
    ]
    .map(|query| count(connection, query))
}

#[test]
fn a_comparison_with_a_provider_finds_its_day_by_an_index_among_a_hundred_thousand() {
    let database = TestDatabase::new();
    let mut connection = database.connect();
    connection.batch_execute(SEED).unwrap();
    // One of the older paths, in the middle.
    let own = "insert into transactions (uuid, provider, status, uid_support, amount_minor, currency, created) \
               values ('older', 5, 2, 'ch_older', 1000, 'EUR', now() - interval '50000 minutes')";
    connection.batch_execute(own).unwrap();
    let (day, to) = (TimeDelta::days(1), Utc::now() - TimeDelta::minutes(49_500));

    let statement = "select * from transactions where provider = 5 and uid_support is not null and status = any('{1,2}') \
                     and type = any('{0,1}') and created >= $1 and created < $2 order by id";
    let times = [to - day, to].map(|time| format!("'{}'", time.to_rfc3339()));
    let plan = plan(&mut connection, statement, &[&times[0], &times[1]]);
    assert!(plan.contains("Bitmap Index Scan on transactions_created_idx"), "{plan}");

    connection.begin_test_transaction().unwrap();
    let [scans, uses, _] = reads(&mut connection);
    let found = reconcile::transactions_between(&mut connection, Provider::Stripe, to - day, to).unwrap();
    assert_eq!(found.iter().map(|row| row.uuid.as_str()).collect::<Vec<_>>(), ["older"]);
    let [scans_after, uses_after, _] = reads(&mut connection);
    assert_eq!((scans_after, uses_after), (scans, uses + 1), "{plan}");
}

#[test]
fn each_list_of_payments_is_read_by_an_index_among_a_hundred_thousand() {
    let database = TestDatabase::new();
    let mut connection = database.connect();
    connection.batch_execute(SEED).unwrap();
    let some = "update payments set standing = 5, status = 5, captured_minor = 0 where id % 1000 = 0; update payments set provider = 3 where id % 500 = 1; \
                analyze payments;";
    connection.batch_execute(some).unwrap();
    connection.begin_test_transaction().unwrap();
    let ago = |minutes| Some(Utc::now() - TimeDelta::minutes(minutes));
    let any = PaymentFilter::default;
    for (what, filter) in [
        ("all", any()),
        ("captured", PaymentFilter { status: Some(PaymentStatus::Captured), ..any() }),
        ("authorized", PaymentFilter { status: Some(PaymentStatus::Authorized), ..any() }),
        ("provider", PaymentFilter { provider: Some(Provider::Paypal), ..any() }),
        ("no payment", PaymentFilter { provider: Some(Provider::Braintree), ..any() }),
        ("seller", PaymentFilter { seller_id: Some(SellerId(1)), ..any() }),
        ("product", PaymentFilter { product_id: Some(ProductId(1)), ..any() }),
        ("buyer", PaymentFilter { buyer_id: Some(BuyerId(1)), ..any() }),
        ("hour", PaymentFilter { created_from: ago(50_060), created_before: ago(50_000), ..any() }),
        ("day", PaymentFilter { created_from: ago(51_440), created_before: ago(50_000), ..any() }),
        ("old", PaymentFilter { created_before: ago(50_000), ..any() }),
        ("new", PaymentFilter { created_from: ago(50_000), ..any() }),
    ] {
        for after in [None, Some(PaymentId(40_000))] {
            let [scans, _, fetched] = reads(&mut connection);
            let found = payment::list(&mut connection, &filter, after, 21).unwrap();
            let [scans_after, _, fetched_after] = reads(&mut connection);
            let fetched = fetched_after - fetched;
            assert_eq!(scans_after, scans, "{what} behind {after:?}");
            assert!(fetched < 100, "{what} behind {after:?}: {fetched} for {}", found.len());
        }
    }
}

#[test]
fn a_list_of_a_time_has_each_payment_once_whatever_the_order_of_the_ids() {
    let database = TestDatabase::new();
    let mut connection = database.connect();
    connection.batch_execute(SEED).unwrap();
    // Ids and times are not always in one order, nor are times always different.
    let mixed = "update payments set created = created - interval '150 seconds' where id % 7 = 0; \
                 update payments set created = date_trunc('hour', created) where id % 5 = 0;";
    connection.batch_execute(mixed).unwrap();
    let ago = |minutes| Some(Utc::now() - TimeDelta::minutes(minutes));
    let filter =
        PaymentFilter { created_from: ago(50_300), created_before: ago(50_000), ..Default::default() };
    let all = payment::list(&mut connection, &filter, None, 1000).unwrap();
    assert!((200..400).contains(&all.len()), "{}", all.len());
    assert!(all.is_sorted_by_key(|row| Reverse((row.created, row.id))));
    assert!(!all.is_sorted_by_key(|row| Reverse(row.id)));
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = payment::list(&mut connection, &filter, after, 7).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        paged.extend(page.into_iter().map(|row| row.id));
    }
    assert_eq!(paged, all.iter().map(|row| row.id).collect::<Vec<_>>());
}
