//! What is made to crash: the sandbox, provider-proxy and db-servers as processes, started again on their ports.

use std::{
    cell::{Cell, RefCell},
    fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    rc::Rc,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use tempfile::TempDir;
use toml::Table;

use super::{CrashError, database::Database, points::Program};
use crate::{
    client::Client,
    in_process::{Dummies, db_server_settings, provider_proxy_settings, sandbox_settings},
    process::{End, Launch, Process, ProcessError},
    sandbox,
    settings::merge,
};

/// How many of a process's lines are kept.
const KEEP: usize = 20_000;

/// A client goes on with what a server that died has begun after so long: longer than all that the sandbox is told to
/// take.
const LEASE: &str = "[payments]\nidempotency_lease = '12s'\n";

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
    starts: Cell<u32>,
}

impl Slot {
    fn new(
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
            starts: Cell::default(),
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

    /// How often it was started; another number than before says that the process from then is gone.
    #[must_use]
    pub fn starts(&self) -> u32 {
        self.starts.get()
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
            self.starts.set(self.starts.get() + 1);
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
        let mut found = super::Differences::default();
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

/// All of it over a database.
pub struct Rig {
    /// The db-servers; all have the same settings but for the port.
    pub db_servers: Vec<Slot>,
    /// provider-proxy.
    pub provider_proxy: Slot,
    /// The sandbox, which never crashes: it is the world.
    pub sandbox: Process,
    /// The sandbox's URL.
    pub sandbox_url: String,
    /// The database.
    pub database: Database,
    /// The secrets.
    pub dummies: Dummies,
    _folder: TempDir,
}

impl Rig {
    /// Starts everything over a database.
    ///
    /// # Errors
    /// [`CrashError`].
    pub async fn start(database: Database, db_servers: usize) -> Result<Self, CrashError> {
        let (folder, dummies) =
            (tempfile::tempdir().map_err(CrashError::file("a temporary folder"))?, Dummies::default());
        let arguments = sandbox::arguments(&sandbox_settings(&dummies));
        let sandbox = Launch::executable("provider-sandbox")?.arguments(arguments).keep(KEEP).start()?;
        let sandbox_url = address(&sandbox.wait_for_line("listening on ").await?);
        let ports = free_ports(db_servers + 1)?;
        let proxy_port = ports[db_servers];
        let mut table = provider_proxy_settings(&sandbox_url, &dummies);
        merge(&mut table, listening(proxy_port));
        merge(&mut table, checkout(ports[0]));
        let provider_proxy =
            Slot::new("provider-proxy", Program::ProviderProxy, &folder, proxy_port, &table)?;
        provider_proxy.start(None).await?;
        let mut slots = Vec::new();
        for (number, &port) in ports[..db_servers].iter().enumerate() {
            let mut table =
                db_server_settings(database.host(), database.name(), &provider_proxy.url(), &dummies);
            merge(&mut table, listening(port));
            merge(&mut table, parsed(LEASE));
            let slot = Slot::new(&format!("db-server-{number}"), Program::DbServer, &folder, port, &table)?;
            slot.start(None).await?;
            slots.push(slot);
        }
        let rig = Self {
            db_servers: slots,
            provider_proxy,
            sandbox,
            sandbox_url,
            database,
            dummies,
            _folder: folder,
        };
        for slot in &rig.db_servers {
            let sent = sandbox::send_webhooks(&rig.sandbox_url, &slot.url()).await;
            sent.map_err(|error| match error {
                sandbox::WebhookError::NoAnswer(error) => CrashError::Request(error),
                sandbox::WebhookError::Refused(answer) => {
                    CrashError::Answer { what: "webhooks".to_owned(), answer }
                }
            })?;
        }
        Ok(rig)
    }

    /// A client of one of the db-servers, with all roles.
    #[must_use]
    pub fn client(&self, number: usize) -> Client {
        let slot = &self.db_servers[number % self.db_servers.len()];
        Client::signed(&slot.url(), &self.dummies.client_key, &self.dummies.client_secret)
    }

    /// The last lines of all servers, for a person.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let slots = self.db_servers.iter().chain([&self.provider_proxy]);
        let last = slots.map(|slot| {
            let lines = slot.lines();
            let last = &lines[lines.len().saturating_sub(40)..];
            format!("{}:\n    {}", slot.name(), last.join("\n    "))
        });
        let last: Vec<String> = last.collect();
        format!("{}\nsandbox:{}", last.join("\n"), self.sandbox.last_lines(40))
    }

    /// A client of the sandbox's own side.
    #[must_use]
    pub fn sandbox(&self) -> Client {
        Client::unsigned(&self.sandbox_url)
    }
}

fn address(line: &str) -> String {
    let url = line.rsplit("listening on ").next().unwrap_or_default();
    url.trim_end_matches(['"', '}']).to_owned()
}

fn listening(port: u16) -> Table {
    parsed(&format!("[server]\nlisten = '127.0.0.1:{port}'\nworkers = 2\n"))
}

/// The reference provider posts its notices to the first db-server.
fn checkout(port: u16) -> Table {
    let url = format!("http://127.0.0.1:{port}/webhooks/reference/");
    parsed(&format!("[providers.reference.checkout]\ncallback_url = '{url}'\n"))
}

fn parsed(text: &str) -> Table {
    text.parse().unwrap_or_default()
}

/// Ports that nobody has, outside of the range from which the system takes those of outgoing connections: none of them is
/// gone when a server comes back to its own.
fn free_ports(count: usize) -> Result<Vec<u16>, CrashError> {
    const FIRST: u16 = 20_000;
    const LAST: u16 = 32_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run at the same time begin elsewhere.
    let offset = u16::try_from(std::process::id() % 11_000).unwrap_or_default();
    let mut free = Vec::new();
    for _ in FIRST..LAST {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (offset.wrapping_add(number)) % (LAST - FIRST);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            free.push(port);
        }
        if free.len() == count {
            return Ok(free);
        }
    }
    Err(CrashError::NoPort)
}
