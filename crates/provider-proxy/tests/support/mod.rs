//! A process of the executable that a test talks to.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

/// A process that listens.
pub(crate) struct Started {
    pub(crate) child: Child,
    /// What it has logged since then.
    pub(crate) log: BufReader<ChildStderr>,
    pub(crate) address: String,
}

/// Starts the executable with a settings file, and waits until it listens.
pub(crate) fn start(settings: &Path) -> Started {
    let mut child = Command::new(env!("CARGO_BIN_EXE_provider-proxy"))
        .env_clear()
        .arg("--config")
        .arg(settings)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let line = wait_for(&mut log, "listening on http://");
    let address = line.split("http://").nth(1).unwrap().to_owned();
    Started { child, log, address }
}

/// Reads the log up to a line with this text.
pub(crate) fn wait_for(log: &mut BufReader<ChildStderr>, text: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended before {text:?}");
        if line.contains(text) {
            return line.trim_end().to_owned();
        }
    }
}
