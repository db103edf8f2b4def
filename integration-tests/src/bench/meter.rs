//! Processor time, so that it can be told where the time goes and what a change saves on a machine that is busy.

use std::{collections::BTreeMap, fs};

use super::BenchError;

/// Clock ticks in `/proc` are hundredths of a second on Linux, whatever the machine (`proc_pid_stat(5)`, `time(7)`).
const MICROSECONDS_A_TICK: f64 = 10_000.0;

/// Whose time is counted.
#[derive(Clone, Copy)]
pub(super) struct Meter {
    /// db-server's process.
    pub(super) server: u32,
    /// The Postgres process that is the parent of all others.
    pub(super) postgres: u32,
}

/// Processor time in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// db-server's.
    pub(super) server: f64,
    /// That of all Postgres processes.
    pub(super) postgres: f64,
    /// The load generator's, or pgbench's.
    pub(super) clients: f64,
}

impl Meter {
    /// What has been used so far.
    ///
    /// # Errors
    /// [`BenchError::System`] when a process is gone.
    pub(super) fn read(&self) -> Result<Usage, BenchError> {
        let mut usage = Usage { server: of(self.server)?.own, ..Usage::default() };
        // pgbench is a child that has ended by then, and so are its sessions.
        usage.clients = of(std::process::id())?.with_ended();
        usage.postgres = of(self.postgres)?.with_ended();
        for session in children(self.postgres)? {
            usage.postgres += session.own;
        }
        Ok(usage)
    }
}

impl Usage {
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            server: self.server - before.server,
            postgres: self.postgres - before.postgres,
            clients: self.clients - before.clients,
        }
    }

    /// All of it.
    pub(super) fn total(&self) -> f64 {
        self.server + self.postgres + self.clients
    }

    /// The share of one of so many requests.
    pub(super) fn each(&self, requests: usize) -> Self {
        let part = |time: f64| time / requests.max(1) as f64;
        Self { server: part(self.server), postgres: part(self.postgres), clients: part(self.clients) }
    }
}

/// What a process and those that it started have used so far, in microseconds.
///
/// # Errors
/// [`BenchError::System`] when it is gone.
pub(super) fn with_children(pid: u32) -> Result<f64, BenchError> {
    let mut used = of(pid)?.with_ended();
    for time in children(pid)? {
        used += time.own;
    }
    Ok(used)
}

/// The time of each thread of a process, by the threads' names.
#[derive(Clone, Debug, Default)]
pub(super) struct Threads(BTreeMap<String, ThreadTime>);

/// Microseconds of one thread, or of all threads of one name.
#[derive(Clone, Copy, Debug, Default)]
struct ThreadTime {
    user: f64,
    kernel: f64,
}

impl Threads {
    pub(super) fn since(&self, before: &Self) -> Self {
        let difference = |(name, now): (&String, &ThreadTime)| {
            let then = before.0.get(name).copied().unwrap_or_default();
            (name.clone(), ThreadTime { user: now.user - then.user, kernel: now.kernel - then.kernel })
        };
        Self(self.0.iter().map(difference).collect())
    }

    /// Name, user and kernel time of the share of one of so many operations; threads that did nothing are left out.
    pub(super) fn each(&self, operations: usize) -> impl Iterator<Item = (&str, f64, f64)> {
        let count = operations.max(1) as f64;
        let busy = self.0.iter().filter(|(_, time)| time.user + time.kernel > 0.0);
        busy.map(move |(name, time)| (name.as_str(), time.user / count, time.kernel / count))
    }
}

/// What the threads of a process have used so far.
///
/// # Errors
/// [`BenchError::System`] when it is gone.
pub(super) fn threads(pid: u32) -> Result<Threads, BenchError> {
    let folder = format!("/proc/{pid}/task");
    let mut threads = Threads::default();
    for thread in fs::read_dir(&folder).map_err(BenchError::system(&folder))?.filter_map(Result::ok) {
        // One that has just ended is none any more.
        let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else { continue };
        let (name, user, kernel) = of_thread(&stat).ok_or_else(|| BenchError::Malformed(folder.clone()))?;
        let time = threads.0.entry(name).or_default();
        time.user += user;
        time.kernel += kernel;
    }
    Ok(threads)
}

/// Fields 2, 14 and 15: the name in its parentheses, and the time in user and kernel mode.
fn of_thread(stat: &str) -> Option<(String, f64, f64)> {
    let (front, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let time = |index: usize| Some(fields.get(index)?.parse::<f64>().ok()? * MICROSECONDS_A_TICK);
    Some((front.split_once('(')?.1.to_owned(), time(11)?, time(12)?))
}

/// What a process occupies in memory, now and at most, in KiB (`proc_pid_status(5)`: VmRSS and VmHWM).
///
/// # Errors
/// [`BenchError::System`] when it is gone.
pub(super) fn memory(pid: u32) -> Result<(u64, u64), BenchError> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(BenchError::system(&path))?;
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Ok((number("VmRSS:").unwrap_or_default(), number("VmHWM:").unwrap_or_default()))
}

/// The processes that this one has started.
fn children(parent: u32) -> Result<Vec<Time>, BenchError> {
    let entries = fs::read_dir("/proc").map_err(BenchError::system("/proc"))?.filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // One that has just ended is none any more.
    Ok(pids.filter_map(|pid| of(pid).ok()).filter(|time| time.parent == parent).collect())
}

/// The time of one process in user and kernel mode.
#[derive(Debug, PartialEq)]
struct Time {
    parent: u32,
    own: f64,
    /// That of its children which have ended.
    ended: f64,
}

impl Time {
    fn with_ended(&self) -> f64 {
        self.own + self.ended
    }
}

fn of(pid: u32) -> Result<Time, BenchError> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).map_err(BenchError::system(&path))?;
    read(&stat).ok_or(BenchError::Malformed(path))
}

/// Fields 4 and 14 to 17; the second one is a name in parentheses, which may hold anything.
fn read(stat: &str) -> Option<Time> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    let time = |index: usize| Some((ticks(index)? + ticks(index + 1)?) * MICROSECONDS_A_TICK);
    Some(Time { parent: fields.get(1)?.parse().ok()?, own: time(11)?, ended: time(13)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_and_times_are_read_whatever_the_process_is_called() {
        let stat = "12 (a) b (c) S 7 12 12 0 -1 4194560 100 0 0 0 30 12 2 1 20 0 1 0 100 0 0";
        assert_eq!(read(stat), Some(Time { parent: 7, own: 420_000.0, ended: 30_000.0 }));
        assert_eq!(read("12"), None);
        assert_eq!(of_thread(stat), Some(("a) b (c".to_owned(), 300_000.0, 120_000.0)));
    }
}
