//! Every way in which a database or a cache could be named, and none that is harmless.

use super::*;

fn settings_faults(text: &str) -> Vec<(String, String)> {
    let mut table: toml::Table = text.parse().unwrap();
    let mut faults = Faults::default();
    refuse_in_settings(&mut table, &mut faults);
    faults.iter().map(|fault| (fault.key.clone(), fault.message.clone())).collect()
}

fn environment_faults(name: &str, value: &str) -> Vec<String> {
    let mut faults = Faults::default();
    refuse_in_environment(&Environment::from_pairs([(name, value)]), &mut faults);
    faults.iter().map(|fault| fault.key.clone()).collect()
}

#[test]
fn every_section_of_a_database_or_cache_is_refused_by_its_name() {
    for section in [
        "database",
        "databases",
        "DATABASES",
        "cache",
        "caches",
        "redis",
        "postgres",
        "postgresql",
        "amqp",
        "memcached",
        "rabbitmq",
        "mysql",
        "sqlite",
        "mongodb",
        "valkey",
        "db",
        "broker",
    ] {
        let faults = settings_faults(&format!("[{section}]\nhost = \"localhost\"\n"));
        assert_eq!(faults.len(), 1, "{section}: {faults:?}");
        assert_eq!(faults[0].0, section);
    }
}

#[test]
fn an_empty_section_is_refused_too() {
    assert_eq!(settings_faults("[database]")[0].0, "database");
    assert_eq!(settings_faults("databases = {}")[0].0, "databases");
}

#[test]
fn a_key_is_refused_at_any_depth() {
    for (text, key) in [
        ("[server]\ndatabase_url = \"x\"", "server.database_url"),
        ("[providers.reference.redis]\nhost = \"x\"", "providers.reference.redis"),
        ("[[targets]]\nname = \"a\"\n[[targets]]\nsession-cache = 1", "targets[1].session-cache"),
        ("a = [[{ db = 1 }]]", "a[0][0].db"),
        ("\"django.cache\" = 1", "django.cache"),
        ("databaseUrl = 1", "databaseUrl"),
        ("pg_service = 1", "pg_service"),
    ] {
        let keys: Vec<_> = settings_faults(text).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [key], "{text}");
    }
}

#[test]
fn every_url_of_a_database_or_cache_is_refused_whatever_its_key() {
    for scheme in [
        "postgres",
        "postgresql",
        "redis",
        "rediss",
        "valkey",
        "memcached",
        "memcache",
        "amqp",
        "amqps",
        "mysql",
        "mariadb",
        "sqlite",
        "mongodb",
        "mongodb+srv",
        "postgresql+psycopg2",
        "jdbc:postgresql",
        "POSTGRES",
        "redis-sentinel",
    ] {
        for value in
            [format!("{scheme}://u:dummy-secret@h/d"), format!(" {scheme}://h"), format!("url={scheme}://h")]
        {
            let faults = settings_faults(&format!("[a]\nb = [\"plain\", {{ c = {value:?} }}]"));
            assert_eq!(faults.len(), 1, "{value}");
            assert_eq!(faults[0].0, "a.b[1].c", "{value}");
            assert_eq!(environment_faults("SOME_NAME", &value), ["$SOME_NAME"], "{value}");
        }
    }
}

#[test]
fn a_message_never_shows_the_value() {
    let faults = settings_faults(
        "[a]\nb = \"postgres://u:dummy-secret@h/d\"\n[database]\npassword = \"dummy-secret\"",
    );
    assert_eq!(faults.len(), 2);
    assert!(faults.iter().all(|(_, message)| !message.contains("dummy-secret") && !message.contains("u:")));
    let environment =
        Environment::from_pairs([("DATABASE_URL", "dummy-secret"), ("X", "redis://:dummy-secret@h")]);
    let mut faults = Faults::default();
    refuse_in_environment(&environment, &mut faults);
    assert_eq!(faults.iter().count(), 2);
    assert!(!faults.to_string().contains("dummy-secret"));
}

#[test]
fn all_refusals_are_reported_at_once_and_the_refused_keys_are_taken_out() {
    let text = "[server]\nlisten = \"x\"\n[database]\na = 1\n[cache]\nb = 1\n[providers.reference]\nurl = \"redis://h\"";
    let mut table: toml::Table = text.parse().unwrap();
    let mut faults = Faults::default();
    refuse_in_settings(&mut table, &mut faults);
    let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["cache", "database", "providers.reference.url"]);
    assert_eq!(table.keys().collect::<Vec<_>>(), ["providers", "server"]);
}

#[test]
fn every_variable_of_a_database_or_cache_is_refused() {
    for name in [
        "DATABASE_URL",
        "SOLITUDE_DATABASE_URL",
        "database_url",
        "PGHOST",
        "PGPORT",
        "PGUSER",
        "PGPASSWORD",
        "PGDATABASE",
        "PGSERVICE",
        "PGPASSFILE",
        "PGSSLMODE",
        "REDIS_URL",
        "REDIS_PASSWORD",
        "CACHE_URL",
        "MEMCACHE_SERVERS",
        "MEMCACHED_HOST",
        "MEMCACHIER_USERNAME",
        "DB_SERVER_SETTINGS",
        "DB_SERVER_ANYTHING",
        "POSTGRES_PASSWORD",
        "DATABASE_PASSWORD",
        "AMQP_URL",
    ] {
        assert_eq!(environment_faults(name, "x"), [format!("${name}")], "{name}");
        assert_eq!(environment_faults(name, "").len(), 1, "{name} is refused even when it is empty");
    }
}

#[test]
fn what_has_nothing_to_do_with_a_store_is_accepted() {
    let text = r#"
        [server]
        listen = "127.0.0.1:2603"
        address_file = "/run/pg/address"
        [log]
        level = "info"
        [providers.reference]
        url = "https://provider.test/postgres"
        consumer_secret = { file = "/run/secrets/redis" }
        feedback = "ok"
        cached = true
        [providers.reference.notice_keys]
        0 = "a postgres fan: //"
    "#;
    assert_eq!(settings_faults(text), []);
    for (name, value) in [
        ("PATH", "/usr/lib/postgresql/17/bin:/usr/bin"),
        ("PROVIDER_PROXY_SETTINGS", "/etc/provider-proxy.toml"),
        ("HTTPS_PROXY", "http://127.0.0.1:3128"),
        ("XDG_CACHE_HOME", "/root/.cache"),
        ("MY_POSTGRESES", "postgres"),
        ("NOTADATABASE_URL", "é://x"),
    ] {
        assert_eq!(environment_faults(name, value), [""; 0], "{name}");
    }
}

#[test]
fn a_caller_may_be_called_like_a_database_but_not_hold_one() {
    assert!(settings_faults("[callers.db-server]\nsan = \"db.example.test\"").is_empty());
    let faults = settings_faults("[callers.db-server]\ndatabase = \"x\"\nsan = \"redis://x\"");
    let keys: Vec<_> = faults.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["callers.db-server.database", "callers.db-server.san"]);
}
