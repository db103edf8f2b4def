//! The benchmark of db-server's API against pgbench on the same Postgres (`./dev bench`). It measures and asserts nothing.

mod error;
mod load;
mod measure;
mod meter;
mod pgbench;
mod report;
mod requests;
mod rig;
mod rows;

use std::{process::ExitCode, time::Duration};

use clap::{Args, ValueEnum};

pub use error::BenchError;

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Suite {
    /// Reading and creating transactions through db-server.
    Api,
}

/// `bench`.
#[derive(Args, Clone, Debug)]
pub struct BenchOptions {
    /// What to measure.
    #[arg(default_value = "api")]
    pub suite: Suite,
    /// How many connections, of HTTP clients and of pgbench alike.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub connections: u32,
    /// How many connections db-server has to Postgres.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub pool: u32,
    /// How many threads of db-server serve requests.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub workers: u32,
    /// How long each measurement takes, after a quarter of it to warm up.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub seconds: u64,
    /// How often pgbench and db-server take turns; the medians count.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub rounds: u32,
    /// With how many rows, from few to many.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "10000,1000000")]
    pub rows: Vec<u64>,
    /// Run this instead of `db-server` beside the running executable, for a comparison.
    #[arg(long, value_name = "PROGRAM")]
    pub db_server: Option<std::path::PathBuf>,
}

impl BenchOptions {
    fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn warm_up(&self) -> Duration {
        self.measured() / 4
    }
}

/// Measures, prints the table and gives the exit code: a target that is missed is told and is no failure.
#[must_use]
pub fn run(options: &BenchOptions) -> ExitCode {
    let measured = match options.suite {
        Suite::Api => actix_web::rt::System::new().block_on(measure::api(options)),
    };
    match measured {
        Ok(results) => {
            print!("{}", report::table(options, &results));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
