//! The measurements: pgbench and db-server in turns, so that whatever else the machine does meets both.

use std::time::Duration;

use super::{
    BenchError, BenchOptions,
    load::{self, Load, Target},
    pgbench::{Pgbench, Yardstick},
    requests::{Maker, Work},
    rig::Rig,
    rows,
};

/// All figures.
pub(super) struct Results {
    /// One for each number of rows and each kind of work.
    pub(super) comparisons: Vec<Comparison>,
    /// db-server's memory when it is ready, in KiB.
    pub(super) idle: u64,
    /// At most.
    pub(super) peak: u64,
    /// How many requests it served.
    pub(super) requests: u64,
}

/// One kind of work at one size of the table.
pub(super) struct Comparison {
    pub(super) what: What,
    pub(super) rows: u64,
    pub(super) rounds: Vec<(Yardstick, Load)>,
}

/// The kind of work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum What {
    Get,
    Post,
}

impl Comparison {
    /// The median of the shares that db-server reaches of pgbench's rate, each from one round.
    pub(super) fn share(&self) -> f64 {
        self.median(|(pgbench, load)| load.rate / pgbench.rate)
    }

    pub(super) fn median(&self, of: impl FnMut(&(Yardstick, Load)) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        match values.len() {
            0 => 0.0,
            count if count % 2 == 1 => values[count / 2],
            count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
        }
    }
}

/// Measures reading and creating transactions.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn api(options: &BenchOptions) -> Result<Results, BenchError> {
    let rig = Rig::start(options).await?;
    let pgbench = Pgbench::find(rig.database_url(), rig.folder(), options.connections, rig.meter())?;
    let bench = Bench { options, rig: &rig, pgbench };
    let (idle, _) = rig.memory()?;
    let mut comparisons = Vec::new();
    for &rows in &options.rows {
        say(&format!("loading {rows} transactions"));
        rows::load(&mut rig.connect()?, rows)?;
        for what in [What::Get, What::Post] {
            comparisons.push(bench.compare(what, rows)?);
        }
    }
    let (_, peak) = rig.memory()?;
    rig.stop().await?;
    let requests = comparisons.iter().flat_map(|comparison| &comparison.rounds);
    let seconds = (options.measured() + options.warm_up()).as_secs_f64();
    let requests = requests.map(|(_, load)| load.rate * seconds).sum::<f64>() as u64;
    Ok(Results { comparisons, idle, peak, requests })
}

struct Bench<'a> {
    options: &'a BenchOptions,
    rig: &'a Rig,
    pgbench: Pgbench,
}

impl Bench<'_> {
    fn compare(&self, what: What, rows: u64) -> Result<Comparison, BenchError> {
        let mut rounds = Vec::new();
        for round in 1..=self.options.rounds {
            let pgbench = self.pgbench(what, rows)?;
            let load = self.load(what, rows)?;
            say(&format!(
                "{what:?} at {rows} rows, round {round}: pgbench {:.0}/s, db-server {:.0}/s, {:.1} %",
                pgbench.rate,
                load.rate,
                100.0 * load.rate / pgbench.rate
            ));
            rounds.push((pgbench, load));
        }
        Ok(Comparison { what, rows, rounds })
    }

    fn pgbench(&self, what: What, rows: u64) -> Result<Yardstick, BenchError> {
        let script = match what {
            What::Get => rows::select_script(rows),
            What::Post => {
                rows::load(&mut self.rig.connect()?, rows)?;
                rows::insert_script()
            }
        };
        self.pgbench.run(&script, self.options.warm_up(), self.options.measured())
    }

    fn load(&self, what: What, rows: u64) -> Result<Load, BenchError> {
        let work = match what {
            What::Get => Work::Get { rows },
            What::Post => {
                rows::load(&mut self.rig.connect()?, rows)?;
                Work::Post
            }
        };
        let maker = Maker::new(self.rig.url(), self.rig.credentials());
        let (warm_up, measured): (Duration, Duration) = (self.options.warm_up(), self.options.measured());
        let (address, meter) = (self.rig.address()?, self.rig.meter());
        let target = Target { address, connections: self.options.connections, meter, pace: None };
        load::run(target, maker, work, warm_up, measured)
    }
}

fn say(line: &str) {
    eprintln!("bench: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::meter::Usage;

    fn round(pgbench: f64, rate: f64) -> (Yardstick, Load) {
        let cost = Usage::default();
        let load = Load { rate, median: Duration::ZERO, ninety_ninth: Duration::ZERO, cost };
        (Yardstick { rate: pgbench, average: Duration::ZERO, cost: Usage::default() }, load)
    }

    #[test]
    fn the_share_is_the_median_of_the_rounds_shares() {
        let of = |rounds| Comparison { what: What::Get, rows: 1, rounds };
        assert_eq!(of(vec![round(100.0, 10.0), round(10.0, 5.0), round(10.0, 4.0)]).share(), 0.4);
        assert_eq!(of(vec![round(8.0, 2.0), round(8.0, 4.0)]).share(), 0.375);
    }
}
