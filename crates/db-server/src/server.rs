//! The application: its parts, its start.

use std::{io, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use actix_web::{
    dev::ServerHandle,
    rt,
    web::{Data, ServiceConfig},
};
use chassis::{
    client::{ClientError, HttpClient},
    exit::Exit,
    server::{Bound, ServerError, bind},
    tls::{TlsError, client_config},
};
use thiserror::Error;

use crate::{
    cache::Cache,
    caller::{Authenticator, People},
    cleansed::CleansedSettings,
    database::{Database, MigrationError},
    domain::{
        Clock, Domain,
        delivery::Deliveries,
        inbox::{self, Reach, Waiting},
        payment::janitor,
        payment_event,
        pin::Pins,
        reconcile::nightly::Nightly,
        stopping::Stopping,
        transaction,
        user::Users,
    },
    door::{Door, Upstreams},
    error::chain,
    identity::Signer,
    limit::Limit,
    proxy_client::ProxyClient,
    routes,
    settings::{DatabaseSettings, DoorSettings, ProxySettings, Settings},
    store::StoreError,
};

/// How long after one look at the inbox, or at what is due at night, the next one follows.
const KEEP_UP: Duration = Duration::from_secs(60);

/// A server that has its database and its address.
pub struct Application {
    bound: Bound,
}

/// Why the server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Postgres is out of reach.
    #[error("Postgres is out of reach: {0}")]
    Database(#[source] StoreError),
    /// The schema could not be read or brought up to date.
    #[error("the migrations failed: {0}")]
    Migration(#[source] MigrationError),
    /// The schema is older than this program, and `database.migrate` is not set.
    #[error(
        "database.migrate: the database lacks the migrations {}; run `db-server migrate`, or set it to true",
        .0.join(", ")
    )]
    Pending(Vec<String>),
    /// A file that `[proxy]` names cannot be used.
    #[error("proxy.ca, proxy.certificate or proxy.key: {0}")]
    Proxy(#[from] ClientError),
    /// A file that `[door]` names cannot be used.
    #[error("door.ca, door.certificate or door.key: {0}")]
    Door(#[from] TlsError),
    /// The address or certificate cannot be had.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl StartError {
    /// With which code the process ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Database(_) | Self::Migration(MigrationError::Store(_)) => Exit::DependencyDown,
            Self::Migration(MigrationError::Migration(_)) => Exit::Software,
            Self::Pending(_) | Self::Proxy(_) | Self::Door(_) | Self::Server(ServerError::Tls(_)) => {
                Exit::Settings
            }
            Self::Server(ServerError::Bind { .. }) => Exit::Unavailable,
        }
    }
}

impl Application {
    /// Opens the files of `[proxy]`, reaches the database, checks its schema and takes the address. To be called inside
    /// an actix system.
    ///
    /// # Errors
    /// [`StartError`]; nothing listens then.
    pub async fn build(settings: Settings) -> Result<Self, StartError> {
        Self::build_with(settings, Clock::system()).await
    }

    /// The same, by another clock.
    ///
    /// # Errors
    /// [`StartError`]; nothing listens then.
    pub async fn build_with(settings: Settings, clock: Clock) -> Result<Self, StartError> {
        let tls = Arc::new(check(&settings)?);
        let door_settings = settings.door.clone();
        let database = open(&settings.database).await?;
        let server = settings.server.clone();
        let nightly =
            Nightly { database: database.clone(), clock: clock.clone(), settings: settings.nightly.clone() };
        let Parts { domain, authenticator, cleansed, proxy, door, signer } =
            Parts::new(database, settings, clock);
        let (background, followed, waiting) = (domain.clone(), domain.clone(), domain.clone());
        let stopping = domain.stopping.clone();
        let asking = Rc::new(ProxyClient::new(&proxy, signer.clone()));
        let every = domain.payments.janitor;
        let out = ProxyClient::new(&proxy, signer.clone());
        let deliveries = Deliveries::new(domain.clone(), out, proxy.client.total_timeout);
        let nightly_proxy = ProxyClient::new(&proxy, signer.clone());
        let configure = move |config: &mut ServiceConfig| {
            config
                .app_data(domain.clone())
                .app_data(authenticator.clone())
                .app_data(cleansed.clone())
                .app_data(door.clone())
                .app_data(Data::new(signer.clone()))
                .app_data(Data::new(Upstreams::new(door_settings.clone(), Arc::clone(&tls))))
                // A client cannot leave its thread: each worker makes its own here.
                .app_data(Data::new(ProxyClient::new(&proxy, signer.clone())));
            routes::configure(config);
            routes::configure_door(config);
        };
        let bound = bind(&server, configure)?.on_drain(move || stopping.begin());
        // They end with the system that they run in.
        rt::spawn(keep_up(background.clone(), Rc::clone(&asking)));
        let applying = Rc::clone(&asking);
        rt::spawn(async move { inbox::follow(&waiting, &applying).await });
        rt::spawn(async move { janitor::run(&background, &asking, every).await });
        rt::spawn(async move { payment_event::follow(&followed).await });
        rt::spawn(deliveries.run());
        if !nightly.settings.providers.is_empty() {
            rt::spawn(compare_nightly(nightly, nightly_proxy));
        }
        Ok(Self { bound })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.bound.address()
    }

    /// Its URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.bound.url()
    }

    /// Stops it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.bound.handle()
    }

    /// Serves until it is stopped through its handle.
    ///
    /// # Errors
    /// An I/O error of the listener.
    pub async fn run(self) -> io::Result<()> {
        self.bound.run().await
    }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// An I/O error of the listener or of the signal handlers.
    pub async fn run_until_signal(self) -> io::Result<()> {
        self.bound.run_until_signal().await
    }
}

/// Applies what has come in and was not applied: after a crash, or because it came too early.
async fn keep_up(domain: Data<Domain>, proxy: Rc<ProxyClient>) {
    let mut reach = Reach::All;
    loop {
        match inbox::catch_up(&domain, &proxy, reach).await {
            Ok(()) => reach = Reach::Recent,
            Err(error) => log::warn!("the inbox waits: {}", chain(&error)),
        }
        rt::time::sleep(KEEP_UP).await;
    }
}

/// Compares our books with the providers' lists whenever a night's comparison is due.
async fn compare_nightly(nightly: Nightly, proxy: ProxyClient) {
    loop {
        nightly.run_due(&proxy).await;
        rt::time::sleep(KEEP_UP).await;
    }
}

/// Checks the files that the settings name, without reaching for anything else.
///
/// # Errors
/// [`StartError::Proxy`] and [`StartError::Door`].
pub fn check(settings: &Settings) -> Result<rustls::ClientConfig, StartError> {
    HttpClient::new(&settings.proxy.client)?;
    let DoorSettings { ca, identity, .. } = &settings.door;
    Ok(client_config(ca.as_deref(), identity.as_ref())?)
}

/// What a command works with that asks providers: the same as a server that does not listen. To be called inside an
/// actix system.
///
/// # Errors
/// [`StartError`].
pub async fn tools(settings: Settings, clock: Clock) -> Result<(Data<Domain>, ProxyClient), StartError> {
    check(&settings)?;
    let database = open(&settings.database).await?;
    let Parts { domain, proxy, signer, .. } = Parts::new(database, settings, clock);
    Ok((domain, ProxyClient::new(&proxy, signer)))
}

/// What the handlers work with.
struct Parts {
    domain: Data<Domain>,
    authenticator: Data<Authenticator>,
    cleansed: Data<CleansedSettings>,
    proxy: ProxySettings,
    door: Data<Door>,
    signer: Option<Arc<Signer>>,
}

impl Parts {
    fn new(database: Database, settings: Settings, clock: Clock) -> Self {
        let keys = settings.database.keys;
        let cache = Cache::new(settings.redis);
        let limit = Limit::new(settings.per_client, cache.clone());
        let cache = database.sealed(cache, keys.clone());
        let users = Users::new(
            database.clone(),
            cache.clone(),
            settings.pin.hasher.clone(),
            settings.login.rules,
            clock.clone(),
            settings.auth.clients.keys().cloned().collect(),
        );
        let signer = settings.proxy.identity.clone().map(|identity| Signer::new(identity, clock.clone()));
        let signer = signer.map(Arc::new);
        let people = People::new(
            Arc::new(users),
            settings.login.tokens,
            clock.clone(),
            signer.clone(),
            settings.door.clone(),
        );
        let authenticator =
            Authenticator::new(settings.auth, database.clone(), keys.clone(), cache.clone(), limit, people);
        let door = Door::new(database.clone(), cache.clone(), settings.door, &settings.proxy);
        let domain = Domain {
            database,
            transactions: transaction::reads(),
            cache,
            keys,
            lookup: settings.database.lookup,
            pins: Pins::new(settings.pin.hasher, settings.pin.rules),
            clock,
            payments: settings.payments,
            lockdown: settings.lockdown,
            waiting: Waiting::default(),
            stopping: Stopping::default(),
        };
        Self {
            domain: Data::new(domain),
            authenticator: Data::new(authenticator),
            cleansed: Data::new(settings.cleansed),
            proxy: settings.proxy,
            door: Data::new(door),
            signer,
        }
    }
}

/// Reaches the database and sees to it that its schema is this program's.
async fn open(settings: &DatabaseSettings) -> Result<Database, StartError> {
    let database = Database::new(settings.connect.clone());
    database.ping().await.map_err(StartError::Database)?;
    if settings.migrate {
        migrate(&database).await?;
    }
    let pending = database.pending_migrations().await.map_err(StartError::Migration)?;
    if pending.is_empty() { Ok(database) } else { Err(StartError::Pending(pending)) }
}

/// Brings the schema up to date and says so.
///
/// # Errors
/// [`StartError::Migration`].
pub async fn migrate(database: &Database) -> Result<(), StartError> {
    let applied = database.migrate().await.map_err(StartError::Migration)?;
    for name in &applied {
        log::info!("migrated: {name}");
    }
    log::info!("the schema is up to date");
    Ok(())
}

#[cfg(test)]
mod tests;
