//! The service as a whole: its listeners, and what runs beside them.

use std::{io, net::SocketAddr, sync::Arc};

use actix_web::{
    dev::ServerHandle,
    rt,
    web::{self, Data},
};
use chassis::server::{Bound, OnDistrust, bind};
use tokio::signal::unix::{SignalKind, signal};

use super::{StartError, WorkerConnectors, check, not_let_in, routes};
use crate::{
    admin::{self, CertificateExpiry},
    caller::CallerError,
    config::Settings,
    passthrough::door::Door,
    reload::{Reloader, Trigger, Watcher},
    services::Services,
    webhooks::Deliverer,
};

/// The service with its addresses, ready to run.
pub struct Application {
    bound: Bound,
    admin: Option<Bound>,
    services: Services,
    watcher: Watcher,
}

impl Application {
    /// Checks what the settings point to, and takes the addresses.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn build(settings: Settings) -> Result<Self, StartError> {
        check(&settings)?;
        let (server, watch) = (settings.server.clone(), settings.watch);
        let services = Services::start(settings)?;
        let shared = services.clone();
        let bound = bind(&server, move |config| {
            config
                .app_data(Data::new(WorkerConnectors::new(Arc::clone(&shared.current))))
                .app_data(Data::new(Deliverer::new(shared.clone())))
                .app_data(OnDistrust(|request| not_let_in(request.path(), CallerError::Distrusted)))
                .app_data(Data::new(Door::new(shared.clone())))
                .app_data(Data::new(shared.clone()));
            routes(config);
        })?;
        let expiry = bound.tls().map(|tls| Arc::new(move || tls.expiry()) as CertificateExpiry);
        let admin = admin::listen(&services, expiry)?;
        let watcher =
            Watcher::start(Arc::new(Reloader::new(services.clone())), watch).map_err(StartError::Thread)?;
        Ok(Self { bound, admin, services, watcher })
    }

    /// Where it listens; the port is the real one when the settings said 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.bound.address()
    }

    /// Its URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.bound.url()
    }

    /// The URL of the admin listener, if there is one.
    #[must_use]
    pub fn admin_url(&self) -> Option<String> {
        self.admin.as_ref().map(Bound::url)
    }

    /// What all workers share.
    #[must_use]
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// Stops it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.bound.handle()
    }

    /// Serves until it is stopped through its handle.
    ///
    /// # Errors
    /// An I/O error of a listener.
    pub async fn run(self) -> io::Result<()> {
        let admin = start(self.admin);
        let result = self.bound.run().await;
        stop(admin, self.watcher, self.services).await;
        result
    }

    /// Serves until SIGTERM or SIGINT, and then answers what is in flight. SIGHUP reads the settings again and opens
    /// the audit log anew.
    ///
    /// # Errors
    /// An I/O error of a listener or of the signal handlers.
    pub async fn run_until_signal(self) -> io::Result<()> {
        let reloads = follow_hang_ups(self.watcher.trigger())?;
        let admin = start(self.admin);
        let result = self.bound.run_until_signal().await;
        reloads.abort();
        stop(admin, self.watcher, self.services).await;
        result
    }
}

fn follow_hang_ups(trigger: Trigger) -> io::Result<rt::task::JoinHandle<()>> {
    let mut hang_ups = signal(SignalKind::hangup())?;
    Ok(rt::spawn(async move {
        while hang_ups.recv().await.is_some() {
            trigger.reload();
        }
    }))
}

/// Serves operators for as long as the process lives, draining included.
fn start(admin: Option<Bound>) -> Option<ServerHandle> {
    let admin = admin?;
    let handle = admin.handle();
    drop(rt::spawn(async move {
        if let Err(error) = admin.run().await {
            log::error!("the admin listener failed: {error}");
        }
    }));
    Some(handle)
}

/// All requests are over: ends what ran beside them, with every line of the audit log on the disk.
async fn stop(admin: Option<ServerHandle>, watcher: Watcher, services: Services) {
    if let Some(admin) = admin {
        admin.stop(true).await;
    }
    let ended = web::block(move || {
        drop(watcher);
        services.refunds.close();
        services.audit.close();
    });
    if ended.await.is_err() {
        log::error!("the audit log could not be ended");
    }
}
