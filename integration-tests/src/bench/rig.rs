//! What is measured: a private, durable Postgres and the real db-server, both with settings of their own; and what else
//! a measurement needs.

use std::{fs, net::SocketAddr, path::Path};

use diesel::PgConnection;
use oauth1::Credentials;
use rustix::process::Signal;
use tempfile::TempDir;
use toml::Table;
use uuid::Uuid;

use super::{
    BenchError, BenchOptions,
    meter::{self, Meter},
};
use crate::{
    executables,
    pair::when_bound,
    postgres::{Durability, PrivatePostgres, ROLE},
    process::{Launch, Process},
    settings::{DbServer, Secret, identity_key, merge},
};

pub(super) const DATABASE: &str = "bench";
const CLIENT_KEY: &str = "bench";

/// All that runs.
pub(super) struct Rig {
    server: Process,
    /// What db-server needs to do what is measured; they end after it.
    others: Vec<Process>,
    url: String,
    credentials: Credentials,
    folder: TempDir,
    // Last, for db-server is to end before it.
    postgres: PrivatePostgres,
}

impl Rig {
    /// For what only db-server does.
    pub(super) async fn start(options: &BenchOptions) -> Result<Self, BenchError> {
        let ground = Ground::prepare("512MB")?;
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let (server, url) = serve(options, &ground, &secret).await?;
        Ok(ground.rig(server, Vec::new(), url, (CLIENT_KEY, &secret)))
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn address(&self) -> Result<SocketAddr, BenchError> {
        let address = self.url.trim_start_matches("http://").parse();
        address.map_err(|_| BenchError::Malformed(self.url.clone()))
    }

    pub(super) fn credentials(&self) -> Credentials {
        self.credentials.clone()
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

    /// What db-server occupies in memory, now and at most, in KiB (`proc_pid_status(5)`: VmRSS and VmHWM).
    pub(super) fn memory(&self) -> Result<(u64, u64), BenchError> {
        meter::memory(self.server.pid())
    }

    /// Whose processor time is counted.
    pub(super) fn meter(&self) -> Meter {
        Meter {
            server: self.server.pid(),
            postgres: self.postgres.process().map(Process::pid).unwrap_or_default(),
        }
    }

    pub(super) async fn stop(self) -> Result<(), BenchError> {
        for process in std::iter::once(&self.server).chain(&self.others) {
            process.signal(Signal::TERM);
            process.wait().await?;
        }
        Ok(())
    }
}

/// On what the servers run: a folder for settings and logs, and the database.
pub(super) struct Ground {
    folder: TempDir,
    pub(super) postgres: PrivatePostgres,
}

impl Ground {
    /// With a Postgres that keeps so much of its tables in memory.
    pub(super) fn prepare(shared_buffers: &str) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("a temporary folder"))?;
        let postgres = PrivatePostgres::temporary_with(|options| {
            options.durability = Durability::Full;
            options.settings = postgres_settings(shared_buffers);
        })?;
        postgres.create_database(DATABASE, None)?;
        Ok(Self { folder, postgres })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// With db-server at `url`, which `client`, by key and secret, may ask.
    pub(super) fn rig(
        self,
        server: Process,
        others: Vec<Process>,
        url: String,
        (key, secret): (&str, &str),
    ) -> Rig {
        let credentials = Credentials {
            consumer_key: key.to_owned(),
            consumer_secret: secret.to_owned().into(),
            realm: None,
        };
        Rig { server, others, url, credentials, folder: self.folder, postgres: self.postgres }
    }
}

/// How many threads of db-server serve requests, and how many connections it has.
pub(super) fn tuned(workers: u32, pool: u32) -> Table {
    let table = |key: &str, value: u32| Table::from_iter([(key.to_owned(), i64::from(value).into())]);
    Table::from_iter([
        ("server".to_owned(), table("workers", workers).into()),
        ("database".to_owned(), table("pool_size", pool).into()),
    ])
}

/// More memory than the default, and room for a measurement between two checkpoints; nothing that makes a commit
/// less durable.
fn postgres_settings(shared_buffers: &str) -> Vec<(&'static str, String)> {
    let settings =
        [("shared_buffers", shared_buffers), ("max_wal_size", "8GB"), ("checkpoint_timeout", "30min")];
    settings.map(|(name, value)| (name, value.to_owned())).into()
}

async fn serve(
    options: &BenchOptions,
    ground: &Ground,
    secret: &str,
) -> Result<(Process, String), BenchError> {
    let (folder, postgres) = (ground.folder(), &ground.postgres);
    let address_file = folder.join("address");
    let made = DbServer {
        listen: "127.0.0.1:0".to_owned(),
        address_file: Some(&address_file),
        postgres_socket: postgres.socket_folder(),
        database: DATABASE,
        user: ROLE,
        encryption_key: Secret::literal(&fernet::Fernet::generate_key()),
        lookup_key: Secret::literal("no address is looked up here"),
        pepper: Secret::literal("no PIN is kept here"),
        client_key: CLIENT_KEY,
        client_secret: Secret::literal(secret),
        // Nothing that is measured goes there.
        proxy_url: "http://127.0.0.1:1".to_owned(),
        identity_key: Secret::file(&identity_key()),
    };
    let mut table = made.table();
    merge(&mut table, tuned(options.workers, options.pool));
    let path = folder.join("db-server.toml");
    fs::write(&path, table.to_string()).map_err(BenchError::system(path.display()))?;
    let program = match &options.db_server {
        Some(program) => program.clone(),
        None => executables::path("db-server").map_err(crate::process::ProcessError::from)?,
    };
    // Its log goes to a file, as an operator's would; the harness would spend more on reading it than it on writing.
    let launch = Launch::new("db-server", program).argument("--config").argument(&path);
    let process = launch.log_to(folder.join("db-server.log")).start()?;
    let url = when_bound(&process, &address_file, "http").await?;
    Ok((process, url))
}
