//! Starts a process under its guard.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{End, PATIENCE, Process, ProcessError, Watch};
use crate::{executables, postgres::Account};

/// A process to start. Its environment is empty but for `PATH` and what is set here.
pub struct Launch {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: PathBuf,
    last_signal: Signal,
    remove: Vec<PathBuf>,
    hold: Option<PathBuf>,
    account: Option<Account>,
    keep: usize,
    echo: bool,
    log: Option<PathBuf>,
}

impl Launch {
    /// Of a program at this path.
    pub fn new(name: &str, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            arguments: Vec::new(),
            environment: env::var_os("PATH").map(|path| ("PATH".into(), path)).into_iter().collect(),
            folder: PathBuf::from("/"),
            last_signal: Signal::KILL,
            remove: Vec::new(),
            hold: None,
            account: None,
            keep: 100_000,
            echo: false,
            log: None,
        }
    }

    /// Of one of this workspace's executables, such as `db-server`.
    ///
    /// # Errors
    /// When it is not built.
    pub fn executable(name: &str) -> Result<Self, ProcessError> {
        Ok(Self::new(name, executables::path(name)?))
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs it in this folder rather than `/`.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// The signal that ends it when the owner is gone, rather than `KILL`.
    #[must_use]
    pub fn last_signal(mut self, signal: Signal) -> Self {
        self.last_signal = signal;
        self
    }

    /// A folder that the guard removes when the owner is gone.
    #[must_use]
    pub fn remove(mut self, folder: impl Into<PathBuf>) -> Self {
        self.remove.push(folder.into());
        self
    }

    /// A file on which the guard holds a shared lock until the process is gone.
    #[must_use]
    pub fn hold(mut self, file: Option<&Path>) -> Self {
        self.hold = file.map(Path::to_owned);
        self
    }

    /// Runs it as this user.
    #[must_use]
    pub fn account(mut self, account: Option<Account>) -> Self {
        self.account = account;
        self
    }

    /// Keeps only this many lines.
    #[must_use]
    pub fn keep(mut self, lines: usize) -> Self {
        self.keep = lines;
        self
    }

    /// Prints every line too, behind the process's name.
    #[must_use]
    pub fn echo(mut self, echo: bool) -> Self {
        self.echo = echo;
        self
    }

    /// Writes what it prints to this new file, where nobody waits for its lines.
    #[must_use]
    pub fn log_to(mut self, file: impl Into<PathBuf>) -> Self {
        self.log = Some(file.into());
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`ProcessError::Start`], [`ProcessError::File`] when its log cannot be made, or [`ProcessError::Executable`]
    /// when the guard is not built.
    pub fn start(self) -> Result<Process, ProcessError> {
        let mut command = self.guard_command(&executables::path("local-pair")?);
        if let Some(log) = &self.log {
            let file_error = |source| ProcessError::File { name: self.name.clone(), source };
            command.stderr(File::create(log).map_err(file_error)?);
        }
        let mut guard = command.spawn().map_err(|error| self.start_error(error.to_string()))?;
        let orders = guard.stdin.take();
        let watch = Arc::new(Watch::new(self.keep));
        let (started, answer) = mpsc::channel();
        self.follow_output(&mut guard, &watch);
        follow_reports(&mut guard, &watch, started);
        let mut process =
            Process { name: self.name.clone(), pid: 0, guard, orders: Mutex::new(orders), watch };
        match answer.recv_timeout(PATIENCE) {
            Ok(Ok(pid)) => process.pid = pid,
            Ok(Err(reason)) => return Err(self.start_error(reason)),
            Err(_) => {
                return Err(self.start_error(format!("its guard said nothing{}", process.last_lines(5))));
            }
        }
        Ok(process)
    }

    fn guard_command(&self, guard: &Path) -> Command {
        let mut command = Command::new(guard);
        command.arg("guard").arg("--last-signal").arg(self.last_signal.as_raw().to_string());
        for folder in &self.remove {
            command.arg("--remove").arg(folder);
        }
        if let Some(file) = &self.hold {
            command.arg("--hold").arg(file);
        }
        if let Some(account) = &self.account {
            command.args(["--uid".into(), account.uid.to_string(), "--gid".into(), account.gid.to_string()]);
        }
        command.arg("--").arg(&self.program).args(&self.arguments);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        // Its own process group: Ctrl-C in a terminal reaches the owner alone, who then stops things in order.
        command.current_dir(&self.folder).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn follow_output(&self, guard: &mut Child, watch: &Arc<Watch>) {
        let Some(output) = guard.stderr.take() else { return watch.close_output() };
        let (watch, echo) = (watch.clone(), self.echo.then(|| format!("{:<14} | ", self.name)));
        thread::spawn(move || {
            for_each_line(output, |line| {
                if let Some(prefix) = &echo {
                    // A reader that is gone must not end the pair.
                    let _ = writeln!(io::stdout().lock(), "{prefix}{line}");
                }
                watch.add_line(line);
            });
            watch.close_output();
        });
    }

    fn start_error(&self, reason: String) -> ProcessError {
        ProcessError::Start { name: self.name.clone(), reason }
    }
}

/// Reads what the guard reports. The guard is not reaped before its reports have ended, so its number, which is
/// also that of the process group, is still ours when a lost guard's group is killed.
fn follow_reports(guard: &mut Child, watch: &Arc<Watch>, started: mpsc::Sender<Result<u32, String>>) {
    let Some(reports) = guard.stdout.take() else { return };
    let group = Pid::from_child(guard);
    let watch = watch.clone();
    thread::spawn(move || {
        for_each_line(reports, |line| {
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let number = rest.parse().unwrap_or_default();
            match word {
                "started" => drop(started.send(rest.parse().map_err(|_| line.clone()))),
                "failed" => {
                    drop(started.send(Err(rest.to_owned())));
                    watch.set_end(End::Exited(127));
                }
                "exited" => watch.set_end(End::Exited(number)),
                "killed" => watch.set_end(End::Killed(number)),
                _ => {}
            }
        });
        if watch.end().is_none() {
            let _ = kill_process_group(group, Signal::KILL);
            watch.set_end(End::GuardLost);
        }
    });
}

fn for_each_line(source: impl Read, mut take: impl FnMut(String)) {
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    while source.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        take(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned());
        line.clear();
    }
}
