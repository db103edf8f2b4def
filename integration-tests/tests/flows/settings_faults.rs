//! Settings that are wrong: exit code 64, every fault named, nothing bound, no value shown.

use integration_tests::{
    in_process::{Dummies, db_server_settings, provider_proxy_settings},
    process::{End, Launch, Process},
};
use toml::Table;

use super::executables::{merged, server};

/// Stands for any secret; it must never be shown.
const SENTINEL: &str = "dummy-sentinel-value";

struct Refused(String);

impl Refused {
    async fn of(launch: Launch) -> Self {
        let process: Process = launch.start().unwrap();
        let end = process.wait().await.unwrap();
        let lines = process.lines().join("\n");
        assert_eq!(end, End::Exited(64), "{lines}");
        assert!(!lines.contains("listening"), "{lines}");
        assert!(!lines.contains(SENTINEL), "{lines}");
        Self(lines)
    }

    #[track_caller]
    fn names(&self, names: &[&str]) {
        for name in names {
            assert!(self.0.contains(name), "{name} is not named in: {}", self.0);
        }
    }
}

fn db_server() -> Table {
    db_server_settings("/nonexistent".as_ref(), "solitude", "http://127.0.0.1:1", &Dummies::default())
}

fn provider_proxy() -> Table {
    provider_proxy_settings("http://127.0.0.1:1", &Dummies::default())
}

async fn refuse(name: &str, sound: Table, over: &str, names: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let table = merged(sound, over);
    Refused::of(server(name, folder.path(), &table)).await.names(names);
    Refused::of(server(name, folder.path(), &table).argument("check-config")).await.names(names);
}

#[actix_web::test]
async fn sound_settings_pass_the_check() {
    let folder = tempfile::tempdir().unwrap();
    for (name, table) in [("db-server", db_server()), ("provider-proxy", provider_proxy())] {
        let process = server(name, folder.path(), &table).argument("check-config").start().unwrap();
        assert_eq!(process.wait().await.unwrap(), End::Exited(0), "{:?}", process.lines());
        assert_eq!(process.lines(), ["the settings are good"], "{name}");
    }
}

#[actix_web::test]
async fn db_server_refuses_files_of_the_way_to_provider_proxy_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let (absent, empty) = (folder.path().join("absent.pem"), folder.path().join("empty.pem"));
    std::fs::write(&empty, SENTINEL).unwrap();
    for over in [
        format!("[proxy]\nca = {absent:?}"),
        format!("[proxy]\nca = {empty:?}"),
        format!("[proxy]\ncertificate = {absent:?}\nkey = {empty:?}"),
    ] {
        refuse("db-server", db_server(), &over, &["proxy.ca, proxy.certificate or proxy.key", ".pem"]).await;
    }
}

#[actix_web::test]
async fn a_drain_of_less_than_a_second_is_refused() {
    let over = "[server]\ndrain = '500ms'";
    for (name, table) in [("db-server", db_server()), ("provider-proxy", provider_proxy())] {
        refuse(name, table, over, &["server.drain: expected at least 1 second"]).await;
    }
}

#[actix_web::test]
async fn every_fault_of_db_servers_settings_is_named_at_once() {
    let over = format!(
        "colour = '{SENTINEL}'\n[server]\nlisten = '{SENTINEL}'\nworkers = 0\n[log]\nlevel = '{SENTINEL}'\n\
         [database]\nencryption_key = '{SENTINEL}'\npool_size = '{SENTINEL}'\n\
         [database.postgres]\nport = 70000\nsslmode = '{SENTINEL}'\nnmae = '{SENTINEL}'\n\
         [auth.clients.short]\nsecret = 'short'\n[proxy]\nurl = 'ftp://{SENTINEL}'\n"
    );
    let names = [
        "colour: unknown key",
        "server.listen: ",
        "server.workers: ",
        "log.level: ",
        "database.encryption_key: ",
        "database.pool_size: ",
        "database.postgres.port: ",
        "database.postgres.sslmode: ",
        "database.postgres.nmae: unknown key",
        "auth.clients.short.secret: ",
        "proxy.url: ",
    ];
    refuse("db-server", db_server(), &over, &names).await;
}

#[actix_web::test]
async fn every_fault_of_provider_proxys_settings_is_named_at_once() {
    let over = format!(
        "[server]\nlisten = '{SENTINEL}'\n[log]\nformat = '{SENTINEL}'\n[providers.reference]\n\
         url = '{SENTINEL}'\nconsumer_secret = ''\ntimeout = '{SENTINEL}'\ncolour = '{SENTINEL}'\n\
         [providers.reference.notice_keys]\n0 = ''\n"
    );
    let names = [
        "server.listen: ",
        "log.format: ",
        "providers.reference.url: ",
        "providers.reference.consumer_secret: ",
        "providers.reference.timeout: ",
        "providers.reference.colour: unknown key",
        "providers.reference.notice_keys.0: ",
    ];
    refuse("provider-proxy", provider_proxy(), &over, &names).await;
}

#[actix_web::test]
async fn db_server_refuses_a_provider_credential_in_its_settings() {
    let key = format!("sk_test_{SENTINEL}");
    for (over, name) in [
        (format!("[providers.reference]\nconsumer_secret = '{SENTINEL}'"), "providers"),
        (format!("[stripe]\nkey = '{SENTINEL}'"), "stripe"),
        (format!("[bango]\npassword = '{SENTINEL}'"), "bango"),
        (format!("[auth]\nconsumer_secret = '{SENTINEL}'"), "auth.consumer_secret"),
        (format!("[auth.clients.shop]\nsecret = '{key}'"), "auth.clients.shop.secret"),
        (format!("[proxy]\nurl = 'http://user:{SENTINEL}@127.0.0.1:1'"), "proxy.url"),
    ] {
        refuse("db-server", db_server(), &over, &[name]).await;
    }
}

#[actix_web::test]
async fn provider_proxy_refuses_a_database_or_cache_in_its_settings() {
    for (over, name) in [
        (format!("[database.postgres]\npassword = '{SENTINEL}'"), "database"),
        (format!("[cache]\nurl = 'redis://:{SENTINEL}@127.0.0.1/'"), "cache"),
        (format!("[redis]\nurl = '{SENTINEL}'"), "redis"),
        (format!("[amqp]\npassword = '{SENTINEL}'"), "amqp"),
        (
            format!("[providers.reference]\nurl = 'postgres://{SENTINEL}@127.0.0.1/'"),
            "providers.reference.url",
        ),
    ] {
        refuse("provider-proxy", provider_proxy(), &over, &[name]).await;
    }
}

#[actix_web::test]
async fn each_server_refuses_the_other_halfs_secrets_in_its_environment() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, Table, &[&str]); 2] = [
        (
            "db-server",
            db_server(),
            &[
                "STRIPE_API_KEY",
                "PAYPAL_CLIENT_SECRET",
                "BRAINTREE_PRIVATE_KEY",
                "BANGO_PASSWORD",
                "ZIPPY_CONFIGURATION",
                "REFERENCE_PROVIDER_SECRET",
                "PROVIDER_PROXY_SETTINGS",
            ],
        ),
        (
            "provider-proxy",
            provider_proxy(),
            &[
                "DATABASE_URL",
                "PGHOST",
                "PGPASSWORD",
                "PGSERVICE",
                "REDIS_URL",
                "CACHE_URL",
                "DB_SERVER_SETTINGS",
            ],
        ),
    ];
    for (name, table, variables) in cases {
        let mut launch = server(name, folder.path(), &table);
        for variable in variables {
            launch = launch.variable(*variable, SENTINEL);
        }
        let named: Vec<_> = variables.iter().map(|variable| format!("${variable}: ")).collect();
        Refused::of(launch).await.names(&named.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let allowed = server("db-server", folder.path(), &db_server())
        .argument("check-config")
        .variable("BANGO_PROXY", "https://some.server.example.test/proxy/bango")
        .start()
        .unwrap();
    assert_eq!(allowed.wait().await.unwrap(), End::Exited(0), "{:?}", allowed.lines());
}

#[actix_web::test]
async fn a_file_that_is_missing_or_no_toml_is_told_without_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.toml");
    std::fs::write(&path, format!("[server]\nlisten = {SENTINEL}\n")).unwrap();
    for name in ["db-server", "provider-proxy"] {
        let launch = || Launch::executable(name).unwrap();
        Refused::of(launch()).await.names(&["--config FILE", "_SETTINGS"]);
        Refused::of(launch().argument("--config").argument("/nonexistent/x.toml"))
            .await
            .names(&["/nonexistent/x.toml"]);
        Refused::of(launch().argument("--config").argument(&path)).await.names(&["broken.toml", "line 2"]);
        Refused::of(launch().argument("--colour")).await.names(&["--colour"]);
    }
}

#[actix_web::test]
async fn the_settings_file_may_be_named_by_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    for (name, variable, table) in [
        ("db-server", "DB_SERVER_SETTINGS", db_server()),
        ("provider-proxy", "PROVIDER_PROXY_SETTINGS", provider_proxy()),
    ] {
        let path = folder.path().join(format!("{name}.toml"));
        std::fs::write(&path, toml::to_string(&table).unwrap()).unwrap();
        let launch = Launch::executable(name).unwrap().variable(variable, path).argument("check-config");
        let process = launch.start().unwrap();
        assert_eq!(process.wait().await.unwrap(), End::Exited(0), "{:?}", process.lines());
    }
}

#[actix_web::test]
async fn only_loopback_is_served_without_signatures_or_without_tls() {
    let over = "[server]\nlisten = '0.0.0.0:0'\n[auth]\nrequire_oauth = false";
    refuse("db-server", db_server(), over, &["auth.require_oauth"]).await;
    refuse("provider-proxy", provider_proxy(), "[server]\nlisten = '0.0.0.0:0'", &["server.tls.client_ca"])
        .await;
}
