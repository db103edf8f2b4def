//! The sandbox over real sockets: what it checks, what it does, what it breaks when it is asked to.

#![expect(clippy::unwrap_used, reason = "a test's own code; what it cannot do is a failed test")]

mod books;
mod callback;
mod consumer;
mod faults;
mod page;
mod payer;
mod program;
mod resources;
mod signatures;
