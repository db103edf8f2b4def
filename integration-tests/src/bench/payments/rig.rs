//! What is measured: a private, durable Postgres, both servers and the sandbox, as processes of their own.

use std::{fs, net::SocketAddr, path::Path};

use diesel::PgConnection;
use oauth1::Credentials;
use rustix::process::Signal;
use tempfile::TempDir;
use toml::Table;

use super::{BenchError, PaymentsOptions};
use crate::{
    bench::{meter::Meter, rig::postgres_settings},
    in_process::{Dummies, db_server_settings, provider_proxy_settings, sandbox_settings},
    pair::when_bound,
    postgres::{Durability, PrivatePostgres, ROLE},
    process::{Launch, Process},
    sandbox::arguments,
    settings::merge,
};

const DATABASE: &str = "bench";

/// All, running.
pub(super) struct Rig {
    db_server: Process,
    provider_proxy: Process,
    sandbox: Process,
    url: String,
    dummies: Dummies,
    folder: TempDir,
    // Last, for db-server is to end before it.
    postgres: PrivatePostgres,
}

impl Rig {
    pub(super) async fn start(options: &PaymentsOptions) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("a temporary folder"))?;
        let postgres = PrivatePostgres::temporary_with(|options| {
            options.durability = Durability::Full;
            options.settings = postgres_settings();
            // A million payments have some GB of tables and indexes. Postgres's own advice is a quarter of the memory.
            options.settings.push(("shared_buffers", "2GB".to_owned()));
        })?;
        postgres.create_database(DATABASE, None)?;
        let dummies = Dummies::default();
        let starting = Starting { folder: folder.path() };
        let sandbox_arguments = arguments(&sandbox_settings(&dummies));
        let (sandbox, sandbox_url) = starting.sandbox(sandbox_arguments).await?;
        let proxy = provider_proxy_settings(&sandbox_url, &dummies);
        let (provider_proxy, proxy_url) = starting.serve("provider-proxy", proxy).await?;
        let mut table = db_server_settings(postgres.socket_folder(), DATABASE, &proxy_url, &dummies);
        merge(&mut table, tuned(options));
        let (db_server, url) = starting.serve("db-server", table).await?;
        Ok(Self { db_server, provider_proxy, sandbox, url, dummies, folder, postgres })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn address(&self) -> Result<SocketAddr, BenchError> {
        let address = self.url.trim_start_matches("http://").parse();
        address.map_err(|_| BenchError::Malformed(self.url.clone()))
    }

    pub(super) fn credentials(&self) -> Credentials {
        let Dummies { client_key, client_secret, .. } = &self.dummies;
        let consumer_secret = client_secret.clone().into();
        Credentials { consumer_key: client_key.clone(), consumer_secret, realm: None }
    }

    /// The database for pgbench, as the role that db-server connects as.
    pub(super) fn database_url(&self) -> String {
        self.postgres.url(DATABASE, ROLE)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection of the superuser.
    pub(super) fn connect(&self) -> Result<PgConnection, BenchError> {
        Ok(self.postgres.connect(DATABASE)?)
    }

    /// Whose processor time is counted.
    pub(super) fn meter(&self) -> Meter {
        Meter {
            server: self.db_server.pid(),
            postgres: self.postgres.process().map(Process::pid).unwrap_or_default(),
        }
    }

    pub(super) async fn stop(self) -> Result<(), BenchError> {
        for process in [&self.db_server, &self.provider_proxy, &self.sandbox] {
            process.signal(Signal::TERM);
            process.wait().await?;
        }
        Ok(())
    }
}

/// Where settings and logs go.
struct Starting<'a> {
    folder: &'a Path,
}

impl Starting<'_> {
    async fn sandbox(&self, arguments: Vec<String>) -> Result<(Process, String), BenchError> {
        let address_file = self.folder.join("provider-sandbox.address");
        let launch = Launch::executable("provider-sandbox")?.arguments(arguments);
        let launch = launch.argument("--address-file").argument(&address_file);
        let process = launch.log_to(self.folder.join("provider-sandbox.log")).start()?;
        let url = when_bound(&process, &address_file, "http").await?;
        Ok((process, url))
    }

    async fn serve(&self, name: &str, mut table: Table) -> Result<(Process, String), BenchError> {
        let address_file = self.folder.join(format!("{name}.address"));
        let address = address_file.display().to_string();
        let server = Table::from_iter([("address_file".to_owned(), address.into())]);
        merge(&mut table, Table::from_iter([("server".to_owned(), server.into())]));
        let path = self.folder.join(format!("{name}.toml"));
        fs::write(&path, table.to_string()).map_err(BenchError::system(path.display()))?;
        // Its log goes to a file, as an operator's would; the harness would spend more on reading it than it on writing.
        let launch = Launch::executable(name)?.argument("--config").argument(&path);
        let process = launch.log_to(self.folder.join(format!("{name}.log"))).start()?;
        let url = when_bound(&process, &address_file, "http").await?;
        Ok((process, url))
    }
}

fn tuned(options: &PaymentsOptions) -> Table {
    let table = |key: &str, value: u32| Table::from_iter([(key.to_owned(), i64::from(value).into())]);
    Table::from_iter([
        ("server".to_owned(), table("workers", 2).into()),
        ("database".to_owned(), table("pool_size", options.pool).into()),
    ])
}
