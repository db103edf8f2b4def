//! The real executables: each server a process of its own, with a Postgres that the test may stop.

use std::{fs, path::Path};

use integration_tests::{
    client::Client,
    in_process::{Dummies, db_server_settings, provider_proxy_settings, sandbox_settings},
    postgres::PrivatePostgres,
    process::{Launch, Process},
    settings::merge,
};
use tempfile::TempDir;
use toml::Table;

/// The database's name in a Postgres that serves one test.
pub const DATABASE: &str = "solitude";

/// A server's process and where it listens.
pub struct Running {
    /// The process.
    pub process: Process,
    /// Its URL.
    pub url: String,
}

/// All four, as `./dev up` runs them.
pub struct Executables {
    /// db-server.
    pub db_server: Running,
    /// provider-proxy.
    pub provider_proxy: Running,
    /// The sandbox.
    pub sandbox: Running,
    /// The Postgres behind db-server.
    pub postgres: PrivatePostgres,
    /// The secrets.
    pub dummies: Dummies,
    _folder: TempDir,
}

impl Executables {
    /// Starts all four; the texts are TOML that is merged over the settings of each server.
    pub async fn start(db_settings: &str, proxy_settings: &str, dummies: Dummies) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = PrivatePostgres::temporary().unwrap();
        postgres.create_database(DATABASE, None).unwrap();
        let sandbox = running(sandbox(&dummies)).await;
        let table = merged(provider_proxy_settings(&sandbox.url, &dummies), proxy_settings);
        let provider_proxy = running(server("provider-proxy", folder.path(), &table)).await;
        let table = db_server_settings(postgres.socket_folder(), DATABASE, &provider_proxy.url, &dummies);
        let db_server = running(server("db-server", folder.path(), &merged(table, db_settings))).await;
        Self { db_server, provider_proxy, sandbox, postgres, dummies, _folder: folder }
    }

    /// A client of db-server with all roles.
    pub fn client(&self) -> Client {
        Client::signed(&self.db_server.url, &self.dummies.client_key, &self.dummies.client_secret)
    }
}

/// Starts a server and waits until it listens.
pub async fn running(launch: Launch) -> Running {
    let process = launch.start().unwrap();
    let line = process.wait_for_line("listening on ").await.unwrap();
    let url = line.rsplit("listening on ").next().unwrap().trim_end_matches(['"', '}']).to_owned();
    Running { process, url }
}

/// Settings with others merged over them.
pub fn merged(mut table: Table, over: &str) -> Table {
    merge(&mut table, over.parse().unwrap());
    table
}

/// One of the servers, with its settings in a file.
pub fn server(name: &str, folder: &Path, settings: &Table) -> Launch {
    let path = folder.join(format!("{name}.toml"));
    fs::write(&path, toml::to_string(settings).unwrap()).unwrap();
    Launch::executable(name).unwrap().argument("--config").argument(path)
}

fn sandbox(dummies: &Dummies) -> Launch {
    let arguments = integration_tests::sandbox::arguments(&sandbox_settings(dummies));
    Launch::executable("provider-sandbox").unwrap().arguments(arguments)
}
