//! The harness of the flow tests, and the local pair that `./dev demo` and `./dev up` run.
//!
//! Two ways to start the servers: [`in_process`], which most tests use, and [`process`], which runs the real
//! executables, for what only a process shows: signals, exit codes, `kill -9`. Every child process runs under a
//! [`guard`], so that nothing outlives a test, however it ends.

pub mod bench;
pub mod certificates;
pub mod client;
pub mod clock;
pub mod crash;
pub mod database;
pub mod executables;
pub mod guard;
pub mod in_process;
pub mod pair;
pub mod postgres;
pub mod process;
pub mod redis;
pub mod sandbox;
pub mod settings;
