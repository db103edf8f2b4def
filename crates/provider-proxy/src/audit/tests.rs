//! What is in the file, after whatever happens to it.

mod chained;
mod disk;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use serde_json::Value;
use tempfile::TempDir;
use wire::passthrough::Kind;

use super::{
    verify::{Fault, Verified, VerifyError, verify},
    *,
};
use crate::metrics::Metrics;

struct Log {
    folder: TempDir,
    metrics: AuditMetrics,
}

impl Log {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), metrics: Metrics::new().unwrap().audit().clone() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    fn try_open(&self) -> Result<AuditLog, AuditError> {
        self.try_open_with(false)
    }

    fn try_open_with(&self, sync: bool) -> Result<AuditLog, AuditError> {
        AuditLog::open(&AuditSettings { file: Some(self.path()), sync }, &self.metrics)
    }

    fn open(&self) -> AuditLog {
        self.try_open().unwrap()
    }

    /// Writes a log of some requests, from start to stop.
    fn write(&self, requests: usize) {
        let log = self.open();
        for index in 0..requests {
            log.record(&record(&format!("/v1/charges/{index}")));
        }
    }

    fn lines(&self) -> Vec<Value> {
        lines(&self.path())
    }

    fn verify(&self) -> Result<Verified, (u64, Fault)> {
        broken(verify(&[self.path()], false))
    }
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["event"].as_str().unwrap()).collect()
}

fn broken(result: Result<Verified, VerifyError>) -> Result<Verified, (u64, Fault)> {
    result.map_err(|error| match error {
        VerifyError::Broken { line, fault, .. } => (line, fault),
        VerifyError::Unreadable { .. } => panic!("{error}"),
    })
}

fn record(path: &str) -> Record<'_> {
    static AUTHORITIES: LazyLock<[String; 1]> = LazyLock::new(|| ["ROLE_WRITE".to_owned()]);
    Record {
        time: UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456),
        caller: Some("shop"),
        authorities: &*AUTHORITIES,
        target: "stripe",
        method: "POST",
        path,
        query: None,
        credential: Some("bearer"),
        credential_version: Some("2"),
        address: Some(([192, 0, 2, 7], 443).into()),
        status: 200,
        kind: None,
        bytes_in: 12,
        bytes_out: 345,
        duration: Duration::from_micros(6789),
        request_id: "r1",
    }
}

#[test]
fn a_line_tells_everything_about_a_request_and_carries_the_hash_of_the_line_before() {
    let log = Log::new();
    log.write(1);
    let text = fs::read_to_string(log.path()).unwrap();
    let first = text.lines().next().unwrap();
    let expected = format!(
        r#"{{"previous":"{}","time":"2023-11-14T22:13:20.123456Z","event":"request","caller":"shop","authorities":["ROLE_WRITE"],"target":"stripe","method":"POST","path":"/v1/charges/0","credential":"bearer","credential_version":"2","address":"192.0.2.7:443","status":200,"bytes_in":12,"bytes_out":345,"milliseconds":6,"request_id":"r1"}}"#,
        chain::hash(first.as_bytes())
    );
    assert_eq!(text.lines().nth(1).unwrap(), expected);
    assert!(first.starts_with(&format!(r#"{{"previous":"{}","#, chain::GENESIS)), "{first}");
    assert_eq!(events(&log.lines()), ["started", "request", "stopped"]);
    assert_eq!(log.verify().unwrap().lines, 3);
}

#[test]
fn a_refusal_names_its_kind_and_nothing_that_is_not_known() {
    let log = Log::new();
    let refused = Record { caller: None, address: None, kind: Some(Kind::Path), ..record("/") };
    log.open().record(&refused);
    let line = &log.lines()[1];
    assert_eq!(line["kind"], "path");
    assert!(line.get("caller").is_none() && line.get("address").is_none(), "{line}");
}

#[test]
fn no_card_number_and_no_value_of_a_query_is_written_and_nothing_of_a_callers_ends_the_line() {
    let log = Log::new();
    let card = "4111 1111 1111 1111";
    let odd = Record {
        target: card,
        caller: Some(card),
        method: "GET\n{\"previous\":\"x\"}",
        ..record("/cards/4111%201111%201111%201111?card=4111111111111111&email=a@example.test")
    };
    log.open().record(&odd);
    let text = fs::read_to_string(log.path()).unwrap();
    assert!(!text.contains("1111") && !text.contains("example.test"), "{text}");
    assert_eq!(log.lines()[1]["path"], "…?card=…&email=…");
    assert_eq!(log.lines().len(), 3);
    log.verify().unwrap();
}

#[test]
fn a_file_of_something_else_is_not_written_to() {
    let log = Log::new();
    for text in ["[server]\n", "{\"level\": \"INFO\"}\n{\"lev", "x"] {
        fs::write(log.path(), text).unwrap();
        assert!(matches!(log.try_open(), Err(AuditError::NotOurs { .. })), "{text}");
        assert_eq!(fs::read_to_string(log.path()).unwrap(), text);
    }
}

#[test]
fn only_one_process_writes_a_file_and_only_its_owner_reads_it() {
    let log = Log::new();
    let first = log.open();
    assert!(matches!(log.try_open(), Err(AuditError::InUse { .. })));
    drop(first);
    drop(log.open());
    assert_eq!(fs::metadata(log.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn opening_anew_without_a_rotation_changes_nothing_and_a_file_with_lines_is_not_taken() {
    let log = Log::new();
    let owner = log.open();
    owner.reopen();
    owner.record(&record("/1"));
    owner.flush().unwrap();
    let old = log.folder.path().join("old");
    fs::rename(log.path(), &old).unwrap();
    fs::write(log.path(), "{}\n").unwrap();
    owner.reopen();
    owner.record(&record("/2"));
    drop(owner);
    assert_eq!(fs::read_to_string(log.path()).unwrap(), "{}\n");
    assert_eq!(events(&lines(&old)), ["started", "request", "request", "stopped"]);
}

#[test]
fn without_a_file_there_is_always_a_slot_and_no_line() {
    let metrics = Metrics::new().unwrap();
    let owner = AuditLog::open(&AuditSettings::default(), metrics.audit()).unwrap();
    owner.reserve().unwrap().record(&record("/"));
    owner.event(Event::Stopped);
    owner.flush().unwrap();
    assert!(owner.is_writable());
}
