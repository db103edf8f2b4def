//! The janitor's queue, by itself.

use chrono::Utc;
use db_server::store::{id::PaymentId, payment_queue::make_all_due};
use diesel::{PgConnection, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt};
use integration_tests::database::TestDatabase;

use super::{payment_events::payment, webhooks::count};

const DUE: &str = "select count(*) from payment_operations where next_look <= now()";

/// Operations on a payment that are looked at in an hour.
fn waiting(connection: &mut PgConnection, payment: PaymentId, number: i64) {
    let insert = "insert into payment_operations (attempt, payment_id, operation, request, next_look, actor) \
                  select gen_random_uuid(), $1, 5, 'x', now() + interval '1 hour', 'test' \
                  from generate_series(1, $2)";
    let insert = sql_query(insert).bind::<BigInt, _>(payment.0).bind::<BigInt, _>(number);
    assert_eq!(i64::try_from(insert.execute(connection).unwrap()), Ok(number));
}

/// Whoever waits for a lock fails.
fn impatient(database: &TestDatabase) -> PgConnection {
    let mut connection = database.connect();
    connection.batch_execute("set lock_timeout = '1s'").unwrap();
    connection
}

#[test]
fn two_who_make_everything_due_at_once_do_not_wait_for_each_other() {
    let database = TestDatabase::new();
    let (mut one, mut other) = (impatient(&database), impatient(&database));
    let payment = payment(&mut one);
    waiting(&mut one, payment, 5);
    one.batch_execute("begin").unwrap();
    assert_eq!(make_all_due(&mut one, Utc::now()).unwrap(), 5);
    assert_eq!(make_all_due(&mut other, Utc::now()).unwrap(), 0);
    one.batch_execute("commit").unwrap();
    assert_eq!(count(&mut other, DUE), 5);
}

#[test]
fn what_somebody_is_at_work_on_is_left_to_them() {
    let database = TestDatabase::new();
    let (mut worker, mut operator) = (impatient(&database), impatient(&database));
    let payment = payment(&mut worker);
    waiting(&mut worker, payment, 3);
    worker.batch_execute("begin; select from payment_operations where id = 2 for update").unwrap();
    assert_eq!(make_all_due(&mut operator, Utc::now()).unwrap(), 2);
    // Whoever has passed it over holds nothing that the worker needs.
    worker.batch_execute("select from payment_operations for update; commit").unwrap();
    assert_eq!(make_all_due(&mut operator, Utc::now()).unwrap(), 1);
    assert_eq!(count(&mut operator, DUE), 3);
}
