//! The server itself: bound, started and stopped in the actix system that it is made in.

use std::io;
use std::net::SocketAddr;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::rt::task::JoinHandle;
use actix_web::web::{self, Data, PayloadConfig, ServiceConfig};
use actix_web::{App, HttpServer, rt};
use thiserror::Error;

use crate::faults::FaultQueue;
use crate::requests::Arrivals;
use crate::settings::SandboxSettings;
use crate::shared::Shared;
use crate::waiting::Providers;
use crate::{braintree, control, injection, paypal, reference, stripe};

/// The largest request body that a sandbox reads, in bytes.
const MAX_REQUEST_BODY: usize = 1024 * 1024;

/// How long a stopping sandbox waits for answers under way, in seconds.
const DRAIN_SECONDS: u64 = 2;

/// Why a sandbox did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A setting is blank.
    #[error("{0} is missing or blank")]
    Blank(&'static str),
    /// The address could not be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// A sandbox that is listening and answering.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
}

impl Sandbox {
    /// Binds the address and starts answering with one worker. Must be called inside an actix system.
    ///
    /// # Errors
    /// When a setting is blank or the address cannot be bound.
    pub fn start(settings: SandboxSettings) -> Result<Self, StartError> {
        if let Some(name) = settings.blank() {
            return Err(StartError::Blank(name));
        }
        let listen = settings.listen;
        let failed = |source| StartError::Bind { address: listen, source };
        if !listen.ip().is_loopback() {
            log::warn!("the sandbox's own side needs no signature, and {listen} is not a loopback address");
        }
        let shared = Data::new(Shared::default());
        let providers = providers(settings, &shared);
        let (faults, arrivals) = (Data::new(FaultQueue::default()), Data::new(Arrivals::default()));
        let all = shared.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(all.clone())
                .app_data(Data::new(providers.clone()))
                .app_data(providers.reference.clone())
                .app_data(providers.stripe.clone())
                .app_data(providers.paypal.clone())
                .app_data(providers.braintree.clone())
                .app_data(faults.clone())
                .app_data(arrivals.clone())
                .app_data(PayloadConfig::new(MAX_REQUEST_BODY))
                .wrap(from_fn(injection::arrive))
                .configure(routes)
        })
        .workers(1)
        .shutdown_timeout(DRAIN_SECONDS)
        .disable_signals()
        .bind(listen)
        .map_err(failed)?;
        let address = server.addrs().first().copied().unwrap_or(listen);
        shared.bound(format!("http://{address}"));
        let server = server.run();
        let handle = server.handle();
        Ok(Self { address, handle, server: rt::spawn(server) })
    }

    /// The address that was bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A handle that stops the sandbox from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Stops at once; answers under way are cut off.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }

    /// Waits until the sandbox has been stopped through its [`handle`](Self::handle).
    ///
    /// # Errors
    /// When the server ended by an error of its own.
    pub async fn run(self) -> io::Result<()> {
        self.server.await.map_err(io::Error::other)?
    }
}

fn providers(settings: SandboxSettings, shared: &Data<Shared>) -> Providers {
    let SandboxSettings { listen: _, reference, notice_keys, stripe, paypal, braintree } = settings;
    Providers {
        reference: Data::new(reference::Reference::new(reference, notice_keys, shared.clone())),
        stripe: Data::new(stripe::Stripe::new(stripe, shared.clone())),
        paypal: Data::new(paypal::Paypal::new(paypal, shared.clone())),
        braintree: Data::new(braintree::Braintree::new(braintree, shared.clone())),
    }
}

fn routes(config: &mut ServiceConfig) {
    config
        .configure(control::routes)
        .service(web::scope("/stripe").configure(stripe::routes))
        .service(web::scope("/paypal").configure(paypal::routes))
        .service(web::scope("/braintree").configure(braintree::routes))
        .configure(reference::routes);
}
