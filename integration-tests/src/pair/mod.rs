//! The local pair: both servers, the provider sandbox and a private Postgres on this machine.

mod demo;
mod error;
mod options;
mod ports;
mod purchase;
mod ready;
mod running;
mod secrets;
mod signals;
mod state;
mod steps;
mod up;

use std::process::ExitCode;

pub use error::PairError;
pub use options::{DemoOptions, UpOptions};
pub(crate) use ready::when_bound;

/// Runs the demonstration and gives the exit code.
#[must_use]
pub fn demo(options: &DemoOptions) -> ExitCode {
    actix_web::rt::System::new().block_on(demo::run(options))
}

/// Runs the pair until it is told to stop and gives the exit code.
#[must_use]
pub fn up(options: &UpOptions) -> ExitCode {
    match actix_web::rt::System::new().block_on(up::run(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-pair: {error}");
            ExitCode::FAILURE
        }
    }
}
