//! What is measured: both servers and the sandbox, as processes of their own.

use std::{fs, path::Path};

use toml::Table;

use super::{BenchError, PaymentsOptions};
use crate::{
    bench::rig::{DATABASE, Ground, Rig, tuned},
    in_process::{Dummies, db_server_settings, provider_proxy_settings, sandbox_settings},
    pair::when_bound,
    process::{Launch, Process},
    sandbox::arguments,
    settings::merge,
};

/// How many threads of db-server serve requests.
const WORKERS: u32 = 2;

pub(super) async fn start(options: &PaymentsOptions) -> Result<Rig, BenchError> {
    // A million payments have some GB of tables and indexes. Postgres's own advice is a quarter of the memory.
    let ground = Ground::prepare("2GB")?;
    let dummies = Dummies::default();
    let starting = Starting { folder: ground.folder() };
    let (sandbox, sandbox_url) = starting.sandbox(arguments(&sandbox_settings(&dummies))).await?;
    let settings = provider_proxy_settings(&sandbox_url, &dummies);
    let (proxy, proxy_url) = starting.serve("provider-proxy", settings).await?;
    let mut settings = db_server_settings(ground.postgres.socket_folder(), DATABASE, &proxy_url, &dummies);
    merge(&mut settings, tuned(WORKERS, options.pool));
    let (server, url) = starting.serve("db-server", settings).await?;
    Ok(ground.rig(server, vec![proxy, sandbox], url, (&dummies.client_key, &dummies.client_secret)))
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
