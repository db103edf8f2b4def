//! The shell around a service's routes: listening, TLS, the access log, draining.

pub(crate) mod access_log;
mod reply;
mod settings;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web::{self, PayloadConfig, ServiceConfig},
};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

pub use access_log::shown_target;
pub use reply::{detail, resource};
pub use settings::{ServerSettings, TlsSettings};

use crate::tls::{self, TlsError};

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
    https: bool,
    address_file: Option<PathBuf>,
    name: Option<&'static str>,
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
    let server = match &settings.tls {
        None => server.bind(settings.listen).map_err(bind_error)?,
        Some(tls) => {
            let config = tls::server_config(&tls.identity, tls.client_ca.as_deref())?;
            server.bind_rustls_0_23(settings.listen, config).map_err(bind_error)?
        }
    };
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    let address_file = settings.address_file.clone();
    Ok(Bound { server: server.run(), address, https: settings.tls.is_some(), address_file, name: None })
}

impl Bound {
    /// Says with this name in the log where it listens: for a second listener of the same process.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
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
        format!("{}://{}", if self.https { "https" } else { "http" }, self.address)
    }

    /// Stops it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until it is stopped through its handle.
    ///
    /// # Errors
    /// An I/O error of the listener or of the address file.
    pub async fn run(self) -> io::Result<()> {
        self.announce()?;
        self.server.await
    }

    /// Serves until SIGTERM or SIGINT, then answers what is in flight, at most as long as `server.drain`. A second
    /// signal ends it at once.
    ///
    /// # Errors
    /// An I/O error of the listener, of the signal handlers or of the address file.
    pub async fn run_until_signal(self) -> io::Result<()> {
        let handle = self.server.handle();
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
                // Not awaited: the second signal must be heard while the first one's draining goes on.
                drop(actix_web::rt::spawn(handle.stop(graceful)));
            }
        });
        let result = self.server.await;
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

/// Written beside and renamed, so that a reader never sees half of it.
fn write_address(path: &Path, address: SocketAddr) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, format!("{address}\n"))?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests;
