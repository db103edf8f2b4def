//! What Braintree's objects mean in the terms of [`wire::payment`].

mod amount;
mod subscription;
mod transaction;
mod vault;

pub(super) use amount::Accounts;
pub(super) use subscription::subscription;
pub(super) use transaction::{
    Parts, captured, is_of, movement, order_id, payment, refunded, sum, sum_not_settled,
};
pub(super) use vault::{customer, payment_method, verification_decline};
