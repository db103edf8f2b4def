//! `rotate-keys`, with its progress.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use chassis::exit::Exit;
use db_server::{
    error::chain,
    rotation::{self, Progress, Rotation, Summary},
    settings::Settings,
    store::StoreError,
};

use super::{exit_of, print};

pub(super) fn run(settings: &Settings) -> Exit {
    match rotate(settings) {
        Ok(summary) => report(&summary),
        Err(error) => {
            ::log::error!("the rotation stopped, and may be started again: {}", chain(&error));
            exit_of(&error)
        }
    }
}

fn rotate(settings: &Settings) -> Result<Summary, StoreError> {
    let mut connection = settings.database.connect.connect()?;
    let mut bar = Bar::new();
    let rotation = Rotation { keys: &settings.database.keys, lookup: &settings.database.lookup };
    let summary = rotation::rotate(&mut connection, &rotation, &mut |progress| bar.show(progress));
    bar.end();
    summary
}

fn report(summary: &Summary) -> Exit {
    let Summary { rewritten, old, undecryptable } = *summary;
    let told = print(format_args!("{rewritten} values rewritten, {old} remain under old keys"));
    if undecryptable > 0 {
        ::log::error!("no key decrypts {undecryptable} values; the log has named them");
        return Exit::Data;
    }
    if old > 0 {
        ::log::error!(
            "something still writes under an old key: restart it with the new settings, then run this again"
        );
        return Exit::Data;
    }
    told
}

/// A line that is written over on a terminal, and now and then a line of its own elsewhere.
struct Bar {
    terminal: bool,
    next: Instant,
    open: bool,
}

impl Bar {
    fn new() -> Self {
        Self { terminal: io::stderr().is_terminal(), next: Instant::now(), open: false }
    }

    fn show(&mut self, progress: Progress<'_>) {
        let done = progress.at >= progress.end;
        if Instant::now() < self.next && !done {
            return;
        }
        self.next = Instant::now() + Duration::from_millis(if self.terminal { 100 } else { 5_000 });
        // A terminal that is gone must not stop the rotation.
        let _ = write!(io::stderr(), "{}", self.line(&progress, done));
    }

    fn line(&mut self, progress: &Progress<'_>, done: bool) -> String {
        let Progress { table, column, step, at, end, rewritten } = progress;
        let percent = (at.saturating_mul(100)).checked_div(*end).unwrap_or(100).clamp(0, 100);
        let text = format!("{step} {table}.{column}: {percent:3} %, {rewritten} rewritten");
        if !self.terminal {
            return format!("{text}\n");
        }
        let filled = usize::try_from(percent / 5).unwrap_or_default();
        self.open = !done;
        let end = if done { "\n" } else { "" };
        format!("\r[{:<20}] {text}\x1b[K{end}", "#".repeat(filled))
    }

    /// What comes next starts on a line of its own.
    fn end(&self) {
        if self.open {
            let _ = writeln!(io::stderr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(at: i64, end: i64) -> Progress<'static> {
        Progress { table: "buyers", column: "email", step: "rewriting", at, end, rewritten: 7 }
    }

    #[test]
    fn a_terminal_has_a_bar_and_a_file_has_lines() {
        let mut bar = Bar { terminal: true, next: Instant::now(), open: false };
        let line = bar.line(&progress(50, 100), false);
        assert_eq!(line, "\r[##########          ] rewriting buyers.email:  50 %, 7 rewritten\x1b[K");
        assert!(bar.open);
        assert!(bar.line(&progress(100, 100), true).ends_with("\x1b[K\n"));
        assert!(!bar.open);
        bar.terminal = false;
        assert_eq!(bar.line(&progress(1, 3), false), "rewriting buyers.email:  33 %, 7 rewritten\n");
        assert_eq!(bar.line(&progress(0, 0), true), "rewriting buyers.email: 100 %, 7 rewritten\n");
    }
}
