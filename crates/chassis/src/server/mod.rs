//! The shell around a service's routes: listening, TLS, the access log, draining.

pub(crate) mod access_log;
mod peer;
mod reply;
mod request_id;
mod settings;

use std::{
    fs,
    future::{self, Future},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web::{self, PayloadConfig, ServiceConfig},
};
use thiserror::Error;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

pub use access_log::shown_target;
pub use peer::{OnDistrust, Peer};
pub use reply::{detail, resource};
pub use settings::{ServerSettings, TlsSettings};

use crate::tls::{ServerTls, TlsError};

/// How often the files of `server.tls` are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(1);

/// Why a server cannot start.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The certificate or key cannot be used.
    #[error("server.tls: {0}")]
    Tls(#[from] TlsError),
}

/// A server that has its address and accepts connections as soon as it runs.
pub struct Bound {
    server: Server,
    address: SocketAddr,
    tls: Option<Arc<ServerTls>>,
    address_file: Option<PathBuf>,
    name: Option<&'static str>,
    on_drain: Option<Box<dyn FnOnce()>>,
}

/// Takes the address, and prepares a server with these routes.
///
/// # Errors
/// [`ServerError`] when the address or the certificate cannot be had.
pub fn bind<F>(settings: &ServerSettings, routes: F) -> Result<Bound, ServerError>
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let limit = PayloadConfig::new(settings.max_request_body);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(limit.clone())
            .configure(routes.clone())
            .default_service(web::to(reply::not_found))
            .wrap(from_fn(access_log::access_log))
    })
    .workers(settings.workers)
    .disable_signals()
    .shutdown_timeout(settings.drain.as_secs())
    // Without it a body that spans packets waits 40 ms for the peer's delayed acknowledgement.
    .tcp_nodelay(true);
    let bind_error = |source| ServerError::Bind { address: settings.listen, source };
    let tls = settings.tls.as_ref().map(ServerTls::open).transpose()?;
    let server = match &tls {
        None => server.bind(settings.listen).map_err(bind_error)?,
        Some(tls) => {
            let server = server.on_connect(peer::remember(Arc::clone(tls)));
            server.bind_rustls_0_23(settings.listen, tls.config()?).map_err(bind_error)?
        }
    };
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    let address_file = settings.address_file.clone();
    Ok(Bound { server: server.run(), address, tls, address_file, name: None, on_drain: None })
}

impl Bound {
    /// Says with this name in the log where it listens: for a second listener of the same process.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Tells somebody that a signal has come and draining begins: whoever has requests wait for something can end that.
    #[must_use]
    pub fn on_drain(mut self, tell: impl FnOnce() + 'static) -> Self {
        self.on_drain = Some(Box::new(tell));
        self
    }

    /// Where it listens; the port is the real one when the settings said 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// Stops it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Its TLS, when it speaks that.
    #[must_use]
    pub fn tls(&self) -> Option<Arc<ServerTls>> {
        self.tls.clone()
    }

    /// Serves until it is stopped through its handle.
    ///
    /// # Errors
    /// An I/O error of the listener or of the address file.
    pub async fn run(self) -> io::Result<()> {
        self.announce()?;
        let (tls, server) = (self.tls, self.server);
        beside(server, follow_files(tls, None)).await
    }

    /// Serves until SIGTERM or SIGINT, then answers what is in flight, at most as long as `server.drain`. A second
    /// signal ends it at once. With TLS, SIGHUP reads its files again.
    ///
    /// # Errors
    /// An I/O error of the listener, of the signal handlers or of the address file.
    pub async fn run_until_signal(mut self) -> io::Result<()> {
        let handle = self.server.handle();
        let mut on_drain = self.on_drain.take();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // Only now: whoever hears of the address may send a signal next.
        self.announce()?;
        let watch = actix_web::rt::spawn(async move {
            for graceful in [true, false] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                log::info!("{}", if graceful { "draining" } else { "stopping at once" });
                if let Some(tell) = on_drain.take() {
                    tell();
                }
                // Not awaited: the second signal must be heard while the first one's draining goes on.
                drop(actix_web::rt::spawn(handle.stop(graceful)));
            }
        });
        let hang_up = self.tls.as_ref().map(|_| signal(SignalKind::hangup())).transpose()?;
        let result = beside(self.server, follow_files(self.tls, hang_up)).await;
        watch.abort();
        log::info!("stopped");
        result
    }
}

impl Bound {
    /// Tells the log, and whoever waits for the address file, where it listens.
    fn announce(&self) -> io::Result<()> {
        if let Some(path) = &self.address_file {
            write_address(path, self.address)?;
        }
        match self.name {
            None => log::info!("listening on {}", self.url()),
            Some(name) => log::info!("{name}: on {}", self.url()),
        }
        Ok(())
    }
}

/// Does the work, and the other for as long as that takes.
async fn beside<T>(work: impl Future<Output = T>, other: impl Future<Output = ()>) -> T {
    let other = async {
        other.await;
        future::pending().await
    };
    tokio::select! {
        done = work => done,
        never = other => never,
    }
}

/// Reads the files of `server.tls` again when they change, and at SIGHUP.
async fn follow_files(tls: Option<Arc<ServerTls>>, mut hang_up: Option<Signal>) {
    let Some(tls) = tls else { return };
    let mut ticks = interval(LOOK_AT_FILES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let asked = tokio::select! {
            _ = ticks.tick() => false,
            _ = told(&mut hang_up) => true,
        };
        tls.refresh(asked);
    }
}

async fn told(hang_up: &mut Option<Signal>) {
    match hang_up {
        Some(signal) => drop(signal.recv().await),
        None => future::pending().await,
    }
}

/// Written beside and renamed, so that a reader never sees half of it.
fn write_address(path: &Path, address: SocketAddr) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, format!("{address}\n"))?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
