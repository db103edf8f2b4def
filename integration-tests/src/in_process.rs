//! Both servers and the sandbox in this process, each in a thread of its own, on free ports.

mod dummies;
mod operator;

use std::{
    future::Future,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    pin::Pin,
    sync::mpsc,
    thread,
    time::Duration,
};

use actix_web::{dev::ServerHandle, rt::System};
use chassis::environment::Environment;
use db_server::domain::Clock;
use provider_sandbox::Sandbox;
use toml::Table;

pub use dummies::{Dummies, db_server_settings, provider_proxy_settings, sandbox_settings};
pub use operator::Operator;

use crate::{client::Client, database::TestDatabase, sandbox::send_webhooks, settings::merge};

/// What a pair in tests is started with.
#[derive(Clone, Debug, Default)]
pub struct PairOptions {
    db_settings: Table,
    proxy_settings: Table,
    dummies: Dummies,
    clock: Clock,
}

impl PairOptions {
    /// Merges TOML over db-server's settings.
    ///
    /// # Panics
    /// When it is no TOML.
    #[must_use]
    pub fn db_settings(mut self, text: &str) -> Self {
        merge(&mut self.db_settings, text.parse().unwrap());
        self
    }

    /// Merges TOML over provider-proxy's settings.
    ///
    /// # Panics
    /// When it is no TOML.
    #[must_use]
    pub fn proxy_settings(mut self, text: &str) -> Self {
        merge(&mut self.proxy_settings, text.parse().unwrap());
        self
    }

    /// Uses these secrets.
    #[must_use]
    pub fn dummies(mut self, dummies: Dummies) -> Self {
        self.dummies = dummies;
        self
    }

    /// Has db-server go by this clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts the pair over a fresh database.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn spawn(self) -> Pair {
        let database = TestDatabase::new();
        let pair = self.spawn_on(&database.socket_folder(), database.name()).await;
        Pair { database: Some(database), ..pair }
    }

    /// Starts the pair over another database, which db-server migrates.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn spawn_on(self, socket_folder: &Path, database: &str) -> Pair {
        let Self { db_settings, proxy_settings, dummies, clock } = self;
        let sandbox = start_sandbox(&dummies);
        let mut table = provider_proxy_settings(sandbox.url(), &dummies);
        merge(&mut table, proxy_settings);
        let provider_proxy = start_provider_proxy(table);
        let mut table = db_server_settings(socket_folder, database, provider_proxy.url(), &dummies);
        merge(&mut table, db_settings);
        let db_server = start_db_server_by(table, clock);
        send_webhooks(sandbox.url(), db_server.url()).await.unwrap();
        Pair { db_server, provider_proxy, sandbox, database: None, dummies }
    }
}

/// Both servers and the sandbox, until dropped.
pub struct Pair {
    /// db-server.
    pub db_server: Server,
    /// provider-proxy.
    pub provider_proxy: Server,
    /// The sandbox.
    pub sandbox: Server,
    /// The database, unless the test brought its own.
    pub database: Option<TestDatabase>,
    /// The secrets.
    pub dummies: Dummies,
}

/// Starts a pair over a fresh database with nothing special about it.
///
/// # Panics
/// When something does not start.
pub async fn spawn_pair() -> Pair {
    PairOptions::default().spawn().await
}

impl Pair {
    /// A client of db-server with all roles, which signs its requests.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::signed(self.db_server.url(), &self.dummies.client_key, &self.dummies.client_secret)
    }

    /// A client of the sandbox's own side.
    #[must_use]
    pub fn sandbox_client(&self) -> Client {
        Client::unsigned(self.sandbox.url())
    }
}

/// How long a server that is stopped may take to let go of a connection.
const KEPT: Duration = Duration::from_secs(60);

/// A server in a thread of this process; dropping it stops it at once.
pub struct Server {
    url: String,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Its URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it at once: when this returns its port is closed, and so are the connections that clients keep.
    pub fn stop(&mut self) {
        let kept = self.connection();
        self.end();
        // The worker has a thread of its own, which ends a little later.
        if let Some(mut kept) = kept {
            let _ = kept.read_to_end(&mut Vec::new());
        }
    }

    /// A connection that the worker has answered on and keeps.
    fn connection(&self) -> Option<TcpStream> {
        let mut kept = TcpStream::connect(self.url.strip_prefix("http://")?).ok()?;
        kept.set_read_timeout(Some(KEPT)).ok()?;
        kept.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").ok()?;
        let read = kept.read(&mut [0; 8192]).ok()?;
        (read > 0).then_some(kept)
    }

    fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(self.handle.stop(false));
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A server that is bound, and what runs it.
type Started = (String, ServerHandle, Pin<Box<dyn Future<Output = io::Result<()>>>>);

fn start<F>(name: &str, build: F) -> Server
where
    F: AsyncFnOnce() -> Result<Started, String> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        System::new().block_on(async move {
            match build().await {
                Ok((url, handle, running)) => {
                    let _ = sender.send(Ok((url, handle)));
                    running.await.unwrap();
                }
                Err(error) => drop(sender.send(Err(error))),
            }
        });
    });
    let answer = receiver.recv().unwrap_or_else(|_| Err("it panicked".to_owned()));
    let (url, handle) = answer.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    Server { url, handle, thread: Some(thread.unwrap()) }
}

/// Starts a sandbox.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn start_sandbox(dummies: &Dummies) -> Server {
    let settings = sandbox_settings(dummies);
    start("sandbox", async || {
        let sandbox = Sandbox::start(settings).map_err(|error| error.to_string())?;
        Ok((sandbox.url(), sandbox.handle(), Box::pin(sandbox.run()) as _))
    })
}

/// Starts provider-proxy with these settings.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn start_provider_proxy(table: Table) -> Server {
    start("provider-proxy", async || {
        let settings = provider_proxy::Settings::read(table, Environment::default());
        let settings = settings.map_err(|error| error.to_string())?;
        let application = provider_proxy::Application::build(settings).map_err(|error| error.to_string())?;
        Ok((application.url(), application.handle(), Box::pin(application.run()) as _))
    })
}

/// Starts db-server with these settings.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn start_db_server(table: Table) -> Server {
    start_db_server_by(table, Clock::system())
}

/// Starts db-server with these settings; it goes by this clock.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn start_db_server_by(table: Table, clock: Clock) -> Server {
    start("db-server", async || {
        let settings = db_server::settings::read(table, Environment::default());
        let settings = settings.map_err(|error| error.to_string())?;
        let application = db_server::Application::build_with(settings, clock).await;
        let application = application.map_err(|error| error.to_string())?;
        Ok((application.url(), application.handle(), Box::pin(application.run()) as _))
    })
}
