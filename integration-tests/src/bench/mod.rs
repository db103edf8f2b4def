//! The benchmark of db-server's API against pgbench on the same Postgres (`./dev bench`), that of provider-proxy's
//! pass-through beside nginx, that of its own time on an authorize, and that of complete payments through both halves.
//! They measure and assert nothing.

mod error;
mod identity;
mod load;
mod measure;
mod meter;
mod payments;
mod pgbench;
mod pinned;
mod providers;
mod proxy;
mod report;
mod requests;
mod rig;
mod rows;
mod statistics;

use std::{fmt::Display, process::ExitCode, time::Duration};

use clap::{Args, Subcommand};

pub use error::BenchError;
pub use payments::PaymentsOptions;
pub use providers::ProvidersOptions;
pub use proxy::{ProxyOptions, UpstreamOrder, serve_upstream};

/// `bench`.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchCommand {
    /// What to measure; db-server's API when nothing is said.
    #[command(subcommand)]
    pub suite: Option<Suite>,
    /// For db-server's API.
    #[command(flatten)]
    pub api: BenchOptions,
}

/// What can be measured.
#[derive(Clone, Debug, Subcommand)]
pub enum Suite {
    /// Reading and creating transactions through db-server, beside pgbench.
    Api(BenchOptions),
    /// provider-proxy's pass-through, beside nginx.
    Proxy(ProxyOptions),
    /// provider-proxy's own time on an authorize.
    Providers(ProvidersOptions),
    /// Complete payments through both halves, beside pgbench.
    Payments(PaymentsOptions),
}

/// `bench api`.
#[derive(Args, Clone, Debug)]
pub struct BenchOptions {
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
pub fn run(command: &BenchCommand) -> ExitCode {
    match &command.suite {
        Some(Suite::Proxy(options)) => proxy::run(options),
        Some(Suite::Providers(options)) => providers::run(options),
        Some(Suite::Payments(options)) => payments::run(options),
        Some(Suite::Api(options)) => run_api(options),
        None => run_api(&command.api),
    }
}

fn run_api(options: &BenchOptions) -> ExitCode {
    let measured = actix_web::rt::System::new().block_on(measure::api(options));
    end(measured.map(|results| report::table(options, &results)))
}

/// Prints the table and gives the exit code: a target that is missed is told and is no failure.
fn end(table: Result<String, impl Display>) -> ExitCode {
    match table {
        Ok(table) => {
            print!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
