//! The benchmark of provider-proxy's pass-through beside nginx (`./dev bench proxy`). It measures and asserts nothing.

mod hang;
mod identity;
mod measure;
mod nginx;
mod report;
mod rig;
mod upstream;
mod wrk;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;

use super::BenchError;
pub use upstream::{UpstreamOrder, serve as serve_upstream};

/// The processor of the proxies.
const PROXY: &str = "1";
/// That of wrk and the upstream.
const CLIENTS: &str = "0";

/// `bench proxy`.
#[derive(Args, Clone, Debug)]
pub struct ProxyOptions {
    /// How many keep-alive connections wrk has.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub connections: u32,
    /// How long each measurement takes, after a quarter of it to warm up.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=40))]
    pub seconds: u64,
    /// How often nginx and provider-proxy take turns; the medians count.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub rounds: u32,
    /// A TOML file to merge over provider-proxy's generated settings, for a comparison.
    #[arg(long, value_name = "FILE")]
    pub proxy_settings: Option<PathBuf>,
    /// Run this instead of `provider-proxy` beside the running executable, for a comparison.
    #[arg(long, value_name = "PROGRAM")]
    pub provider_proxy: Option<PathBuf>,
}

impl ProxyOptions {
    fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn warm_up(&self) -> Duration {
        self.measured() / 4
    }
}

/// Measures, and prints what came of it.
pub(super) fn run(options: &ProxyOptions) -> ExitCode {
    let measured = actix_web::rt::System::new().block_on(measure::run(options));
    super::end(measured.map(|results| report::table(options, &results)))
}

/// A program on `PATH`, or in one of these folders.
fn program(name: &'static str, folders: &[PathBuf]) -> Result<PathBuf, BenchError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut programs = env::split_paths(&path).chain(folders.iter().cloned()).map(|folder| folder.join(name));
    programs.find(|program| Path::is_file(program)).ok_or(BenchError::NoProgram(name))
}
