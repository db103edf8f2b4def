//! The benchmark of complete payments, from a client through both halves to the sandbox and back, beside pgbench with
//! the same statements (`./dev bench payments`). It measures and asserts nothing.

mod report;
mod rig;
mod rows;

use std::{process::ExitCode, time::Duration};

use clap::Args;
use serde_json::json;

use super::{
    BenchError,
    load::{self, Load, Target},
    pgbench::{Pgbench, Yardstick},
    requests::{Maker, Work},
    rig::Rig,
};

/// `bench payments`.
#[derive(Args, Clone, Debug)]
pub struct PaymentsOptions {
    /// With how many clients at once, of HTTP and of pgbench alike.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "1,16,64")]
    pub clients: Vec<u32>,
    /// How many connections db-server has to Postgres.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub pool: u32,
    /// How long each measurement takes, after a quarter of it to warm up.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub seconds: u64,
    /// How often pgbench and the payments take turns; the medians count.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub rounds: u32,
    /// With how many payments in the tables, from few to many.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "10000,1000000")]
    pub rows: Vec<u64>,
}

impl PaymentsOptions {
    fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn warm_up(&self) -> Duration {
        self.measured() / 4
    }
}

/// So many payments at once with so many in the tables.
struct Comparison {
    clients: u32,
    rows: u64,
    rounds: Vec<(Yardstick, Load)>,
}

/// What it is at half the highest rate, by as many clients as reached it.
struct HalfThePeak {
    clients: u32,
    rows: u64,
    rounds: Vec<Load>,
}

/// All figures.
struct Results {
    comparisons: Vec<Comparison>,
    /// One for each number of rows.
    halves: Vec<HalfThePeak>,
}

/// The body of a payment that is taken at once.
pub(super) fn body() -> String {
    json!({
        "provider": "stripe",
        "amount": "19.99",
        "currency": "EUR",
        "seller_product": "/generic/product/1/",
        "nonce": "pm_card_visa",
        "description": "A year of the magazine",
    })
    .to_string()
}

/// Measures, and prints what came of it.
pub(super) fn run(options: &PaymentsOptions) -> ExitCode {
    let measured = actix_web::rt::System::new().block_on(measure(options));
    super::end(measured.map(|results| report::table(options, &results)))
}

async fn measure(options: &PaymentsOptions) -> Result<Results, BenchError> {
    let rig = rig::start(options).await?;
    let (mut comparisons, mut halves) = (Vec::new(), Vec::new());
    for &rows in &options.rows {
        eprintln!("bench: loading {rows} payments");
        rows::load(&mut rig.connect()?, rows)?;
        let first = comparisons.len();
        for &clients in &options.clients {
            comparisons.push(compare(options, &rig, clients, rows)?);
        }
        halves.extend(at_half_the_peak(options, &rig, comparisons.get(first..).unwrap_or_default())?);
    }
    rig.stop().await?;
    Ok(Results { comparisons, halves })
}

fn compare(options: &PaymentsOptions, rig: &Rig, clients: u32, rows: u64) -> Result<Comparison, BenchError> {
    let pgbench = Pgbench::find(rig.database_url(), rig.folder(), clients, rig.meter())?;
    let mut rounds = Vec::new();
    for round in 1..=options.rounds {
        let yardstick = pgbench.run(rows::SCRIPT, options.warm_up(), options.measured())?;
        let load = pay(options, rig, clients, None)?;
        eprintln!(
            "bench: {clients} clients at {rows} payments, round {round}: pgbench {:.0}/s, payments {:.0}/s, {:.1} %",
            yardstick.rate,
            load.rate,
            100.0 * load.rate / yardstick.rate
        );
        rounds.push((yardstick, load));
    }
    Ok(Comparison { clients, rows, rounds })
}

/// None when nothing was compared.
fn at_half_the_peak(
    options: &PaymentsOptions,
    rig: &Rig,
    comparisons: &[Comparison],
) -> Result<Option<HalfThePeak>, BenchError> {
    let rate = |comparison: &Comparison| report::median_of(comparison, |(_, load)| load.rate);
    let peak = comparisons.iter().max_by(|one, other| rate(one).total_cmp(&rate(other)));
    let Some(peak) = peak else { return Ok(None) };
    let &Comparison { clients, rows, .. } = peak;
    let mut rounds = Vec::new();
    for round in 1..=options.rounds {
        let load = pay(options, rig, clients, Some(rate(peak) / 2.0))?;
        let milliseconds = 1000.0 * load.ninety_ninth.as_secs_f64();
        eprintln!(
            "bench: {clients} clients at {rows} payments, {:.0}/s, round {round}: 99 % {milliseconds:.1} ms",
            load.rate
        );
        rounds.push(load);
    }
    Ok(Some(HalfThePeak { clients, rows, rounds }))
}

fn pay(options: &PaymentsOptions, rig: &Rig, clients: u32, pace: Option<f64>) -> Result<Load, BenchError> {
    let maker = Maker::new(rig.url(), rig.credentials());
    let target = Target { address: rig.address()?, connections: clients, meter: rig.meter(), pace };
    load::run(target, maker, Work::Payment, options.warm_up(), options.measured())
}
