//! The running pair: started in order, watched, stopped in the reverse order.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use serde_json::{Value, json};
use toml::Table;

use super::{
    PairError, UpOptions, ports,
    ready::{when_bound, when_ready},
    secrets::{CLIENT_KEY, Secrets, write_private},
    state::{State, remove_if_there},
};
use crate::{
    postgres::{PostgresOptions, PrivatePostgres, ROLE, Stop},
    process::{Launch, Process, ProcessError},
    sandbox::{arguments, send_webhooks},
    settings::{self, DbServer, ProviderProxy},
};

/// How long a server may take to end: its own limit for draining is 30 s.
const STOP_LIMIT: Duration = Duration::from_secs(40);

/// How many of a server's lines are kept for the case that it dies.
const KEEP: usize = 200;

/// How many of them are shown.
pub(super) const SHOW: usize = 20;

/// What goes for all servers of a pair.
struct Making<'a> {
    options: &'a UpOptions,
    state: &'a State,
    secrets: &'a Secrets,
    echo: bool,
}

/// All four, ready.
pub(super) struct Pair {
    db_server: Server,
    provider_proxy: Server,
    sandbox: Server,
    postgres: PrivatePostgres,
    /// Nothing is written to a data folder that is removed next.
    stop_postgres: Stop,
    client_secret: String,
    identity_public_key: PathBuf,
}

/// One server and where it listens.
struct Server {
    process: Process,
    url: String,
}

/// A server that was started and may not listen yet.
struct Starting {
    process: Process,
    address_file: PathBuf,
    scheme: &'static str,
}

impl Starting {
    /// Waits until it is well.
    async fn ready(self) -> Result<Server, PairError> {
        let Self { process, address_file, scheme } = self;
        let url = when_bound(&process, &address_file, scheme).await?;
        when_ready(&process, &url).await?;
        Ok(Server { process, url })
    }
}

impl Pair {
    /// Starts all and waits until all are ready.
    pub(super) async fn start(options: &UpOptions, state: &State, echo: bool) -> Result<Self, PairError> {
        ports::check(options)?;
        let secrets = state.secrets()?;
        let making = Making { options, state, secrets: &secrets, echo };
        let sandbox = making.sandbox().await?;
        // It needs no database, so it starts while initdb works.
        let provider_proxy = making.provider_proxy(&sandbox.url)?;
        let postgres = making.postgres()?;
        let provider_proxy = provider_proxy.ready().await?;
        let db_server = making.db_server(&postgres, &provider_proxy.url)?.ready().await?;
        send_webhooks(&sandbox.url, &db_server.url).await?;
        let client_secret = secrets.client_secret.value().to_owned();
        let identity_public_key = secrets.identity_public_key.clone();
        let stop_postgres = if state.is_temporary() { Stop::Immediate } else { Stop::Fast };
        Ok(Self {
            db_server,
            provider_proxy,
            sandbox,
            postgres,
            stop_postgres,
            client_secret,
            identity_public_key,
        })
    }

    /// db-server's URL.
    pub(super) fn db_server(&self) -> &str {
        &self.db_server.url
    }

    /// The sandbox's URL.
    pub(super) fn sandbox(&self) -> &str {
        &self.sandbox.url
    }

    /// Key and secret of the client with all roles.
    pub(super) fn client(&self) -> (&str, &str) {
        (CLIENT_KEY, &self.client_secret)
    }

    /// A URL of the database for `psql`.
    pub(super) fn postgres(&self) -> String {
        self.postgres.url(DATABASE, ROLE)
    }

    /// What pair.json says.
    pub(super) fn description(&self) -> Value {
        let (key, secret) = self.client();
        json!({
            "db_server": self.db_server.url,
            "provider_proxy": self.provider_proxy.url,
            "sandbox": self.sandbox.url,
            "postgres": self.postgres(),
            "client": {"key": key, "secret": secret},
            "identity_public_key": self.identity_public_key,
            "pids": {
                "local_pair": std::process::id(),
                "postgres": self.postgres.process().map(Process::pid),
                "sandbox": self.sandbox.process.pid(),
                "provider_proxy": self.provider_proxy.process.pid(),
                "db_server": self.db_server.process.pid(),
            },
        })
    }

    /// Waits until one of them ends by itself, and tells which.
    pub(super) async fn one_died(&self) -> PairError {
        let postgres = async {
            match self.postgres.process() {
                Some(process) => process.ended().await,
                None => std::future::pending().await,
            }
        };
        let (process, end) = tokio::select! {
            end = self.db_server.process.ended() => (Some(&self.db_server.process), end),
            end = self.provider_proxy.process.ended() => (Some(&self.provider_proxy.process), end),
            end = self.sandbox.process.ended() => (Some(&self.sandbox.process), end),
            end = postgres => (self.postgres.process(), end),
        };
        let name = process.map_or("postgres", Process::name).to_owned();
        // All that it printed is wanted, not just what had arrived with the news of its end.
        if let Some(process) = process {
            let _ = process.wait_within(Duration::from_secs(2)).await;
        }
        PairError::Died { name, end, lines: process.map(|of| of.last_lines(SHOW)).unwrap_or_default() }
    }

    /// Waits until db-server has logged a line with this text.
    pub(super) async fn db_server_line(&self, text: &str) -> Result<String, ProcessError> {
        self.db_server.process.wait_for_line(text).await
    }

    /// The last lines of both servers and the sandbox.
    pub(super) fn last_lines(&self) -> String {
        let servers = [&self.db_server, &self.provider_proxy, &self.sandbox];
        let shown =
            servers.map(|server| format!("{}{}", server.process.name(), server.process.last_lines(SHOW)));
        shown.join("\n")
    }

    /// Stops all: each may finish what it is doing, and those that others need are stopped after them.
    pub(super) async fn stop(mut self) -> Result<(), PairError> {
        let mut first_error = None;
        for server in [&self.db_server, &self.provider_proxy, &self.sandbox] {
            server.process.signal(Signal::TERM);
            if let Err(error) = server.process.wait_within(STOP_LIMIT).await {
                server.process.kill();
                first_error = first_error.or(Some(error));
            }
        }
        self.postgres.stop(self.stop_postgres)?;
        first_error.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// The database of the pair.
const DATABASE: &str = "solitude";

impl Making<'_> {
    fn postgres(&self) -> Result<PrivatePostgres, PairError> {
        let mut options = PostgresOptions::new(self.state.data().to_owned());
        options.hold = Some(self.state.guards());
        options.remove = self.state.to_remove();
        // What is removed at the end need not outlive a crash of the machine; commits take their usual time all the same.
        options.sync_new_folder = !self.state.is_temporary();
        options.keep = KEEP;
        options.echo = self.echo;
        let mut postgres = PrivatePostgres::open(options)?;
        postgres.start()?;
        if !postgres.has_database(DATABASE)? {
            postgres.create_database(DATABASE, None)?;
        }
        Ok(postgres)
    }

    async fn sandbox(&self) -> Result<Server, PairError> {
        let address_file = self.address_file("provider-sandbox")?;
        let process = self
            .launch("provider-sandbox")?
            .arguments(arguments(&self.secrets.sandbox(self.options.sandbox_port)))
            .argument("--address-file")
            .argument(&address_file)
            .start()?;
        let url = when_bound(&process, &address_file, "http").await?;
        Ok(Server { process, url })
    }

    fn provider_proxy(&self, sandbox: &str) -> Result<Starting, PairError> {
        let address_file = self.address_file("provider-proxy")?;
        let made = ProviderProxy {
            listen: ports::listen(self.options.proxy_port),
            address_file: Some(&address_file),
            sandbox: sandbox.to_owned(),
            reference: self.secrets.reference(),
            stripe: self.secrets.stripe(),
            paypal: self.secrets.paypal(),
            braintree: self.secrets.braintree(),
            identity_public_key: &self.secrets.identity_public_key,
        };
        self.serve("provider-proxy", made.table(), self.options.proxy_settings.as_deref())
    }

    fn db_server(&self, postgres: &PrivatePostgres, proxy: &str) -> Result<Starting, PairError> {
        let address_file = self.address_file("db-server")?;
        let made = DbServer {
            listen: ports::listen(self.options.db_port),
            address_file: Some(&address_file),
            postgres_socket: postgres.socket_folder(),
            database: DATABASE,
            user: ROLE,
            encryption_key: self.secrets.encryption_key.setting(),
            lookup_key: self.secrets.lookup_key.setting(),
            pepper: self.secrets.pepper.setting(),
            client_key: CLIENT_KEY,
            client_secret: self.secrets.client_secret.setting(),
            proxy_url: proxy.to_owned(),
            identity_key: self.secrets.identity_key.setting(),
        };
        let mut table = made.table();
        settings::merge(&mut table, settings::people_and_door(self.secrets.login_key.setting()));
        self.serve("db-server", table, self.options.db_settings.as_deref())
    }

    /// Writes a server's settings and starts it.
    fn serve(&self, name: &str, mut table: Table, over: Option<&Path>) -> Result<Starting, PairError> {
        if let Some(path) = over {
            settings::merge(&mut table, read_settings(path)?);
        }
        let path = self.settings_file(name);
        write_private(&path, &table.to_string()).map_err(PairError::file(&path))?;
        let server = table.get("server");
        let setting = |key: &str| server.and_then(|server| server.get(key));
        let address_file = setting("address_file").and_then(toml::Value::as_str).map(PathBuf::from);
        let address_file = address_file.unwrap_or_default();
        let scheme = if setting("tls").is_some() { "https" } else { "http" };
        remove_if_there(&address_file)?;
        let process = self.launch(name)?.argument("--config").argument(&path).start()?;
        Ok(Starting { process, address_file, scheme })
    }

    fn launch(&self, name: &str) -> Result<Launch, PairError> {
        let launch = Launch::executable(name).map_err(PairError::from)?;
        Ok(launch.hold(Some(&self.state.guards())).keep(KEEP).echo(self.echo))
    }

    fn settings_file(&self, name: &str) -> PathBuf {
        self.state.folder().join(format!("{name}.toml"))
    }

    fn address_file(&self, name: &str) -> Result<PathBuf, PairError> {
        let path = self.state.folder().join(format!("{name}.address"));
        remove_if_there(&path)?;
        Ok(path)
    }
}

fn read_settings(path: &Path) -> Result<Table, PairError> {
    let text = fs::read_to_string(path).map_err(PairError::file(path))?;
    // The parser's own message would print the line, which may hold a secret.
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        PairError::Settings { path: path.to_owned(), message: format!("line {line}: {}", error.message()) }
    })
}
