//! `[database]`: where things are kept, and what encrypts them there.

use std::time::Duration;

use chassis::{
    environment::Environment,
    settings::{ExposeSecret, SecretString, Section, Value},
};

use super::{MIN_SECRET, not_blank, positive, secret};
use crate::{
    crypt::EncryptionKeys,
    database::{ConnectParameters, SslMode},
    lookup::LookupKeys,
};

/// The longest wait for a connection.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

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

/// Nothing when a key is missing or wrong, which has its fault then.
pub(super) fn read(section: &Section) -> Option<DatabaseSettings> {
    let connect = connect(section);
    let migrate = section.or("migrate", false);
    let (keys, lookup) = (keys(section), lookup(section));
    Some(DatabaseSettings { connect, keys: keys?, lookup: lookup?, migrate })
}

fn connect(section: &Section) -> ConnectParameters {
    let postgres = section.section("postgres");
    let pool_size = section.or("pool_size", 10_u32);
    if pool_size == 0 {
        section.fault("pool_size", "expected at least 1");
    }
    let pool_wait = positive(section, "pool_wait", Duration::from_secs(2));
    if pool_wait > LONGEST_WAIT {
        section.fault("pool_wait", "expected at most 1h");
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
        pool_wait,
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

/// One key, or a list of which the first encrypts or signs.
pub(super) struct KeyList(pub(super) Vec<SecretString>);

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
