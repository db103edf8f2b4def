use std::fs;

use super::*;
use crate::{database::SslMode, domain::payment::schedule};

/// 32 bytes in the base64url form of a Fernet key.
const KEY: &str = "ZHVtbXlkdW1teWR1bW15ZHVtbXlkdW1teWR1bW15ZHU=";

fn sound() -> String {
    format!(
        "[database]\nencryption_key = \"{KEY}\"\nlookup_key = \"dummy-secret-lookup\"\n\
         [pin]\npepper = \"dummy-secret-pepper\"\n[auth.clients.webpay]\nsecret = \"dummy-secret-dummy\"\n\
         [proxy]\nurl = \"http://127.0.0.1:2603\"\n"
    )
}

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    read(text.parse().unwrap(), Environment::from_pairs(environment.iter().copied()))
}

/// The keys that are at fault, in the order of the report.
fn faults(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let error = parse(text, environment).unwrap_err();
    assert!(!error.to_string().contains("dummy-secret"), "a value is shown: {error}");
    let SettingsError::Faults(faults) = error else { panic!("{error}") };
    faults.iter().map(|fault| fault.key.clone()).collect()
}

fn fault_of(addition: &str) -> Vec<String> {
    faults(&merge(addition), &[])
}

/// The sound settings with one more `key.path = value` on top.
fn merge(addition: &str) -> String {
    let mut table: toml::Table = sound().parse().unwrap();
    let addition: toml::Table = addition.parse().unwrap();
    merge_table(&mut table, addition);
    table.to_string()
}

fn merge_table(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(from)) => merge_table(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[test]
fn the_key_of_our_own_identity_is_no_providers() {
    let pem = include_str!("../../../jws/src/fixtures/ed25519.pem");
    let settings = parse(&merge(&format!("proxy.identity.private_key = \"\"\"{pem}\"\"\"")), &[]).unwrap();
    let identity = settings.proxy.identity.unwrap();
    assert_eq!((identity.issuer.as_str(), identity.audience.as_str()), ("db-server", "provider-proxy"));
    let shown = format!("{identity:?}");
    assert!(shown.contains("SigningKey(EdDSA)"), "{shown}");
    let secret = pem.lines().nth(1).unwrap();
    assert!(!format!("{:?}", settings.cleansed).contains(secret));
}

#[test]
fn what_is_not_written_has_its_default() {
    let settings = parse(&sound(), &[]).unwrap();
    let connect = &settings.database.connect;
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:2602");
    assert_eq!((connect.host.as_str(), connect.port), ("localhost", 5432));
    assert_eq!((connect.database.as_str(), connect.user.as_str()), ("solitude", "solitude"));
    assert_eq!((connect.pool_size, connect.pool_wait), (10, Duration::from_secs(2)));
    assert_eq!(connect.statement_timeout, Duration::from_secs(5));
    assert_eq!(connect.ssl_mode, SslMode::Prefer);
    assert!(connect.password.is_none() && !settings.database.migrate);
    assert!(settings.auth.require_oauth);
    assert_eq!(settings.auth.clients["webpay"].roles, [Role::Read, Role::Write]);
    assert_eq!(settings.proxy.client.total_timeout, Duration::from_secs(12));
    assert_eq!(settings.lockdown, Duration::from_secs(86_400));
    assert!(
        settings.login.tokens.is_none() && settings.proxy.identity.is_none() && !settings.door.can_open()
    );
}

#[test]
fn what_must_be_written_is_named_when_it_is_missing() {
    assert_eq!(
        faults("", &[]),
        ["database.encryption_key", "database.lookup_key", "proxy.url", "pin.pepper"]
    );
    assert_eq!(fault_of("auth.clients.other.roles = ['read']"), ["auth.clients.other.secret"]);
}

#[test]
fn every_wrong_key_is_named_in_full() {
    for (addition, key) in [
        ("server.listen = 'x'", "server.listen"),
        ("server.workers = 0", "server.workers"),
        ("server.lisen = '127.0.0.1:1'", "server.lisen"),
        ("log.level = 'loud'", "log.level"),
        ("log.format = 'xml'", "log.format"),
        ("database.pool_size = 0", "database.pool_size"),
        ("database.pool_size = 'x'", "database.pool_size"),
        ("database.pool_wait = '0s'", "database.pool_wait"),
        ("database.pool_wait = '61m'", "database.pool_wait"),
        ("database.statement_timeout = 0", "database.statement_timeout"),
        ("database.migrate = 'yes'", "database.migrate"),
        ("database.encryption_key = 'dummy-secret'", "database.encryption_key"),
        ("database.encryption_key = []", "database.encryption_key"),
        ("database.encryption_key = 5", "database.encryption_key"),
        ("database.encryption_key = ''", "database.encryption_key"),
        ("database.lookup_key = 'dummy-secret'", "database.lookup_key"),
        ("database.lookup_key = []", "database.lookup_key"),
        ("database.lookup_key = 5", "database.lookup_key"),
        ("database.lookup_key = ['dummy-secret-lookup', '']", "database.lookup_key"),
        ("pin.pepper = 'dummy-secret'", "pin.pepper"),
        ("pin.pepper = 5", "pin.pepper"),
        ("pin.peper = 'dummy-secret-pepper'", "pin.peper"),
        ("pin.max_failures = 0", "pin.max_failures"),
        ("pin.max_failures = 11", "pin.max_failures"),
        ("pin.failure_window = 0", "pin.failure_window"),
        ("pin.failure_window = '366d'", "pin.failure_window"),
        ("pin.memory_kib = 7", "pin.memory_kib"),
        ("pin.memory_kib = 4294967295", "pin.memory_kib"),
        ("pin.iterations = 0", "pin."),
        ("pin.iterations = 101", "pin.iterations"),
        ("database.postgres.host = ' '", "database.postgres.host"),
        ("database.postgres.port = 65536", "database.postgres.port"),
        ("database.postgres.sslmode = 'on'", "database.postgres.sslmode"),
        ("database.postgres.connect_timeout = '0ms'", "database.postgres.connect_timeout"),
        ("database.postgres.password = { file = '/nowhere/x' }", "database.postgres.password"),
        ("database.postgres.hots = 'x'", "database.postgres.hots"),
        ("auth.require_oauth = 'no'", "auth.require_oauth"),
        ("auth.public_url = 'pay.example.com'", "auth.public_url"),
        ("auth.clients.webpay.secret = 'dummy-secret'", "auth.clients.webpay.secret"),
        ("auth.clients.webpay.roles = ['root']", "auth.clients.webpay.roles"),
        ("auth.clients.webpay.role = 'read'", "auth.clients.webpay.role"),
        ("auth.clients.webpay = 'dummy-secret'", "auth.clients.webpay"),
        ("proxy.url = 'ftp://127.0.0.1'", "proxy.url"),
        ("proxy.timeout = 0", "proxy.timeout"),
        ("proxy.timeout = '51s'", "proxy.timeout"),
        ("proxy = { timeout = '51s' }\npayments.idempotency_lease = '1h'", "proxy.timeout"),
        ("proxy.certificate = '/c'", "proxy.key"),
        ("proxy.key = '/k'", "proxy.certificate"),
        ("proxy.private_key = 'dummy-secret'", "proxy.private_key"),
        ("proxy.url = 'https://proxy.example.test'", "proxy.identity.private_key"),
        ("proxy.identity.issuer = 'us'", "proxy.identity.private_key"),
        ("proxy.identity.private_key = 'dummy-secret'", "proxy.identity.private_key"),
        ("proxy.identity.private_key = 'sk_live_x'", "proxy.identity.private_key"),
        ("proxy.identity.private_key = { file = '/nowhere/x' }", "proxy.identity.private_key"),
        ("proxy.identity = { private_key = 'dummy-secret', issuer = ' ' }", "proxy.identity."),
        ("proxy.identity.key = 'dummy-secret'", "proxy.identity."),
        ("cache.url = 'localhost:6379'", "cache.url"),
        ("cache.url = 'rediss://localhost/#insecure'", "cache.url"),
        ("cache.ca = '/ca'", "cache.url"),
        ("cache = {url = 'redis://localhost', ca = '/ca'}", "cache.url"),
        ("cache.pool_size = 0", "cache.pool_size"),
        ("cache.timeout = '0s'", "cache.timeout"),
        ("cache.ttl = '1s'", "cache.ttl"),
        ("limits.per_client = 100", "limits.per_client"),
        ("limits.per_client = '0/s'", "limits.per_client"),
        ("limits.per_server = '1/s'", "limits.per_server"),
        ("login.key = 'dummy-secret-of-too-few-bytes'", "login.key"),
        ("login.key = []", "login.key"),
        ("login.key = ['dummy-secret-that-is-long-enough', 'dummy-short']", "login.key"),
        ("login.lifetime = '25h'", "login.lifetime"),
        ("login.lifetime = 0", "login.lifetime"),
        ("login.max_failures = 0", "login.max_failures"),
        ("login.max_failures = 11", "login.max_failures"),
        ("login.failure_window = '366d'", "login.failure_window"),
        ("login.password = 'x'", "login.password"),
        ("door.url = 'http://127.0.0.1:1'", "door.url"),
        ("door.allowed = ['loopback']", "door.allowed"),
        ("door.allowed = ['anywhere']", "door.allowed"),
        ("door.allowed = ['http://shop.example.test']", "door.allowed"),
        ("door.timeout = 0", "door.timeout"),
        ("door.certificate = '/c'", "door.key"),
        ("door.enabled = true", "door.enabled"),
        ("payments.currency = 'usd'", "payments.currency"),
        ("payments.currency = 'XXX'", "payments.currency"),
        ("payments.max_methods = 0", "payments.max_methods"),
        ("payments.max_method = 1", "payments.max_method"),
        ("payments.idempotency_hours = 23", "payments.idempotency_hours"),
        ("payments.idempotency_hours = 87601", "payments.idempotency_hours"),
        ("payments.idempotency_lease = 0", "payments.idempotency_lease"),
        ("payments.idempotency_lease = '21s'", "payments.idempotency_lease"),
        ("payments.idempotency_lease = '3601s'", "payments.idempotency_lease"),
        ("payments.idempotency_lease = '99999999999d'", "payments.idempotency_lease"),
        ("proxy.timeout = '40s'\npayments.idempotency_lease = '49s'", "payments.idempotency_lease"),
        ("reconcile.nightly = ['Stripe']", "reconcile.nightly"),
        ("reconcile.nightly = ['stripe', 'stripe']", "reconcile.nightly"),
        ("reconcile.nightly = ['reference']", "reconcile.nightly"),
        ("reconcile.nightly = 'stripe'", "reconcile.nightly"),
        ("reconcile.at = '24:00'", "reconcile.at"),
        ("reconcile.at = '4 o clock'", "reconcile.at"),
        ("reconcile.time = '04:00'", "reconcile.time"),
        ("proxy.implementations = ['reference']", "proxy.implementations"),
        ("proxy.implementations = ['a/b']", "proxy.implementations"),
        ("proxy.implementations = 'boku'", "proxy.implementations"),
        ("transactions.lockdown = '0h'", "transactions.lockdown"),
        ("transactions.lokdown = '1h'", "transactions.lokdown"),
        ("redis.url = 'redis://localhost'", "redis"),
    ] {
        let found = fault_of(addition);
        assert!(found.iter().all(|name| name.starts_with(key)) && !found.is_empty(), "{addition}: {found:?}");
    }
}

#[test]
fn a_call_is_over_before_anybody_is_taken_to_have_left_it() {
    for (timeout, lease) in [("12s", "22s"), ("50s", "60s"), ("50s", "1h"), ("1s", "11s")] {
        let text = format!("proxy.timeout = '{timeout}'\npayments.idempotency_lease = '{lease}'");
        let settings = parse(&merge(&text), &[]).unwrap();
        let payments = settings.payments;
        assert_eq!(payments.longest_call, settings.proxy.client.total_timeout);
        assert!(payments.longest_call + schedule::MARGIN <= payments.idempotency_lease, "{text}");
        let left = schedule::LEFT_BY_A_CRASH.to_std().unwrap();
        assert!(payments.longest_call + schedule::MARGIN <= left, "{text}");
    }
    let error = parse(&merge("proxy.timeout = '2m'"), &[]).unwrap_err().to_string();
    assert!(error.contains("proxy.timeout") && error.contains("at most 50s"), "{error}");
    let error = parse(&merge("payments.idempotency_lease = '15s'"), &[]).unwrap_err().to_string();
    assert!(error.contains("payments.idempotency_lease") && error.contains("at least 22s"), "{error}");
}

#[test]
fn all_faults_are_told_at_once() {
    let text =
        "[server]\nlisten = 'x'\n[database]\npool_size = 0\n[stripe]\napi_key = 'dummy-secret'\n[proxi]\n";
    let found = faults(text, &[("PAYPAL_SECRET", "dummy-secret")]);
    for key in
        ["server.listen", "database.pool_size", "stripe.api_key", "$PAYPAL_SECRET", "proxi", "proxy.url"]
    {
        assert!(found.iter().any(|name| name == key), "{key} is not in {found:?}");
    }
}

#[test]
fn a_provider_credential_is_refused_and_not_also_called_unknown() {
    assert_eq!(
        fault_of("providers.reference.consumer_secret = 'dummy-secret'"),
        ["providers.reference.consumer_secret"]
    );
}

#[test]
fn a_providers_secret_in_a_file_is_refused_too() {
    let path = std::env::temp_dir().join(format!("solitude-settings-{}", std::process::id()));
    fs::write(&path, "sk_live_dummy-secret-dummy\n").unwrap();
    let found = fault_of(&format!("auth.clients.webpay.secret = {{ file = '{}' }}", path.display()));
    fs::remove_file(&path).unwrap();
    assert_eq!(found, ["auth.clients.webpay.secret"]);
}

#[test]
fn oauth_may_only_be_off_on_a_loopback_address() {
    let open = "auth.require_oauth = false\nserver.listen = ";
    assert_eq!(fault_of(&format!("{open}'0.0.0.0:2602'")), ["auth.require_oauth"]);
    for listen in ["127.0.0.1:0", "[::1]:0"] {
        assert!(parse(&merge(&format!("{open}'{listen}'")), &[]).is_ok());
    }
}

#[test]
fn a_pins_hash_may_only_be_cheap_on_a_loopback_address() {
    let cheap = "pin.memory_kib = 64\npin.iterations = 1\nserver.listen = ";
    assert_eq!(fault_of(&format!("{cheap}'0.0.0.0:2602'")), ["pin.memory_kib", "pin.iterations"]);
    assert!(parse(&merge(&format!("{cheap}'127.0.0.1:0'")), &[]).is_ok());
}

#[test]
fn people_log_in_only_where_nobody_else_can_read_their_passwords() {
    let login = "login.key = 'dummy-secret-that-is-long-enough'\nserver.listen = ";
    assert_eq!(fault_of(&format!("{login}'0.0.0.0:2602'")), ["login.key"]);
    let settings = parse(&merge(&format!("{login}'127.0.0.1:0'")), &[]).unwrap();
    assert!(settings.login.tokens.is_some());
}

/// A key for tests alone (RFC 8410, section 10.3).
const ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

#[test]
fn the_door_leads_to_this_machine_or_over_https_to_what_is_on_the_list() {
    let text = format!(
        "proxy.identity.private_key = {ED25519:?}\n\
         door = {{url = 'https://shop.example.test/api', allowed = ['loopback', 'https://other.example.test']}}"
    );
    let door = parse(&merge(&text), &[]).unwrap().door;
    let allows = |url: &str| door.allows(&chassis::base_url::BaseUrl::parse(url).unwrap());
    for url in [
        "https://shop.example.test/api/",
        "https://other.example.test",
        "http://localhost:1",
        "http://[::1]/x",
    ] {
        assert!(allows(url), "{url}");
    }
    for url in ["https://shop.example.test", "http://other.example.test", "https://evil.example.test"] {
        assert!(!allows(url), "{url}");
    }
}

#[test]
fn several_look_up_keys_may_be_given() {
    let text = merge("database.lookup_key = ['dummy-secret-lookup', { env = 'OLD_KEY' }]");
    assert!(parse(&text, &[("OLD_KEY", "dummy-secret-of-old")]).is_ok());
    assert_eq!(faults(&text, &[]), ["database.lookup_key"]);
}

#[test]
fn several_encryption_keys_may_be_given() {
    let text = merge(&format!("database.encryption_key = ['{KEY}', {{ env = 'OLD_KEY' }}]"));
    assert!(parse(&text, &[("OLD_KEY", KEY)]).is_ok());
    assert_eq!(faults(&text, &[]), ["database.encryption_key"]);
}

#[test]
fn a_redis_is_named_by_its_url_with_and_without_tls() {
    for url in
        ["redis://localhost:6379/1", "unix:///run/redis.sock", "rediss://:dummy-secret@redis.example.test"]
    {
        let settings = parse(&merge(&format!("cache.url = '{url}'")), &[]).unwrap();
        let redis = settings.redis.unwrap();
        assert_eq!((redis.pool_size, redis.timeout), (10, Duration::from_millis(500)));
    }
    let ca = parse(&merge("cache = {url = 'rediss://localhost', ca = '/ca'}"), &[]).unwrap();
    assert!(ca.redis.unwrap().ca.is_some());
    assert!(parse(&sound(), &[]).unwrap().redis.is_none());
}

#[test]
fn a_bearer_key_is_only_for_a_connection_that_nobody_else_can_read() {
    let private = |addition: &str| parse(&merge(addition), &[]).unwrap().auth.private;
    assert!(private("server.listen = '127.0.0.1:0'"));
    assert!(!private("server.listen = '0.0.0.0:0'"));
    assert!(!private("server.listen = '0.0.0.0:0'\nauth.public_url = 'http://pay.example.test'"));
    assert!(private("server.listen = '0.0.0.0:0'\nauth.public_url = 'https://pay.example.test'"));
    let tls = "server = {listen = '0.0.0.0:0', tls = {certificate = '/c', key = '/k'}}";
    assert!(private(tls));
}

#[test]
fn debug_shows_no_secret() {
    let text = merge(
        "database.postgres.password = 'dummy-secret-password'\ncache.url = 'redis://:dummy-secret@localhost'",
    );
    let shown = format!("{:?}", parse(&text, &[]).unwrap());
    assert!(!shown.contains("dummy-secret") && !shown.contains(KEY), "{shown}");
}
