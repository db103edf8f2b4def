//! Events of payments, written as the core of payments writes them, with the rows that they need.

use db_server::store::{
    id::PaymentId,
    payment_event::{self, NewPaymentEvent},
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
use integration_tests::client::Client;
use serde_json::{Value, json};

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// A payment of a seller of its own, about which nothing has happened yet.
pub fn payment(connection: &mut PgConnection) -> PaymentId {
    let query = "with seller as (insert into sellers (uuid) values (gen_random_uuid()::text) returning id), \
         product as (insert into products (seller_id, external_id, public_id, access) \
             select id, 'x', gen_random_uuid()::text, 1 from seller returning id, seller_id), \
         transaction as (insert into transactions (uuid, seller_id, product_id, provider, type, status) \
             select gen_random_uuid()::text, seller_id, id, 5, 0, 0 from product \
             returning id, seller_id, product_id) \
         insert into payments (uuid, transaction_id, provider, seller_id, product_id, amount_minor, currency, capture) \
             select gen_random_uuid(), id, 5, seller_id, product_id, 100, 'EUR', true from transaction returning id";
    PaymentId(sql_query(query).get_result::<Id>(connection).unwrap().id)
}

/// Something that happens to a payment.
pub fn event(payment_id: PaymentId, kind: &str, payload: Value) -> NewPaymentEvent {
    let status = kind.rsplit('.').next().unwrap().to_owned();
    NewPaymentEvent { payment_id, kind: kind.to_owned(), status, actor: "test".to_owned(), payload }
}

/// Something happens to a payment, in a transaction of its own.
pub fn happens(connection: &mut PgConnection, payment: PaymentId, kind: &str) {
    let new = event(payment, kind, json!({"kind": kind}));
    payment_event::append(connection, &new).unwrap();
}

/// The events after a position, as the client sees them.
pub async fn events(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("/events/{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["objects"].as_array().unwrap().clone()
}
