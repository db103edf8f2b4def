//! The measurements: nginx and provider-proxy in turns, so that whatever else the machine does meets both.

use std::time::Duration;

use super::{
    BenchError, ProxyOptions,
    hang::Hanging,
    rig::Rig,
    wrk::{Load, Work, Wrk},
};
use crate::bench::{meter, statistics::median};

/// All figures.
pub(super) struct Results {
    pub(super) comparisons: Vec<Comparison>,
    /// The 1 KiB GET beside a target that hangs, and without.
    pub(super) bulkhead: Vec<(Load, Load)>,
    /// provider-proxy's memory before and after the load, and at most, in KiB.
    pub(super) idle: u64,
    pub(super) after: u64,
    pub(super) peak: u64,
    /// Lines of the audit log.
    pub(super) audited: usize,
}

/// One kind of work.
pub(super) struct Comparison {
    pub(super) work: Work,
    /// nginx and provider-proxy, round by round.
    pub(super) rounds: Vec<(Figures, Figures)>,
}

/// One measurement of one proxy.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    pub(super) load: Load,
    /// Microseconds of processor time that a request cost the proxy.
    pub(super) cost: f64,
}

impl Comparison {
    pub(super) fn median(&self, of: impl Fn(&(Figures, Figures)) -> f64) -> f64 {
        median(self.rounds.iter().map(of))
    }
}

/// Measures both proxies.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn run(options: &ProxyOptions) -> Result<Results, BenchError> {
    let rig = Rig::start(options).await?;
    let bench = Bench { options, rig: &rig, wrk: Wrk::find(rig.folder(), options.connections)? };
    let (idle, _) = meter::memory(rig.proxy_pid())?;
    let mut comparisons = Vec::new();
    for &work in &options.work {
        comparisons.push(bench.compare(work)?);
    }
    let (after, peak) = meter::memory(rig.proxy_pid())?;
    let bulkhead = if options.work.contains(&Work::Small) { bench.bulkhead()? } else { Vec::new() };
    let audited = rig.audited()?;
    rig.stop().await?;
    Ok(Results { comparisons, bulkhead, idle, after, peak, audited })
}

struct Bench<'a> {
    options: &'a ProxyOptions,
    rig: &'a Rig,
    wrk: Wrk,
}

impl Bench<'_> {
    fn compare(&self, work: Work) -> Result<Comparison, BenchError> {
        let mut rounds = Vec::new();
        for round in 1..=self.options.rounds {
            let nginx = self.measure(self.rig.nginx.url(), self.rig.nginx.pid(), work)?;
            let ours = self.measure(&self.rig.target("good"), self.rig.proxy_pid(), work)?;
            say(&format!(
                "{}, round {round}: nginx {:.0}/s and {:.1} us, provider-proxy {:.0}/s and {:.1} us",
                work.name(),
                nginx.load.rate,
                nginx.cost,
                ours.load.rate,
                ours.cost
            ));
            rounds.push((nginx, ours));
        }
        Ok(Comparison { work, rounds })
    }

    fn measure(&self, url: &str, pid: u32, work: Work) -> Result<Figures, BenchError> {
        // Of its own for each measurement: it ends before long.
        let token = self.rig.identity.token()?;
        self.wrk.run(url, work, &token, self.options.warm_up())?;
        let before = meter::with_children(pid)?;
        let load = self.wrk.run(url, work, &token, self.options.measured())?;
        let used = meter::with_children(pid)? - before;
        Ok(Figures { load, cost: used / load.requests })
    }

    /// With and without a target that hangs, in turns.
    fn bulkhead(&self) -> Result<Vec<(Load, Load)>, BenchError> {
        let url = self.rig.target("good");
        let address = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let length = self.options.measured();
        let mut rounds = Vec::new();
        for round in 1..=self.options.rounds {
            let without = self.wrk.run(&url, Work::Small, &self.rig.identity.token()?, length)?;
            let token = self.rig.identity.token()?;
            let hanging = Hanging::start(address, &token)?;
            let beside = self.wrk.run(&url, Work::Small, &token, length)?;
            drop(hanging);
            let milliseconds = |load: &Load| 1000.0 * Duration::as_secs_f64(&load.ninety_ninth);
            say(&format!(
                "a target hangs, round {round}: the other's 99 % {:.2} ms, without {:.2} ms",
                milliseconds(&beside),
                milliseconds(&without)
            ));
            rounds.push((beside, without));
        }
        Ok(rounds)
    }
}

/// Tells the progress to whoever waits; the table goes to standard output.
fn say(line: &str) {
    eprintln!("bench: {line}");
}
