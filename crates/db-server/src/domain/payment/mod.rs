//! Payments at whichever provider: begun, which is committed; asked for; settled by whatever the provider says of them.

pub mod absorb;
pub mod machine;
pub mod record;
pub mod schedule;

pub use absorb::{Absorbed, Context, Fact, Refused, Taken, absorb};
