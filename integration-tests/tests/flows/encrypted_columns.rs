//! The list of encrypted columns against the schema and against the code: none may be forgotten when keys rotate.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use db_server::store::rotation::ENCRYPTED_COLUMNS;

fn repository(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

fn listed() -> BTreeSet<(String, String)> {
    ENCRYPTED_COLUMNS.iter().map(|column| (column.table.to_owned(), column.column.to_owned())).collect()
}

/// The migrations say of each such column that it holds a Fernet token.
#[test]
fn every_column_that_the_schema_calls_a_fernet_token_is_rotated() {
    let mut found = BTreeSet::new();
    for folder in fs::read_dir(repository("migrations")).unwrap() {
        let Ok(text) = fs::read_to_string(folder.unwrap().path().join("up.sql")) else { continue };
        let (mut table, mut marked) = (String::new(), false);
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("create table ") {
                table = name.split_whitespace().next().unwrap().to_owned();
            } else if line.starts_with("--") {
                marked |= line.contains("Fernet token");
            } else if std::mem::take(&mut marked) {
                found.insert((table.clone(), line.split_whitespace().next().unwrap().to_owned()));
            }
        }
    }
    assert_eq!(found, listed());
}

/// Only a `Ciphertext` can be written by what encrypts, so that a new column shows as a field of that type.
#[test]
fn every_field_that_the_store_holds_encrypted_is_rotated() {
    let mut folders = vec![repository("crates/db-server/src/store")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "rotation.rs") {
                found.extend(encrypted_fields(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty());
    let listed = listed();
    let missing: Vec<_> = found.difference(&listed).collect();
    assert!(missing.is_empty(), "not rotated: {missing:?}");
}

fn encrypted_fields(text: &str) -> Vec<(String, String)> {
    let mut table = String::new();
    let mut fields = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some((_, rest)) = line.split_once("table_name = ") {
            table = rest.split([',', ')']).next().unwrap().to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("pub ").and_then(|line| line.split_once(": "))
            && kind.contains("Ciphertext")
            && !name.contains('(')
        {
            fields.push((table.clone(), name.to_owned()));
        }
    }
    fields
}

/// The check sees what it is meant to see.
#[test]
fn a_new_encrypted_field_would_be_seen() {
    let text = "#[diesel(table_name = wallets, check_for_backend(Pg))]\npub struct W {\npub token: Option<Ciphertext>,\n}";
    assert_eq!(encrypted_fields(text), [("wallets".to_owned(), "token".to_owned())]);
}
