//! The settings of `db-server`: read once, checked in full, no value ever shown.

mod cache;
mod pin;

pub use pin::PinSettings;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use chassis::{
    base_url::BaseUrl,
    client::{ClientSettings, Identity},
    environment::Environment,
    logging::LogSettings,
    server::ServerSettings,
    settings::{ExposeSecret, Faults, Reader, SecretString, Section, SettingsError, Shown, Value},
};

pub use self::cache::Rate;
use crate::{
    cache::RedisSettings,
    cleansed::CleansedSettings,
    crypt::EncryptionKeys,
    database::{ConnectParameters, SslMode},
    lookup::LookupKeys,
    refusal,
};

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
    /// `[pin]`: how PINs are kept and guarded.
    pub pin: PinSettings,
    /// `transactions.lockdown`: the age at which nothing about a transaction changes any more.
    pub lockdown: Duration,
    /// What `/services/settings/` shows.
    pub cleansed: CleansedSettings,
}

/// Where things are kept.
#[derive(Debug)]
pub struct DatabaseSettings {
    /// How Postgres is reached.
    pub connect: ConnectParameters,
    /// What encrypts secrets at rest.
    pub keys: EncryptionKeys,
    /// What finds encrypted values.
    pub lookup: LookupKeys,
    /// Whether pending migrations are applied at start.
    pub migrate: bool,
}

/// Whom the server serves.
#[derive(Debug)]
pub struct AuthSettings {
    /// Whether requests must be signed; false for development on one machine.
    pub require_oauth: bool,
    /// The URL that clients sign, when TLS ends before this server; else the request's own.
    pub public_url: Option<BaseUrl>,
    /// Whether nobody else can read what clients send: TLS ends here or before this server, or they are on this
    /// machine.
    pub private: bool,
    /// The clients by their keys.
    pub clients: BTreeMap<String, Client>,
}

/// A client that signs its requests.
#[derive(Debug)]
pub struct Client {
    /// The secret that it signs with.
    pub secret: SecretString,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// What a client may do. None implies another.
#[derive(Clone, Copy, Debug, serde::Deserialize, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read resources.
    Read,
    /// Create and change resources, and start payments.
    Write,
    /// Give money back.
    Refund,
    /// Look after the server.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Refund, Self::Admin];

    /// Its name in the settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Refund => "refund",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// How `provider-proxy` is reached.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// Its URL.
    pub url: BaseUrl,
    /// Limits and trust.
    pub client: ClientSettings,
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
    let sample = [("auth".to_owned(), clients.into()), ("server".to_owned(), named("tls").into())];
    let reader = Reader::new(toml::Table::from_iter(sample), Environment::default());
    drop(Sections::read(&reader.root()));
    reader.known_keys()
}

/// What the sections say, faults and all.
struct Sections {
    server: ServerSettings,
    log: LogSettings,
    connect: ConnectParameters,
    keys: Option<EncryptionKeys>,
    lookup: Option<LookupKeys>,
    migrate: bool,
    auth: AuthSettings,
    redis: Option<RedisSettings>,
    per_client: Option<Rate>,
    proxy: ProxySettings,
    pin: Option<PinSettings>,
    lockdown: Duration,
    cleansed_access: bool,
}

impl Sections {
    fn read(root: &Section) -> Self {
        let server = ServerSettings::read(&root.section("server"), DEFAULT_LISTEN);
        let loopback = server.listen.ip().is_loopback();
        let database = root.section("database");
        Self {
            auth: auth(&root.section("auth"), &server),
            server,
            log: LogSettings::read(&root.section("log")),
            connect: connect(&database),
            keys: keys(&database),
            lookup: lookup(&database),
            migrate: database.or("migrate", false),
            redis: cache::redis(&root.section("cache")),
            per_client: cache::per_client(&root.section("limits")),
            proxy: proxy(&root.section("proxy")),
            cleansed_access: root.section("services").or("cleansed_settings_access", false),
            pin: pin::read(&root.section("pin"), loopback),
            lockdown: positive(&root.section("transactions"), "lockdown", Duration::from_secs(24 * 60 * 60)),
        }
    }

    fn checked(self, shown: BTreeMap<String, Shown>) -> Option<Settings> {
        let database = DatabaseSettings {
            connect: self.connect,
            keys: self.keys?,
            lookup: self.lookup?,
            migrate: self.migrate,
        };
        Some(Settings {
            server: self.server,
            log: self.log,
            database,
            auth: self.auth,
            redis: self.redis,
            per_client: self.per_client,
            proxy: self.proxy,
            pin: self.pin?,
            lockdown: self.lockdown,
            cleansed: CleansedSettings::new(self.cleansed_access, shown),
        })
    }
}

fn connect(section: &Section) -> ConnectParameters {
    let postgres = section.section("postgres");
    let pool_size = section.or("pool_size", 10_u32);
    if pool_size == 0 {
        section.fault("pool_size", "expected at least 1");
    }
    ConnectParameters {
        host: not_blank(&postgres, "host", "localhost"),
        port: postgres.or("port", 5432),
        database: not_blank(&postgres, "database", "solitude"),
        user: not_blank(&postgres, "user", "solitude"),
        password: secret(&postgres, "password", postgres.optional("password")),
        ssl_mode: ssl_mode(&postgres),
        ssl_root_certificate: postgres.optional("sslrootcert"),
        connect_timeout: positive(&postgres, "connect_timeout", Duration::from_secs(5)),
        statement_timeout: positive(section, "statement_timeout", Duration::from_secs(5)),
        pool_size,
        pool_wait: positive(section, "pool_wait", Duration::from_secs(2)),
        application_name: "db-server".into(),
    }
}

fn ssl_mode(section: &Section) -> SslMode {
    let name: String = section.or("sslmode", SslMode::default().name().to_owned());
    SslMode::parse(&name).unwrap_or_else(|| {
        section.fault("sslmode", "expected disable, allow, prefer, require, verify-ca or verify-full");
        SslMode::default()
    })
}

fn keys(section: &Section) -> Option<EncryptionKeys> {
    let keys = key_list(section, "encryption_key")?;
    EncryptionKeys::parse(&keys).map_err(|error| section.fault("encryption_key", error.to_string())).ok()
}

fn lookup(section: &Section) -> Option<LookupKeys> {
    let keys = key_list(section, "lookup_key")?;
    if keys.iter().any(|key| key.expose_secret().chars().count() < MIN_SECRET) {
        section.fault("lookup_key", format!("a look-up key has at least {MIN_SECRET} characters"));
    }
    let lookup = LookupKeys::new(&keys);
    if lookup.is_none() {
        section.fault("lookup_key", "at least one key is needed");
    }
    lookup
}

fn key_list(section: &Section, key: &str) -> Option<Vec<SecretString>> {
    match section.optional(key) {
        Some(KeyList(keys)) => Some(keys),
        // What is there and wrong has its fault already.
        None if section.has(key) => None,
        None => {
            section.fault(key, "missing");
            None
        }
    }
}

/// One key, or a list of which the first encrypts.
struct KeyList(Vec<SecretString>);

impl Value for KeyList {
    fn read(value: &toml::Value, environment: &Environment) -> Result<Self, String> {
        match value {
            toml::Value::Array(_) => Vec::read(value, environment).map(Self),
            _ => SecretString::read(value, environment).map(|key| Self(vec![key])),
        }
    }

    fn placeholder() -> Self {
        Self(Vec::new())
    }
}

fn auth(section: &Section, server: &ServerSettings) -> AuthSettings {
    let require_oauth = section.or("require_oauth", true);
    if !require_oauth && !server.listen.ip().is_loopback() {
        section.fault("require_oauth", "false is only for a server that listens on a loopback address");
    }
    let named = section.section("clients");
    let clients = named.children().into_iter().map(|name| {
        let client = client(&named, &name);
        (name, client)
    });
    let clients = clients.collect();
    let public_url: Option<BaseUrl> = section.optional("public_url");
    let private = server.tls.is_some()
        || server.listen.ip().is_loopback()
        || public_url.as_ref().is_some_and(BaseUrl::is_https);
    AuthSettings { require_oauth, public_url, private, clients }
}

fn client(clients: &Section, name: &str) -> Client {
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        clients.fault(name, "a client's key is 1 to 255 characters, none of them a control character");
    }
    let section = clients.section(name);
    let given: SecretString = section.required("secret");
    if section.has("secret") && given.expose_secret().chars().count() < MIN_SECRET {
        section.fault("secret", format!("a client's secret has at least {MIN_SECRET} characters"));
    }
    let default = || vec![Role::Read.name().to_owned(), Role::Write.name().to_owned()];
    let names: Vec<String> = section.or("roles", default());
    let roles = names.iter().filter_map(|name| {
        let role = Role::parse(name);
        if role.is_none() {
            section.fault("roles", "expected a list of read, write, refund and admin");
        }
        role
    });
    Client { roles: roles.collect(), secret: secret(&section, "secret", Some(given)).unwrap_or_default() }
}

fn proxy(section: &Section) -> ProxySettings {
    let certificate: Option<PathBuf> = section.optional("certificate");
    let key: Option<PathBuf> = section.optional("key");
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            section.fault("key", "missing; the certificate is of no use without it");
            None
        }
        (None, Some(_)) => {
            section.fault("certificate", "missing; the key is of no use without it");
            None
        }
    };
    let client = ClientSettings {
        connect_timeout: positive(section, "connect_timeout", Duration::from_secs(5)),
        // Longer than provider-proxy waits for a provider, so that its account of a timeout arrives.
        total_timeout: positive(section, "timeout", Duration::from_secs(12)),
        ca: section.optional("ca"),
        identity,
        ..ClientSettings::default()
    };
    let url: BaseUrl = section.required("url");
    if !url.as_str().is_empty() && !url.is_https() && !url.is_loopback() {
        section.fault(
            "url",
            "expected https: what goes to another machine must not be read or changed on the way",
        );
    }
    ProxySettings { url, client }
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
