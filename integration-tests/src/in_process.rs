//! Both servers and the sandbox in this process, each in a thread of its own, on free ports.

use std::{collections::BTreeMap, future::Future, io, path::Path, pin::Pin, sync::mpsc, thread};

use actix_web::{dev::ServerHandle, rt::System};
use chassis::environment::Environment;
use db_server::domain::Clock;
use provider_sandbox::{
    BraintreeAccount, PaypalAccount, ReferenceAccount, Sandbox, SandboxSettings, StripeAccount,
};
use toml::Table;

use crate::{
    client::Client,
    database::TestDatabase,
    postgres::ROLE,
    settings::{
        DbServer, NOTICE_KEY_ID, ProviderProxy, REALM, Secret, identity_key, identity_public_key, merge,
    },
};

/// The secrets of a pair in tests, which are none.
#[derive(Clone, Debug)]
pub struct Dummies {
    /// The key of the client with all roles.
    pub client_key: String,
    /// Its secret.
    pub client_secret: String,
    /// The OAuth consumer key at the provider.
    pub consumer_key: String,
    /// The OAuth consumer secret there.
    pub consumer_secret: String,
    /// What the provider signs its notices with.
    pub notice_key: String,
    /// What db-server encrypts with.
    pub encryption_key: String,
    /// What db-server finds encrypted values with.
    pub lookup_key: String,
    /// What db-server mixes into its hashes of PINs.
    pub pepper: String,
    /// The account at Stripe.
    pub stripe: StripeAccount,
    /// The account at PayPal.
    pub paypal: PaypalAccount,
    /// The account at Braintree.
    pub braintree: BraintreeAccount,
}

impl Default for Dummies {
    fn default() -> Self {
        let dummy = |name: &str| format!("dummy-{name}");
        Self {
            client_key: dummy("client"),
            client_secret: dummy("client-secret-0"),
            consumer_key: dummy("consumer-key"),
            consumer_secret: dummy("consumer-secret"),
            notice_key: dummy("notice-key"),
            // 32 zero bytes.
            encryption_key: format!("{}=", "A".repeat(43)),
            lookup_key: dummy("lookup-key-0"),
            pepper: dummy("pepper-of-pins"),
            stripe: StripeAccount {
                secret_key: "sk_test_dummy-stripe-key".into(),
                webhook_secret: "whsec_dummy-stripe-webhook".into(),
            },
            paypal: PaypalAccount {
                client_id: dummy("paypal-client"),
                client_secret: dummy("paypal-client-secret").into(),
                webhook_id: dummy("paypal-webhook"),
            },
            braintree: BraintreeAccount {
                merchant_id: dummy("braintree-merchant"),
                public_key: dummy("braintree-public-key"),
                private_key: dummy("braintree-private-key").into(),
            },
        }
    }
}

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

/// db-server's settings for tests.
#[must_use]
pub fn db_server_settings(socket_folder: &Path, database: &str, proxy_url: &str, dummies: &Dummies) -> Table {
    let mut table = DbServer {
        listen: "127.0.0.1:0".to_owned(),
        address_file: None,
        postgres_socket: socket_folder,
        database,
        user: ROLE,
        encryption_key: Secret::literal(&dummies.encryption_key),
        lookup_key: Secret::literal(&dummies.lookup_key),
        pepper: Secret::literal(&dummies.pepper),
        client_key: &dummies.client_key,
        client_secret: Secret::literal(&dummies.client_secret),
        proxy_url: proxy_url.to_owned(),
        identity_key: Secret::file(&identity_key()),
    }
    .table();
    merge(&mut table, small());
    merge(&mut table, cheap_pins());
    table
}

/// Hashes of PINs that take no time, for they guard nobody's.
fn cheap_pins() -> Table {
    let pin = Table::from_iter([("memory_kib".to_owned(), 64.into()), ("iterations".to_owned(), 1.into())]);
    Table::from_iter([("pin".to_owned(), pin.into())])
}

/// provider-proxy's settings for tests.
#[must_use]
pub fn provider_proxy_settings(provider_url: &str, dummies: &Dummies) -> Table {
    let mut table = ProviderProxy {
        listen: "127.0.0.1:0".to_owned(),
        address_file: None,
        provider_url: provider_url.to_owned(),
        consumer_key: Secret::literal(&dummies.consumer_key),
        consumer_secret: Secret::literal(&dummies.consumer_secret),
        notice_key: Secret::literal(&dummies.notice_key),
        identity_public_key: &identity_public_key(),
    }
    .table();
    merge(&mut table, small());
    table
}

/// Many pairs run at once, each for a handful of requests.
fn small() -> Table {
    let server = Table::from_iter([("workers".to_owned(), 1.into())]);
    Table::from_iter([("server".to_owned(), server.into())])
}

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

    /// Stops it at once: its port is closed when this returns.
    pub fn stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(self.handle.stop(false));
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
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
    let settings = SandboxSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        reference: ReferenceAccount {
            consumer_key: dummies.consumer_key.clone(),
            consumer_secret: dummies.consumer_secret.clone().into(),
            realm: REALM.to_owned(),
        },
        notice_keys: BTreeMap::from([(
            NOTICE_KEY_ID.parse().unwrap_or_default(),
            dummies.notice_key.clone().into(),
        )]),
        stripe: dummies.stripe.clone(),
        paypal: dummies.paypal.clone(),
        braintree: dummies.braintree.clone(),
    };
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
