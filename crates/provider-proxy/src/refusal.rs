//! Refuses every trace of a database or a cache in the settings and in the environment.
//!
//! This host holds the provider credentials. Whoever breaks into it must not find the way to the data as well, so a
//! proxy that was given one does not start.

use chassis::{environment::Environment, settings::Faults};

/// Takes every database or cache out of the settings, and records each under the key's full name.
///
/// What is refused by its name is removed, so that it is not reported a second time as an unknown key.
pub fn refuse_in_settings(table: &mut toml::Table, faults: &mut Faults) {
    refuse_in_table(table, "", faults);
}

/// Records every variable that names a database or a cache, or holds the URL of one, as `$NAME`.
pub fn refuse_in_environment(environment: &Environment, faults: &mut Faults) {
    for (name, value) in environment.iter() {
        if variable_names_a_store(name) {
            faults.add(format!("${name}"), format!("{IN_ENVIRONMENT}; unset it"));
        } else if holds_the_url_of_a_store(value) {
            faults.add(format!("${name}"), format!("{IS_URL}; unset it"));
        }
    }
}

const IN_SETTINGS: &str = "provider-proxy has no database and no cache; remove it";
const IN_ENVIRONMENT: &str = "belongs to a database or a cache, which provider-proxy must not have";
const IS_URL: &str = "holds the URL of a database or a cache, which provider-proxy must not have";

/// The tables whose keys are names that the operator chooses: a caller may well be called `db-server`.
const FREE_NAMES: [&str; 2] = ["callers", "targets"];

fn refuse_in_table(table: &mut toml::Table, path: &str, faults: &mut Faults) {
    let names_are_free = FREE_NAMES.contains(&path);
    table.retain(|key, value| {
        let name = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        if !names_are_free && key_names_a_store(key) && !is_header(&name) {
            faults.add(name, IN_SETTINGS);
            return false;
        }
        refuse_in_value(value, &name, faults);
        true
    });
}

/// `cache-control` is a header, and no store of ours.
fn is_header(name: &str) -> bool {
    let mut parts = name.splitn(5, '.');
    parts.next() == Some("targets")
        && parts.nth(1).is_some_and(|rules| matches!(rules, "request_headers" | "response_headers"))
        && parts.next() == Some("set")
        && parts.next().is_some()
}

fn refuse_in_value(value: &mut toml::Value, name: &str, faults: &mut Faults) {
    match value {
        toml::Value::Table(table) => refuse_in_table(table, name, faults),
        toml::Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                refuse_in_value(item, &format!("{name}[{index}]"), faults);
            }
        }
        toml::Value::String(text) if holds_the_url_of_a_store(text) => faults.add(name, IS_URL),
        _ => {}
    }
}

/// Products and roles; a word of a key that begins with one of them names a store, as in `postgresql` or
/// `memcached_hosts`.
const STORES: [&str; 12] = [
    "database",
    "postgres",
    "redis",
    "valkey",
    "memcache",
    "amqp",
    "rabbitmq",
    "mysql",
    "mariadb",
    "sqlite",
    "mongo",
    "sqlalchemy",
];

/// Words too short to be the beginning of one.
const STORE_WORDS: [&str; 8] = ["db", "dbname", "dsn", "pg", "libpq", "cache", "caches", "broker"];

fn key_names_a_store(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.split(|character: char| !character.is_ascii_alphanumeric())
        .any(|word| STORE_WORDS.contains(&word) || STORES.iter().any(|store| word.starts_with(store)))
}

/// Variables that common tools read, and db-server's own.
const VARIABLES: [&str; 9] = [
    "DATABASE_URL",
    "DATABASE_PASSWORD",
    "POSTGRES_URL",
    "POSTGRES_PASSWORD",
    "REDIS_URL",
    "REDIS_PASSWORD",
    "CACHE_URL",
    "AMQP_URL",
    "RABBITMQ_DEFAULT_PASS",
];

/// `PG` is libpq's: PGHOST, PGUSER, PGPASSWORD, PGSERVICE and some thirty more.
const VARIABLE_BEGINNINGS: [&str; 3] = ["PG", "MEMCACH", "DB_SERVER_"];

fn variable_names_a_store(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    VARIABLE_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        // SOLITUDE_DATABASE_URL is one as much as DATABASE_URL is.
        || VARIABLES.iter().any(|variable| name.strip_suffix(variable).is_some_and(ends_a_word))
}

fn ends_a_word(before: &str) -> bool {
    before.is_empty() || before.ends_with('_')
}

const SCHEMES: [&str; 15] = [
    "postgres",
    "postgresql",
    "redis",
    "rediss",
    "valkey",
    "valkeys",
    "memcache",
    "memcached",
    "amqp",
    "amqps",
    "mysql",
    "mariadb",
    "sqlite",
    "mongodb",
    "sqlserver",
];

/// Finds such a URL anywhere in the text; drivers are written as `postgresql+psycopg2` or `jdbc:postgresql`.
fn holds_the_url_of_a_store(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.match_indices("://").any(|(end, _)| {
        let before = &text[..end];
        let start = before
            .rfind(|character: char| !(character.is_ascii_alphanumeric() || "+-.:".contains(character)))
            .map_or(0, |index| index + before[index..].chars().next().map_or(1, char::len_utf8));
        before[start..].split(['+', '-', '.', ':']).any(|part| SCHEMES.contains(&part))
    })
}

#[cfg(test)]
mod tests;
