//! The benchmark of provider-proxy's own time on an authorize (`./dev bench providers`). It measures and asserts
//! nothing.

mod load;
mod provider;
mod report;
mod rig;

use std::{process::ExitCode, time::Duration};

use clap::Args;

use super::BenchError;

/// `bench providers`.
#[derive(Args, Clone, Debug)]
pub struct ProvidersOptions {
    /// How many operations are begun each second, whether or not the ones before have ended.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rate: u32,
    /// How long each measurement takes, after a quarter of it to warm up.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=40))]
    pub seconds: u64,
    /// How often it is measured; the medians count.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub rounds: u32,
    /// Run this instead of `provider-proxy` beside the running executable, for a comparison.
    #[arg(long, value_name = "PROGRAM")]
    pub provider_proxy: Option<std::path::PathBuf>,
}

impl ProvidersOptions {
    fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn warm_up(&self) -> Duration {
        self.measured() / 4
    }
}

/// Measures, and prints what came of it.
pub(super) fn run(options: &ProvidersOptions) -> ExitCode {
    let measured = actix_web::rt::System::new().block_on(measure(options));
    super::end(measured.map(|rounds| report::table(options, &rounds)))
}

async fn measure(options: &ProvidersOptions) -> Result<Vec<report::Round>, BenchError> {
    let rig = rig::Rig::start(options).await?;
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        rig.load(options.rate, options.warm_up())?;
        let before = rig.usage()?;
        let operations = rig.load(options.rate, options.measured())?;
        let usage = rig.usage()?.since(&before);
        let round = report::Round::new(operations, usage);
        eprintln!("bench: round {number}: {}", round.line());
        rounds.push(round);
    }
    rig.stop().await?;
    Ok(rounds)
}
