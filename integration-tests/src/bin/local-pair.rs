//! The local pair: both servers, the sandbox and a private Postgres, on this machine (`./dev demo`, `./dev up`).

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use integration_tests::{bench, certificates, guard, pair};

/// Runs Solitude's two servers, the provider sandbox and a private Postgres on this machine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes one complete purchase through a pair of its own, step by step.
    Demo(pair::DemoOptions),
    /// Runs a pair until Ctrl-C.
    Up(pair::UpOptions),
    /// Makes a development authority, both halves' certificates and the key pair of the identity.
    Certs(certificates::CertificateOptions),
    /// Measures db-server beside pgbench on a Postgres of its own.
    Bench(bench::BenchOptions),
    /// Ends its child when its own standard input closes; the pair starts its children through it.
    #[command(hide = true)]
    Guard(guard::Order),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Demo(options) => pair::demo(&options),
        Command::Up(options) => pair::up(&options),
        Command::Certs(options) => certificates::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Guard(order) => match guard::run(&order) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("guard: {error}");
                ExitCode::FAILURE
            }
        },
    }
}
