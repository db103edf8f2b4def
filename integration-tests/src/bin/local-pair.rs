//! The local pair: both servers, the sandbox and a private Postgres, on this machine (`./dev demo`, `./dev up`).

use std::{fmt::Display, process::ExitCode};

use clap::{Parser, Subcommand};
use integration_tests::{bench, certificates, crash, guard, pair};

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
    /// Measures db-server beside pgbench on a Postgres of its own, or provider-proxy beside nginx.
    Bench(bench::BenchCommand),
    /// Answers what the benchmark of provider-proxy asks.
    #[command(hide = true)]
    Upstream(bench::UpstreamOrder),
    /// Makes a development authority, both halves' certificates and the key pair of the identity.
    Certs(certificates::CertificateOptions),
    /// Kills servers in the middle of purchases, and compares everybody's books afterwards.
    Crash(crash::CrashOptions),
    /// Ends its child when its own standard input closes; the pair starts its children through it.
    #[command(hide = true)]
    Guard(guard::Order),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Demo(options) => pair::demo(&options),
        Command::Up(options) => pair::up(&options),
        Command::Certs(options) => certificates::run(&options),
        Command::Crash(options) => crash::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Upstream(order) => code("upstream", bench::serve_upstream(&order)),
        Command::Guard(order) => code("guard", guard::run(&order)),
    }
}

fn code(name: &str, outcome: Result<(), impl Display>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}
