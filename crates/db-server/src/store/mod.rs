//! The rows: plain functions over a connection, one module a resource. It decides nothing.

pub mod api_client;
pub mod buyer;
pub mod code;
mod creation;
pub mod door;
pub mod error;
pub mod failure;
pub mod id;
pub mod idempotency_key;
pub mod ledger;
pub mod ledger_sum;
pub mod ledger_walk;
pub mod page;
pub mod payment;
pub mod payment_attempt;
pub mod payment_code;
pub mod payment_customer;
pub mod payment_event;
pub mod payment_method;
pub mod payment_operation;
pub mod payment_queue;
pub mod product;
pub mod product_plan;
pub mod provider_charge;
pub mod reconcile;
pub mod reconciliation;
pub mod reference;
pub mod refund;
pub mod rotation;
pub mod seller;
mod several;
pub mod subscription;
pub mod transaction;
pub mod transaction_event;
pub mod transaction_log;
pub mod user;
pub mod webhook_endpoint;
pub mod webhook_event;
pub mod webhook_replay;

pub use error::{Busyness, ConnectionLoss, ConstraintKind, ConstraintViolation, StoreError};
pub use page::{Listed, Page};

/// Stores a type as an SQL type of Diesel's, by the Rust type that Diesel already stores so.
///
/// `stored_as!(TYPE as SQL_TYPE, RUST_TYPE, VALUE -> &RUST_TYPE, RUST_TYPE -> Option<TYPE>)`
macro_rules! stored_as {
    ($type:ident as $sql_type:ty, $rust_type:ty, $out:expr, $in:expr) => {
        impl diesel::serialize::ToSql<$sql_type, diesel::pg::Pg> for $type {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                let out_of: fn(&$type) -> &$rust_type = $out;
                <$rust_type as diesel::serialize::ToSql<$sql_type, diesel::pg::Pg>>::to_sql(out_of(self), out)
            }
        }

        impl diesel::deserialize::FromSql<$sql_type, diesel::pg::Pg> for $type {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                let value =
                    <$rust_type as diesel::deserialize::FromSql<$sql_type, diesel::pg::Pg>>::from_sql(bytes)?;
                let into: fn($rust_type) -> Option<$type> = $in;
                into(value).ok_or_else(|| concat!("not a ", stringify!($type)).into())
            }
        }
    };
}
pub(crate) use stored_as;

/// The expected counter of a conditional change against the row's: [`StoreError::Stale`] when it is another.
fn check_counter(expected: Option<i64>, counter: i64) -> Result<(), StoreError> {
    match expected {
        Some(expected) if expected != counter => Err(StoreError::Stale { counter }),
        _ => Ok(()),
    }
}
