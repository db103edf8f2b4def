//! The guard: a small process between an owner and one child, so that the child never outlives the owner.
//!
//! The owner holds the guard's standard input. When that pipe closes, for whatever reason (`kill -9` of the owner
//! included), the guard ends the child and removes the folders that it was told to. A line `signal N` on it is
//! passed on to the child. The guard signals its child only while the child is not reaped, so it can never hit
//! another process that was given the same number.
//!
//! It reports on its standard output (`started PID`, `failed MESSAGE`, `exited CODE`, `killed SIGNAL`); what the
//! child itself prints, on either stream, comes out of the guard's standard error.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufRead, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use clap::Args;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// How long a child may take to end after the owner is gone, before it is killed.
const LAST_CHANCE: Duration = Duration::from_secs(10);

/// What a guard is started with.
#[derive(Args, Clone, Debug)]
pub struct Order {
    /// The signal, by number, that the child gets when the owner is gone.
    #[arg(long, default_value_t = 9)]
    pub last_signal: i32,
    /// A folder to remove when the owner is gone.
    #[arg(long)]
    pub remove: Vec<PathBuf>,
    /// A file to hold a shared lock on until the child has ended.
    #[arg(long)]
    pub hold: Option<PathBuf>,
    /// The user to run the child as.
    #[arg(long, requires = "gid")]
    pub uid: Option<u32>,
    /// The group to run the child as.
    #[arg(long, requires = "uid")]
    pub gid: Option<u32>,
    /// The child's program and arguments.
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// What the guard waits for.
enum Event {
    /// The child has ended and waits to be reaped.
    Ended,
    /// The owner asks for a signal.
    Signal(i32),
    /// The owner is gone.
    OwnerGone,
}

/// Runs the child until it ends or the owner is gone.
///
/// # Errors
/// When the lock, the threads or the wait cannot be had; the child does not run then.
pub fn run(order: &Order) -> io::Result<()> {
    let _held = order.hold.as_deref().map(hold).transpose()?;
    let mut child = match spawn(order) {
        Ok(child) => child,
        Err(error) => {
            report(&format!("failed {error}"));
            return Ok(());
        }
    };
    let pid = Pid::from_child(&child);
    report(&format!("started {}", pid.as_raw_nonzero()));
    let (events, inbox) = mpsc::channel();
    watch_child(pid, events.clone());
    watch_owner(events);
    let (status, owner_gone) = follow(order, pid, &mut child, &inbox)?;
    match status.code() {
        Some(code) => report(&format!("exited {code}")),
        None => report(&format!("killed {}", status.signal().unwrap_or_default())),
    }
    if owner_gone {
        for folder in &order.remove {
            // Nobody is left to tell; a folder that is already gone is what was wanted.
            let _ = fs::remove_dir_all(folder);
        }
    }
    Ok(())
}

fn hold(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    file.lock_shared()?;
    Ok(file)
}

fn spawn(order: &Order) -> io::Result<Child> {
    let (program, arguments) = order.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(io::stderr()).stderr(Stdio::inherit());
    if let (Some(uid), Some(gid)) = (order.uid, order.gid) {
        command.uid(uid).gid(gid);
    }
    command.spawn()
}

/// Gives the child's status, and whether it ended because the owner was gone.
fn follow(
    order: &Order,
    pid: Pid,
    child: &mut Child,
    inbox: &Receiver<Event>,
) -> io::Result<(ExitStatus, bool)> {
    loop {
        match inbox.recv() {
            Ok(Event::Ended) | Err(_) => return Ok((child.wait()?, false)),
            Ok(Event::Signal(number)) => send(pid, number),
            Ok(Event::OwnerGone) => {
                send(pid, order.last_signal);
                loop {
                    match inbox.recv_timeout(LAST_CHANCE) {
                        Ok(Event::Ended) | Err(RecvTimeoutError::Disconnected) => break,
                        Ok(Event::Signal(_) | Event::OwnerGone) => {}
                        Err(RecvTimeoutError::Timeout) => send(pid, Signal::KILL.as_raw()),
                    }
                }
                return Ok((child.wait()?, true));
            }
        }
    }
}

fn send(pid: Pid, number: i32) {
    if let Some(signal) = Signal::from_named_raw(number) {
        // It fails only when the child has just ended, and then there is nothing to signal.
        let _ = kill_process(pid, signal);
    }
}

/// `NOWAIT` leaves the child unreaped, and so its number taken, until the guard's own thread has dealt with it.
fn watch_child(pid: Pid, events: Sender<Event>) {
    thread::spawn(move || {
        while let Err(rustix::io::Errno::INTR) =
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {}
        let _ = events.send(Event::Ended);
    });
}

fn watch_owner(events: Sender<Event>) {
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("signal ").and_then(|number| number.parse().ok()) {
                let _ = events.send(Event::Signal(number));
            }
        }
        let _ = events.send(Event::OwnerGone);
    });
}

/// Tells the owner; when it is gone nobody needs to know.
fn report(line: &str) {
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}
