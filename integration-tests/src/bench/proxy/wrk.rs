//! wrk, the load generator: so many keep-alive connections from one thread, and what it reports.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use clap::ValueEnum;

use super::BenchError;
use crate::bench::pinned::{self, CLIENTS};

/// Prints what is wanted on one line; the lines that wrk itself prints are for people.
const REPORT: &str = r#"
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("report %d %d %d %d %d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"#;

/// The one piece of work that is repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Work {
    /// `GET` of 1 KiB.
    Small,
    /// `GET` of 100 KiB.
    Large,
    /// `POST` of 16 KiB.
    Post,
}

impl Work {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Small => "GET 1 KiB",
            Self::Large => "GET 100 KiB",
            Self::Post => "POST 16 KiB",
        }
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Small => "/small",
            Self::Large => "/large",
            Self::Post => "/post",
        }
    }
}

/// What the clients saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Load {
    /// Answers a second.
    pub(super) rate: f64,
    /// Half of the answers took no longer.
    pub(super) median: Duration,
    /// Ninety-nine of a hundred took no longer.
    pub(super) ninety_ninth: Duration,
    /// How many answers there were.
    pub(super) requests: f64,
}

/// wrk and where its scripts are written.
pub(super) struct Wrk {
    program: PathBuf,
    folder: PathBuf,
    connections: u32,
}

impl Wrk {
    /// # Errors
    /// [`BenchError::NoProgram`].
    pub(super) fn find(folder: &Path, connections: u32) -> Result<Self, BenchError> {
        let program = pinned::program("wrk", &[])?;
        Ok(Self { program, folder: folder.to_owned(), connections })
    }

    /// Repeats this at a URL for so long.
    ///
    /// # Errors
    /// [`BenchError`] when one answer was no success: figures of errors are worth nothing.
    pub(super) fn run(
        &self,
        url: &str,
        work: Work,
        token: &str,
        length: Duration,
    ) -> Result<Load, BenchError> {
        let script = self.folder.join("wrk.lua");
        fs::write(&script, lua(work, token)).map_err(BenchError::system(script.display()))?;
        let output = Command::new(pinned::program("taskset", &[])?)
            .args(["-c", CLIENTS])
            .arg(&self.program)
            .args(["--threads", "1", "--connections", &self.connections.to_string()])
            .args(["--duration", &format!("{}s", length.as_secs().max(1)), "--timeout", "10s", "--script"])
            .arg(&script)
            .arg(format!("{url}{}", work.path()))
            .stdin(Stdio::null())
            .output()
            .map_err(BenchError::system(self.program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let unread = || BenchError::Wrk(format!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        let (load, errors) = read(&text).ok_or_else(unread)?;
        if errors > 0 {
            Err(BenchError::Wrk(format!("{errors} answers at {url} were errors: {text}")))
        } else {
            Ok(load)
        }
    }
}

/// The request as wrk sends it; without a function for it wrk puts it together once.
fn lua(work: Work, token: &str) -> String {
    let mut script = format!("wrk.headers[\"Authorization\"] = \"Bearer {token}\"\n");
    if work == Work::Post {
        script.push_str(
            "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/octet-stream\"\n\
             wrk.body = string.rep(\"0123456789abcdef\", 1024)\n",
        );
    }
    script + REPORT
}

fn read(report: &str) -> Option<(Load, u64)> {
    let line = report.lines().find_map(|line| line.strip_prefix("report "))?;
    let numbers: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let &[requests, microseconds, median, ninety_ninth, errors] = numbers.as_slice() else { return None };
    let rate = requests as f64 * 1e6 / microseconds as f64;
    let (median, ninety_ninth) = (Duration::from_micros(median), Duration::from_micros(ninety_ninth));
    (requests > 0).then_some((Load { rate, median, ninety_ninth, requests: requests as f64 }, errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_latencies_and_errors_are_read_from_the_report() {
        let (load, errors) = read("Running 1s test\nreport 500 2000000 120 950 3\n").unwrap();
        assert_eq!(load.rate, 250.0);
        assert_eq!(
            (load.median, load.ninety_ninth),
            (Duration::from_micros(120), Duration::from_micros(950))
        );
        assert_eq!(errors, 3);
        assert!(read("report 0 2000000 0 0 0").is_none());
        assert!(read("unable to connect").is_none());
    }
}
