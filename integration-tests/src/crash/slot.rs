//! A server that dies and is started again on its port.

use std::{cell::RefCell, fs, path::PathBuf, rc::Rc, time::Duration};

use tempfile::TempDir;
use toml::Table;

use super::{CrashError, Differences, points::Program};
use crate::process::{End, Launch, Process, ProcessError};

/// How many of a process's lines are kept.
pub(super) const KEEP: usize = 20_000;

/// How often a process that ends before it listens is started again: its Postgres may be away.
const STARTS: u32 = 100;

/// A server on a port of its own, which it has again after each start.
pub struct Slot {
    name: String,
    program: Program,
    port: u16,
    settings: PathBuf,
    running: RefCell<Option<Rc<Process>>>,
    /// What the processes before have printed.
    history: RefCell<Vec<String>>,
}

impl Slot {
    pub(super) fn new(
        name: &str,
        program: Program,
        folder: &TempDir,
        port: u16,
        table: &Table,
    ) -> Result<Self, CrashError> {
        let settings = folder.path().join(format!("{name}.toml"));
        fs::write(&settings, table.to_string()).map_err(CrashError::file(settings.display()))?;
        Ok(Self {
            name: name.to_owned(),
            program,
            port,
            settings,
            running: RefCell::default(),
            history: RefCell::default(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it and waits until it listens, as often as needed; it dies by itself at a named point if one is given.
    ///
    /// # Errors
    /// [`CrashError::Process`] when it does not come up.
    pub async fn start(&self, crash_at: Option<&str>) -> Result<(), CrashError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let process = Rc::new(self.launch(crash_at)?.start()?);
            *self.running.borrow_mut() = Some(process.clone());
            match process.wait_for_line("listening on ").await {
                Ok(_) => return Ok(()),
                Err(ProcessError::Ended { .. }) if tries < STARTS => {
                    self.forget();
                    actix_web::rt::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// `kill -9`; waits until it is gone.
    ///
    /// # Errors
    /// [`CrashError::Process`] when it does not go.
    pub async fn kill(&self) -> Result<(), CrashError> {
        let process = self.running.borrow().clone();
        if let Some(process) = process {
            process.kill();
            process.wait().await?;
        }
        self.forget();
        Ok(())
    }

    /// Waits until it has ended by itself; gives how.
    ///
    /// # Errors
    /// [`CrashError::Process`] when it goes on.
    pub async fn ended(&self) -> Result<Option<End>, CrashError> {
        let process = self.running.borrow().clone();
        let Some(process) = process else { return Ok(None) };
        Ok(Some(process.wait().await?))
    }

    /// Waits until it has ended by itself, or for so long; gives whether it has ended.
    pub async fn ends_within(&self, limit: Duration) -> bool {
        let process = self.running.borrow().clone();
        match process {
            Some(process) => actix_web::rt::time::timeout(limit, process.ended()).await.is_ok(),
            None => true,
        }
    }

    /// The running process.
    #[must_use]
    pub fn process(&self) -> Option<Rc<Process>> {
        self.running.borrow().clone()
    }

    /// All that it has printed, over all starts.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let running = self.running.borrow();
        let now = running.iter().flat_map(|process| process.lines());
        self.history.borrow().iter().cloned().chain(now).collect()
    }

    /// Runs one of the program's commands to its end beside the server, such as `payment look`; gives its lines.
    ///
    /// # Errors
    /// [`CrashError::Process`]; [`CrashError::Found`] when it does not end with 0.
    pub async fn command(&self, arguments: &[&str]) -> Result<Vec<String>, CrashError> {
        let process = self.launch(None)?.arguments(arguments.iter().copied()).start()?;
        let end = process.wait().await?;
        if end == End::Exited(0) {
            return Ok(process.lines());
        }
        let mut found = Differences::default();
        found.add(format!("{} {}: {end}{}", self.name, arguments.join(" "), process.last_lines(30)));
        Err(CrashError::Found(found))
    }

    fn launch(&self, crash_at: Option<&str>) -> Result<Launch, CrashError> {
        let program = match self.program {
            Program::DbServer => "db-server",
            Program::ProviderProxy => "provider-proxy",
        };
        let mut launch =
            Launch::executable(program)?.keep(KEEP).argument("--config").argument(&self.settings);
        if let Some(point) = crash_at {
            launch = launch.variable("SOLITUDE_CRASH_AT", point);
        }
        Ok(launch)
    }

    fn forget(&self) {
        if let Some(process) = self.running.borrow_mut().take() {
            let mut history = self.history.borrow_mut();
            history.extend(process.lines());
            let surplus = history.len().saturating_sub(KEEP);
            history.drain(..surplus);
        }
    }
}
