//! pgbench, the yardstick: the same statements on the same Postgres over as many connections, without HTTP.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use super::{
    BenchError,
    meter::{Meter, Usage},
};
use crate::postgres::binaries;

/// pgbench and where it runs.
pub(super) struct Pgbench {
    program: PathBuf,
    url: String,
    folder: PathBuf,
    connections: u32,
    meter: Meter,
}

/// What pgbench reports.
pub(super) struct Yardstick {
    /// Transactions a second.
    pub(super) rate: f64,
    /// What one took on average.
    pub(super) average: Duration,
    /// What one cost, in processor time.
    pub(super) cost: Usage,
}

impl Pgbench {
    /// Finds pgbench beside the server's programs, else on `PATH`.
    ///
    /// # Errors
    /// [`BenchError::NoPgbench`].
    pub(super) fn find(
        url: String,
        folder: &Path,
        connections: u32,
        meter: Meter,
    ) -> Result<Self, BenchError> {
        let path = env::var_os("PATH").unwrap_or_default();
        let program = binaries::find()
            .into_iter()
            .chain(env::split_paths(&path))
            .map(|folder| folder.join("pgbench"))
            .find(|program| program.is_file())
            .ok_or(BenchError::NoPgbench)?;
        Ok(Self { program, url, folder: folder.to_owned(), connections, meter })
    }

    /// Runs this script for so long to warm up, then for that long to measure.
    ///
    /// # Errors
    /// [`BenchError`] when pgbench fails.
    pub(super) fn run(
        &self,
        script: &str,
        warm_up: Duration,
        measured: Duration,
    ) -> Result<Yardstick, BenchError> {
        let file = self.folder.join("pgbench.sql");
        fs::write(&file, script).map_err(BenchError::system(file.display()))?;
        self.once(&file, warm_up)?;
        let before = self.meter.read()?;
        let mut yardstick = self.once(&file, measured)?;
        let used = self.meter.read()?.since(&before);
        yardstick.cost = used.each((yardstick.rate * measured.as_secs_f64()) as usize);
        Ok(yardstick)
    }

    fn once(&self, script: &Path, length: Duration) -> Result<Yardstick, BenchError> {
        let (connections, seconds) = (self.connections.to_string(), length.as_secs().max(1).to_string());
        // Prepared, as db-server's statements are: each connection parses and plans it once. Two threads, so that
        // both processors are its own to use.
        let output = Command::new(&self.program)
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--client", &connections])
            .args(["--time", &seconds, "--file"])
            .arg(script)
            .arg(&self.url)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .output()
            .map_err(BenchError::system(self.program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(BenchError::Pgbench(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        read(&text).ok_or_else(|| BenchError::Pgbench(format!("its report cannot be read: {text}")))
    }
}

fn read(report: &str) -> Option<Yardstick> {
    let number = |start: &str| -> Option<f64> {
        let line = report.lines().find_map(|line| line.strip_prefix(start))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let (rate, milliseconds) = (number("tps = ")?, number("latency average = ")?);
    let average = Duration::from_secs_f64(milliseconds / 1000.0);
    (rate > 0.0).then(|| Yardstick { rate, average, cost: Usage::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_and_the_latency_are_read_from_the_report() {
        let report = "number of failed transactions: 0 (0.000%)\nlatency average = 0.512 ms\n\
                      initial connection time = 12.1 ms\ntps = 31243.170213 (without initial connection time)\n";
        let yardstick = read(report).unwrap();
        assert_eq!(yardstick.rate, 31_243.170_213);
        assert_eq!(yardstick.average, Duration::from_micros(512));
        assert!(read("tps = none").is_none());
    }
}
