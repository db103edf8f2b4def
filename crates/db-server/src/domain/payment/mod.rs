//! Payments at whichever provider: begun, which is committed; asked for; settled by whatever the provider says of them.

pub mod absorb;
pub mod answer;
mod begin;
pub mod execute;
pub mod idempotency;
mod list;
pub mod machine;
mod perform;
pub mod record;
pub mod schedule;

pub use absorb::{Absorbed, Context, Fact, Refused, Taken, absorb};
pub use begin::{Wanted, WantedRefund, WantedSource, cancel, capture, complete, create, refund};
pub use list::{Refunds, events, get, list, refunds};
