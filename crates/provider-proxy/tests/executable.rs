//! What only the process shows: exit codes, and what the operator reads.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const GOOD: &str = r#"
[server]
listen = "127.0.0.1:0"
[providers.reference]
url = "http://127.0.0.1:1"
realm = "solitude"
consumer_key = "dummy-key"
consumer_secret = { env = "REFERENCE_SECRET" }
[providers.reference.notice_keys]
0 = "dummy-notice"
"#;

fn provider_proxy(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_provider-proxy"))
        .env_clear()
        .env("REFERENCE_SECRET", "dummy-secret")
        .envs(environment.iter().copied())
        .args(arguments)
        .output()
        .unwrap()
}

fn check(settings: &str, environment: &[(&str, &str)]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, settings).unwrap();
    let output = provider_proxy(&["--config", text(&path), "check-config"], environment);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn good_settings_exit_with_0() {
    assert_eq!(check(GOOD, &[]), (0, String::new()));
}

#[test]
fn a_database_in_the_settings_or_the_environment_exits_with_64_and_names_it() {
    for (settings, environment, named) in [
        (format!("{GOOD}[database]\nhost = \"dummy-secret\""), None, "database: "),
        (format!("{GOOD}[databases.default]"), None, "databases: "),
        (format!("{GOOD}[cache]"), None, "cache: "),
        (GOOD.replace("http://127", "redis://:dummy-secret@127"), None, "providers.reference.url: "),
        (GOOD.into(), Some(("DATABASE_URL", "postgres://u:dummy-secret@h/d")), "$DATABASE_URL: "),
        (GOOD.into(), Some(("PGPASSWORD", "dummy-secret")), "$PGPASSWORD: "),
        (GOOD.into(), Some(("REDIS_URL", "redis://:dummy-secret@h")), "$REDIS_URL: "),
        (GOOD.into(), Some(("ANYTHING", "postgres://u:dummy-secret@h/d")), "$ANYTHING: "),
    ] {
        let (code, report) = check(&settings, environment.as_slice());
        assert_eq!(code, 64, "{named} {report}");
        assert!(report.lines().any(|line| line.starts_with(named)), "{named} in {report}");
        assert!(!report.contains("dummy-"), "{report}");
    }
}

#[test]
fn every_fault_is_a_line_of_its_own() {
    let settings = GOOD.replace("http:", "ftp:").replace("realm", "relm");
    let (code, report) = check(&settings, &[("PGHOST", "h")]);
    let keys: Vec<_> = report.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(code, 64);
    assert_eq!(
        keys,
        ["$PGHOST", "providers.reference.url", "providers.reference.realm", "providers.reference.relm"]
    );
}

#[test]
fn missing_settings_and_unknown_arguments_exit_with_64() {
    let output = provider_proxy(&[], &[]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("$PROVIDER_PROXY_SETTINGS"));
    assert_eq!(provider_proxy(&["--nonsense"], &[]).status.code(), Some(64));
    assert_eq!(provider_proxy(&["--help"], &[]).status.code(), Some(0));
}

#[test]
fn an_address_that_is_taken_exits_with_69() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, GOOD.replace("127.0.0.1:0", &address)).unwrap();
    let output = provider_proxy(&[], &[("PROVIDER_PROXY_SETTINGS", text(&path))]);
    assert_eq!(output.status.code(), Some(69), "{}", String::from_utf8_lossy(&output.stderr));
}
