//! Payments at whichever provider: begun, which is committed; asked for; settled by whatever the provider says of them.

pub mod absorb;
pub mod execute;
pub mod janitor;
pub mod look;
pub mod machine;
pub mod record;
pub mod rules;
pub mod schedule;
pub mod told;

pub use absorb::{Absorbed, Context, Fact, Refused, Taken, absorb};
