//! Payments at whichever provider: begun, which is committed; asked for; settled by whatever the provider says of them.

pub mod absorb;
pub mod answer;
mod begin;
pub mod execute;
pub mod idempotency;
pub mod janitor;
mod list;
pub mod look;
pub mod machine;
pub mod parts;
mod perform;
pub mod record;
pub mod resolve;
pub mod rules;
pub mod schedule;
pub mod told;

pub use absorb::{Absorbed, Context, Fact, Refused, Taken, absorb};
pub use begin::{
    NewSale, SaleSource, Wanted, WantedRefund, WantedSource, cancel, capture, complete, create, refund, sell,
};
pub use list::{Refunds, events, get, list, refunds};
