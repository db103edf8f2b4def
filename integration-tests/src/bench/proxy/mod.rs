//! The benchmark of provider-proxy's pass-through beside nginx (`./dev bench proxy`). It measures and asserts nothing.

mod hang;
mod measure;
mod nginx;
mod report;
mod rig;
mod upstream;
mod wrk;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;

use super::BenchError;
pub use upstream::{UpstreamOrder, serve as serve_upstream};
pub use wrk::Work;

/// `bench proxy`.
#[derive(Args, Clone, Debug)]
pub struct ProxyOptions {
    /// How many keep-alive connections wrk has.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub connections: u32,
    /// How long each measurement takes, after a quarter of it to warm up.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=40))]
    pub seconds: u64,
    /// How often nginx and provider-proxy take turns; the medians count.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub rounds: u32,
    /// Which work, of small, large and post.
    #[arg(long, value_name = "WORK,WORK", value_delimiter = ',', default_value = "small,large,post")]
    pub work: Vec<Work>,
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
