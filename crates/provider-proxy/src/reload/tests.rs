//! What a reload takes over, and what it leaves alone.

use std::fs;

use chassis::environment::Environment;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("secret", "dummy-secret-1");
        files.settings("");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn settings(&self, more: &str) {
        self.settings_with_secret("secret", more);
    }

    fn settings_with_secret(&self, secret: &str, more: &str) {
        let text = format!(
            "[providers.reference]\nurl = \"http://127.0.0.1:1\"\nrealm = \"r\"\nconsumer_key = \"dummy-key\"\n\
             consumer_secret = {{ file = {:?} }}\nnotice_keys = {{ 0 = \"dummy-notice\" }}\n\
             [passthrough]\naudit_file = {:?}\n{more}",
            self.path(secret),
            self.path("audit.jsonl")
        );
        self.write("settings.toml", &text);
    }

    fn start(&self) -> Reloader {
        let settings = Settings::load(Some(&self.path("settings.toml")), Environment::default()).unwrap();
        Reloader::new(Services::start(settings).unwrap())
    }
}

fn secret(reloader: &Reloader) -> String {
    let snapshot = reloader.services.current.get();
    let reference = snapshot.settings.providers.reference.as_ref().unwrap();
    reference.consumer.secret.expose_secret().to_owned()
}

fn looked_at(reloader: &Reloader) -> BTreeSet<PathBuf> {
    reloader.files().into_keys().collect()
}

fn events(files: &Files) -> Vec<String> {
    let text = fs::read_to_string(files.path("audit.jsonl")).unwrap();
    let event = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["event"].as_str().unwrap().to_owned()
    };
    text.lines().map(event).collect()
}

#[test]
fn a_new_secret_is_in_use_at_once_and_whoever_began_with_the_old_one_keeps_it() {
    let files = Files::new();
    let reloader = files.start();
    let began = reloader.services.current.get();
    files.write("secret", "dummy-secret-2");
    assert_eq!(secret(&reloader), "dummy-secret-1");
    assert_eq!(reloader.reload().unwrap(), 1);
    assert_eq!(secret(&reloader), "dummy-secret-2");
    let reference = began.settings.providers.reference.as_ref().unwrap();
    assert_eq!((began.generation, reference.consumer.secret.expose_secret()), (0, "dummy-secret-1"));
    assert_eq!(reloader.services.current.load().generation, 1);
}

#[test]
fn bad_settings_change_nothing_and_are_told_until_they_are_good() {
    let files = Files::new();
    let reloader = files.start();
    let metrics = reloader.services.metrics.reload().clone();
    files.settings("[server]\nworkers = 0\nlisten = 1\n");
    assert_eq!(reloader.reload().unwrap_err().faults(), 2);
    files.write("settings.toml", "not TOML");
    reloader.reload().unwrap_err();
    fs::remove_file(files.path("settings.toml")).unwrap();
    reloader.reload().unwrap_err();
    assert_eq!(
        (secret(&reloader).as_str(), reloader.services.current.load().generation),
        ("dummy-secret-1", 0)
    );
    assert_eq!((metrics.successes.get(), metrics.failures.get(), metrics.last_successful.get()), (0, 3, 0));
    assert_eq!(
        reloader.services.readiness.reasons(),
        ["settings: the last reload was refused; the log says why"]
    );
    files.settings("");
    reloader.reload().unwrap();
    assert_eq!((metrics.successes.get(), metrics.last_successful.get()), (1, 1));
    assert!(reloader.services.readiness.reasons().is_empty());
    reloader.services.audit.flush().unwrap();
    assert_eq!(events(&files), ["started", "reload_refused", "reload_refused", "reload_refused", "reloaded"]);
}

#[test]
fn an_error_shows_no_secret() {
    let files = Files::new();
    let reloader = files.start();
    files.settings("[dummy]\nx = \"dummy-secret-3\"\n[log]\nlevel = \"dummy-secret-4\"");
    let error = reloader.reload().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("dummy-secret"), "{error:?}");
}

#[test]
fn a_file_that_new_settings_name_and_that_is_missing_is_waited_for() {
    let files = Files::new();
    let reloader = files.start();
    files.settings_with_secret("later", "");
    reloader.reload().unwrap_err();
    assert_eq!(secret(&reloader), "dummy-secret-1");
    for name in ["settings.toml", "secret", "later"] {
        assert!(reloader.files().contains_key(&files.path(name)), "{name}");
    }
    files.write("later", "dummy-secret-3");
    reloader.reload().unwrap();
    assert_eq!(secret(&reloader), "dummy-secret-3");
    assert_eq!(looked_at(&reloader), BTreeSet::from([files.path("settings.toml"), files.path("later")]));
}

#[test]
fn a_file_that_is_written_here_is_not_waited_for() {
    let files = Files::new();
    let address = files.path("address");
    files.settings(&format!("[server]\naddress_file = {address:?}\n"));
    let reloader = files.start();
    assert_eq!(looked_at(&reloader), BTreeSet::from([files.path("settings.toml"), files.path("secret")]));
}

#[test]
fn what_needs_a_start_is_named_and_nothing_else_is() {
    let read = |text: &str| Settings::read(text.parse().unwrap(), Environment::default()).unwrap();
    let old = read("[server]\nworkers = 1\n[log]\nlevel = \"info\"");
    let new = "[server]\nworkers = 2\n[log]\nlevel = \"debug\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
               [reload]\ninterval = 5\n[passthrough]\naudit_sync = false\n\
               [providers.reference]\nurl = \"http://127.0.0.1:1\"\nrealm = \"r\"\nconsumer_key = \"dummy-key\"\n\
               consumer_secret = \"dummy-secret\"\nnotice_keys = { 0 = \"dummy-notice\" }";
    let expected =
        ["admin.listen", "log.level", "passthrough.audit_sync", "reload.interval", "server.workers"];
    assert_eq!(needs_restart(&old, &read(new)), expected);
    assert_eq!(needs_restart(&read(new), &old), expected);
    assert_eq!(needs_restart(&old, &old), Vec::<String>::new());
}

#[test]
fn settings_without_a_file_are_not_read_again() {
    let settings = Settings::read(toml::Table::new(), Environment::default()).unwrap();
    let reloader = Reloader::new(Services::start(settings).unwrap());
    assert!(matches!(reloader.reload(), Err(ReloadError::NoFile)));
}
