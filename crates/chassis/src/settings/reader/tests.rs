//! Tests of the reader, through the faults that an operator would see.

use std::{fs, net::SocketAddr, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::base_url::BaseUrl;

fn reader(text: &str) -> Reader {
    Reader::new(text.parse().unwrap(), Environment::from_pairs([("SECRET", "from-environment")]))
}

fn faults(reader: Reader) -> Vec<String> {
    match reader.finish() {
        Ok(()) => Vec::new(),
        Err(error) => error.to_string().lines().map(ToOwned::to_owned).collect(),
    }
}

#[test]
fn all_faults_are_reported_at_once_with_their_full_names() {
    let reader = reader("[a.b]\nport = 70000\nname = 5\nnmae = 'x'\n[c]\nx = 1\n");
    let section = reader.root().section("a").section("b");
    let _: u16 = section.or("port", 1);
    let _: String = section.required("name");
    let _: bool = section.required("absent");
    assert_eq!(
        faults(reader),
        [
            "a.b.port: expected a whole number from 0 to 65535",
            "a.b.name: expected a string",
            "a.b.absent: missing",
            "a.b.nmae: unknown key",
            "c: unknown key",
        ]
    );
}

#[test]
fn a_default_stands_where_a_key_is_absent() {
    let reader = reader("");
    let section = reader.root().section("a");
    assert!(!section.is_present());
    assert_eq!(section.or("port", 5432_u16), 5432);
    assert_eq!(section.optional::<String>("name"), None);
    assert!(faults(reader).is_empty());
}

#[test]
fn durations_are_seconds_or_carry_their_unit() {
    let reader = reader("a = 10\nb = '500ms'\nc = '5m'\nd = '24h'\ne = '10'\nf = -1\ng = '1w'");
    let root = reader.root();
    let read = |key| root.optional::<Duration>(key);
    assert_eq!(read("a"), Some(Duration::from_secs(10)));
    assert_eq!(read("b"), Some(Duration::from_millis(500)));
    assert_eq!(read("c"), Some(Duration::from_secs(300)));
    assert_eq!(read("d"), Some(Duration::from_secs(86_400)));
    assert_eq!([read("e"), read("f"), read("g")], [None; 3]);
    assert_eq!(faults(reader).len(), 3);
}

#[test]
fn a_secret_comes_from_the_file_the_environment_or_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "from-file\n").unwrap();
    let text =
        format!("a = 'written'\nb.env = 'SECRET'\nc.file = {path:?}\nd.env = 'ABSENT'\ne = ' '\nf = 1");
    let reader = reader(&text);
    let root = reader.root();
    let read = |key| root.optional::<SecretString>(key).map(|secret| secret.expose_secret().to_owned());
    assert_eq!(read("a").as_deref(), Some("written"));
    assert_eq!(read("b").as_deref(), Some("from-environment"));
    assert_eq!(read("c").as_deref(), Some("from-file"));
    assert_eq!([read("d"), read("e"), read("f")], [None, None, None]);
    assert_eq!(
        faults(reader),
        [
            "d: $ABSENT is not set",
            "e: the secret is empty",
            "f: expected a secret, { file = … }, { env = … } or { credential = … }",
        ]
    );
}

#[test]
fn a_credential_of_systemd_is_read_from_its_folder_and_cannot_leave_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key"), "from-systemd").unwrap();
    let environment = Environment::from_pairs([("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())]);
    let table = "a.credential = 'key'\nb.credential = '../key'".parse().unwrap();
    let reader = Reader::new(table, environment);
    let secret: SecretString = reader.root().required("a");
    assert_eq!(secret.expose_secret(), "from-systemd");
    let _: SecretString = reader.root().required("b");
    assert_eq!(faults(reader), ["b: credential: expected a name, not a path"]);
}

#[test]
fn no_fault_shows_the_value_that_is_wrong() {
    let text = "a = 'dummy-secret'\nb = 'dummy-secret'\nc = 'dummy-secret'\nd = ['dummy-secret']\ne = 'dummy-secret'";
    let reader = reader(text);
    let root = reader.root();
    let _: u64 = root.required("a");
    let _: SocketAddr = root.required("b");
    let _: Duration = root.required("c");
    let _: SecretString = root.required("d");
    let _: BaseUrl = root.required("e");
    let faults = faults(reader);
    assert_eq!(faults.len(), 5);
    assert!(!faults.concat().contains("dummy-secret"), "{faults:?}");
}

#[test]
fn tables_with_names_of_the_operators_choosing_are_checked_inside() {
    let reader = reader("[clients.shop]\nsecret = 'x'\nrole = 1\n[clients.'a.b']\nsecret = 'y'");
    let clients = reader.root().section("clients");
    for name in clients.children() {
        let _: SecretString = clients.section(&name).required("secret");
    }
    assert_eq!(faults(reader), ["clients.shop.role: unknown key"]);
}

#[test]
fn lists_of_tables_are_checked_inside() {
    let reader = reader("[[targets]]\nname = 'a'\n[[targets]]\nname = 'b'\nurl = 'x'");
    let targets = reader.root().sections("targets");
    let names: Vec<String> = targets.iter().map(|target| target.required("name")).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(faults(reader), ["targets[1].url: unknown key"]);
}

#[test]
fn what_is_read_as_a_secret_is_never_shown_and_everything_else_is_with_its_default() {
    let reader = reader("a = 'dummy-secret'\nb = ['dummy-secret']\nc = 'x'\nd = 5\ne = ['y']\nf = '1500ms'");
    let root = reader.root();
    let _: SecretString = root.required("a");
    let _: Option<Vec<SecretString>> = root.optional("b");
    let _: String = root.required("c");
    let _: u64 = root.or("d", 1);
    let _: Vec<String> = root.required("e");
    let _: Duration = root.required("f");
    let _: Duration = root.or("g", Duration::from_secs(30));
    let _: Option<BaseUrl> = root.optional("h");
    let _: Option<SecretString> = root.optional("i");
    let value = |text: &str| Shown::Value(format!("x = {text}").parse::<toml::Table>().unwrap()["x"].clone());
    let expected = [
        ("a", Shown::Secret),
        ("b", Shown::Secret),
        ("c", value("'x'")),
        ("d", value("5")),
        ("e", value("['y']")),
        ("f", value("'1500ms'")),
        ("g", value("'30s'")),
        ("h", Shown::Unset),
        ("i", Shown::Secret),
    ];
    assert_eq!(reader.shown(), expected.map(|(key, shown)| (key.to_owned(), shown)).into());
    assert!(!format!("{:?}", reader.shown()).contains("dummy-secret"));
}
