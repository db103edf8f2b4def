//! What is made to crash: the sandbox, provider-proxy and db-servers as processes, started again on their ports.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

use tempfile::TempDir;
use toml::Table;

use super::{
    CrashError,
    database::Database,
    points::Program,
    slot::{KEEP, Slot},
};
use crate::{
    client::Client,
    in_process::{Dummies, db_server_settings, provider_proxy_settings, sandbox_settings},
    process::{Launch, Process},
    sandbox,
    settings::merge,
};

/// A client goes on with what a server that died has begun after so many seconds: the shortest time that db-server takes.
/// Time passes quickly here: see [`super::settling::pass_leases`].
pub const LEASE: i64 = 22;

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
        Self::start_with(database, db_servers, Table::new()).await
    }

    /// The same, with these settings over provider-proxy's.
    ///
    /// # Errors
    /// [`CrashError`].
    pub async fn start_with(
        database: Database,
        db_servers: usize,
        proxy_settings: Table,
    ) -> Result<Self, CrashError> {
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
        merge(&mut table, proxy_settings);
        let provider_proxy =
            Slot::new("provider-proxy", Program::ProviderProxy, &folder, proxy_port, &table)?;
        provider_proxy.start(None).await?;
        let mut slots = Vec::new();
        for (number, &port) in ports[..db_servers].iter().enumerate() {
            let mut table =
                db_server_settings(database.host(), database.name(), &provider_proxy.url(), &dummies);
            merge(&mut table, listening(port));
            merge(&mut table, parsed(&format!("[payments]\nidempotency_lease = '{LEASE}s'\n")));
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
