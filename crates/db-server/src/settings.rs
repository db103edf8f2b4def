//! The settings of `db-server`: read once, checked in full, no value ever shown.

mod auth;
mod cache;
mod database;
mod door;
mod login;
mod payments;
mod pin;
mod proxy;
mod reconcile;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use chassis::{
    environment::Environment,
    logging::LogSettings,
    server::ServerSettings,
    settings::{ExposeSecret, Faults, Reader, SecretString, Section, SettingsError, Shown},
};

pub use self::{
    auth::{AuthSettings, Client, Role},
    cache::Rate,
    database::DatabaseSettings,
    door::{Allowed, DoorSettings},
    login::LoginSettings,
    payments::PaymentSettings,
    pin::PinSettings,
    proxy::{IdentitySettings, ProxySettings},
    reconcile::NightlySettings,
};
use crate::{cache::RedisSettings, cleansed::CleansedSettings, refusal};

/// The variable that names the settings file when `--config` does not.
pub const SETTINGS_VARIABLE: &str = "DB_SERVER_SETTINGS";
/// Where the server listens unless it is told otherwise.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2602);
/// The shortest secret that may be set, in characters.
const MIN_SECRET: usize = 16;

/// Everything that an operator can set.
#[derive(Debug)]
pub struct Settings {
    /// `[server]`: how it listens.
    pub server: ServerSettings,
    /// `[log]`: how it logs.
    pub log: LogSettings,
    /// `[database]`: where it keeps things.
    pub database: DatabaseSettings,
    /// `[auth]`: whom it serves.
    pub auth: AuthSettings,
    /// `[cache]`: the Redis that instances share; without it each keeps what may be forgotten in its own memory.
    pub redis: Option<RedisSettings>,
    /// `limits.per_client`: how often each client may call.
    pub per_client: Option<Rate>,
    /// `[proxy]`: how it reaches `provider-proxy`.
    pub proxy: ProxySettings,
    /// `[door]`: where `/proxy/` leads.
    pub door: DoorSettings,
    /// `[pin]`: how PINs are kept and guarded.
    pub pin: PinSettings,
    /// `[login]`: people with a name and a password.
    pub login: LoginSettings,
    /// `[payments]`: what holds for payments at every provider.
    pub payments: PaymentSettings,
    /// `[reconcile]`: the nightly comparison of our books with the providers' lists.
    pub nightly: NightlySettings,
    /// `transactions.lockdown`: the age at which nothing about a transaction changes any more.
    pub lockdown: Duration,
    /// What `/services/settings/` shows.
    pub cleansed: CleansedSettings,
}

/// Reads and checks everything, provider credentials in settings and environment included.
///
/// # Errors
/// [`SettingsError::Faults`] with every fault at once.
pub fn read(mut table: toml::Table, environment: Environment) -> Result<Settings, SettingsError> {
    let mut refusals = refusal::in_settings(&mut table);
    refusals.extend(refusal::in_environment(&environment));
    let reader = Reader::new(table, environment);
    for refusal in refusals {
        reader.fault(&refusal.name, refusal.message());
    }
    let sections = Sections::read(&reader.root());
    let shown = reader.shown();
    reader.finish()?;
    // Without keys there is a fault, so that this is never reached.
    sections.checked(shown).ok_or_else(|| SettingsError::Faults(Faults::default()))
}

/// The full names of all keys; `NAME` stands for a client's own.
#[must_use]
pub fn known_keys() -> BTreeSet<String> {
    let named = |name: &str| toml::Table::from_iter([(name.to_owned(), toml::Table::new().into())]);
    let clients = toml::Table::from_iter([("clients".to_owned(), named("NAME").into())]);
    let sample = [
        ("auth".to_owned(), clients.into()),
        ("server".to_owned(), named("tls").into()),
        ("proxy".to_owned(), named("identity").into()),
    ];
    let reader = Reader::new(toml::Table::from_iter(sample), Environment::default());
    drop(Sections::read(&reader.root()));
    reader.known_keys()
}

/// What the sections say, faults and all.
struct Sections {
    server: ServerSettings,
    log: LogSettings,
    database: Option<DatabaseSettings>,
    auth: AuthSettings,
    redis: Option<RedisSettings>,
    per_client: Option<Rate>,
    proxy: ProxySettings,
    door: DoorSettings,
    pin: Option<PinSettings>,
    login: Option<LoginSettings>,
    payments: Option<PaymentSettings>,
    nightly: Option<NightlySettings>,
    lockdown: Duration,
    cleansed_access: bool,
}

impl Sections {
    fn read(root: &Section) -> Self {
        let server = ServerSettings::read(&root.section("server"), DEFAULT_LISTEN);
        let loopback = server.listen.ip().is_loopback();
        let auth = auth::read(&root.section("auth"), &server);
        let database = database::read(&root.section("database"));
        let proxy = proxy::read(&root.section("proxy"));
        Self {
            login: login::read(&root.section("login"), auth.private),
            auth,
            server,
            log: LogSettings::read(&root.section("log")),
            database,
            redis: cache::redis(&root.section("cache")),
            per_client: cache::per_client(&root.section("limits")),
            door: door::read(
                &root.section("door"),
                root.section("proxy").section("identity").has("private_key"),
            ),
            cleansed_access: root.section("services").or("cleansed_settings_access", false),
            pin: pin::read(&root.section("pin"), loopback),
            payments: payments::read(&root.section("payments"), &proxy),
            proxy,
            nightly: reconcile::read(&root.section("reconcile")),
            lockdown: positive(&root.section("transactions"), "lockdown", Duration::from_secs(24 * 60 * 60)),
        }
    }

    fn checked(self, shown: BTreeMap<String, Shown>) -> Option<Settings> {
        Some(Settings {
            server: self.server,
            log: self.log,
            database: self.database?,
            auth: self.auth,
            redis: self.redis,
            per_client: self.per_client,
            proxy: self.proxy,
            door: self.door,
            pin: self.pin?,
            login: self.login?,
            payments: self.payments?,
            nightly: self.nightly?,
            lockdown: self.lockdown,
            cleansed: CleansedSettings::new(self.cleansed_access, shown),
        })
    }
}

fn positive(section: &Section, key: &str, default: Duration) -> Duration {
    let duration = section.or(key, default);
    if duration.is_zero() {
        section.fault(key, "expected more than zero");
    }
    duration
}

fn not_blank(section: &Section, key: &str, default: &str) -> String {
    let text = section.or(key, default.to_owned());
    if text.trim().is_empty() {
        section.fault(key, "is blank");
    }
    text
}

/// A secret that comes from a file is looked at too: it may be a provider's.
fn secret(section: &Section, key: &str, given: Option<SecretString>) -> Option<SecretString> {
    let given = given?;
    if let Some(refusal) = refusal::in_secret(&section.key(key), given.expose_secret()) {
        section.fault(key, refusal.message());
    }
    Some(given)
}

#[cfg(test)]
mod tests;
