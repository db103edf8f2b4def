//! The crash campaign (`./dev test --crash`): purchases under idempotent clients while servers, Postgres and the network
//! die at random moments, and afterwards a comparison of everybody's books.

pub mod asking;
pub mod books;
mod campaign;
mod database;
mod dice;
mod error;
pub mod plan;
pub mod points;
mod report;
pub mod rig;
pub mod settling;
pub mod shop;
pub mod slot;
mod storm;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

pub use database::Database;
pub use error::{CrashError, Differences};

/// `crash`.
#[derive(Args, Clone, Debug)]
pub struct CrashOptions {
    /// How many kills.
    #[arg(value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub kills: u32,
    /// What the plan is drawn from; another one each time when absent. It fixes what is bought, who dies at which of the
    /// drawn moments and what goes wrong, not how the system schedules the processes meanwhile.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// How many clients buy at the same time.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub clients: u32,
    /// After how many seconds the campaign gives up; 120 and 5 for each kill when absent.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Where the servers' logs are left when something is wrong.
    #[arg(long, value_name = "DIR", default_value = ".local/crash")]
    pub logs: PathBuf,
}

/// Runs a campaign and gives the exit code.
#[must_use]
pub fn run(options: &CrashOptions) -> ExitCode {
    actix_web::rt::System::new().block_on(campaign::run(options))
}
