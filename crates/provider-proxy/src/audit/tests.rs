//! What is in the file, after whatever happens to it.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::LazyLock,
    time::{Duration, Instant, UNIX_EPOCH},
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
        AuditLog::open(&AuditSettings { file: Some(self.path()), sync: false }, &self.metrics)
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
fn the_chain_goes_on_over_restarts() {
    let log = Log::new();
    log.write(2);
    log.write(0);
    log.write(1);
    assert_eq!(log.verify().unwrap().lines, 9);
}

#[test]
fn any_changed_added_or_missing_line_is_found_and_named() {
    let log = Log::new();
    log.write(4);
    let sound = fs::read_to_string(log.path()).unwrap();
    let lines: Vec<&str> = sound.lines().collect();
    for index in 0..lines.len() {
        let mut taken = lines.clone();
        taken.remove(index);
        let is_last = index == lines.len() - 1;
        fs::write(log.path(), taken.join("\n") + "\n").unwrap();
        let fault = if index == 0 { Fault::Beginning } else { Fault::Previous };
        // That the end is missing shows only beside its hash.
        assert_eq!(log.verify().err(), (!is_last).then_some((index as u64 + 1, fault)), "without {index}");

        let mut doubled = lines.clone();
        doubled.insert(index, lines[index]);
        fs::write(log.path(), doubled.join("\n") + "\n").unwrap();
        assert_eq!(log.verify().unwrap_err(), (index as u64 + 2, Fault::Previous), "{index} twice");

        let changed = lines[index].replace("\"event\"", "\"event\" ");
        let mut swapped = lines.clone();
        swapped[index] = &changed;
        fs::write(log.path(), swapped.join("\n") + "\n").unwrap();
        assert_eq!(
            log.verify().err(),
            (!is_last).then_some((index as u64 + 2, Fault::Previous)),
            "{index} changed"
        );
    }
    fs::write(log.path(), sound.trim_end()).unwrap();
    assert_eq!(log.verify().unwrap_err(), (6, Fault::Incomplete));
    fs::write(log.path(), sound.replacen("\"event\"", "event", 1)).unwrap();
    assert_eq!(log.verify().unwrap_err(), (1, Fault::Half));
}

#[test]
fn half_a_line_of_a_crash_stays_and_the_next_line_says_so() {
    let log = Log::new();
    log.write(2);
    let whole = fs::read(log.path()).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    // The crash may come after any byte of the last line.
    for cut in last + 1..whole.len() {
        fs::write(log.path(), &whole[..cut]).unwrap();
        log.write(1);
        let text = fs::read(log.path()).unwrap();
        assert_eq!(text[..cut], whole[..cut], "what was there is not rewritten");
        let said: Value =
            serde_json::from_slice(text[cut + 1..].split(|&byte| byte == b'\n').next().unwrap()).unwrap();
        assert_eq!((&said["event"], &said["bytes"]), (&"torn_line".into(), &(cut - last).into()));
        let verified = log.verify().unwrap_or_else(|error| panic!("cut at {cut}: {error:?}"));
        // Where only the line break was missing the line is whole.
        let whole_before = if cut == whole.len() - 1 { 4 } else { 3 };
        assert_eq!(verified.lines, whole_before + 4);
    }
    // Between two lines nothing is torn.
    fs::write(log.path(), &whole[..last]).unwrap();
    log.write(0);
    assert_eq!(events(&log.lines()), ["started", "request", "request", "started", "stopped"]);
    log.verify().unwrap();
}

#[test]
fn half_a_first_line_and_two_crashes_in_a_row_are_survived() {
    let log = Log::new();
    fs::write(log.path(), format!("{{\"previous\":\"{}", &chain::GENESIS[..20])).unwrap();
    log.write(0);
    assert_eq!(log.verify().unwrap().lines, 3);
    let whole = fs::read(log.path()).unwrap();
    for second in [&b""[..], b"{\"previous\":\"12"] {
        fs::write(log.path(), [&whole[..], b"{\"prev\n", second].concat()).unwrap();
        log.write(0);
        assert_eq!(log.verify().unwrap().lines, 6);
    }
}

#[test]
fn half_a_line_that_nobody_spoke_of_or_that_was_put_there_is_found() {
    let log = Log::new();
    log.write(2);
    let whole = fs::read_to_string(log.path()).unwrap();
    let half = whole.replacen("\n{\"previous\"", "\n{\"prev\n{\"previous\"", 1);
    fs::write(log.path(), half).unwrap();
    assert_eq!(log.verify().unwrap_err(), (2, Fault::Half));
    // After a true crash: the half line is changed, and another line is put before it.
    fs::write(log.path(), format!("{whole}{{\"prev")).unwrap();
    log.write(0);
    let survived = fs::read_to_string(log.path()).unwrap();
    fs::write(log.path(), survived.replace("{\"prev\n", "{\"Prev\n")).unwrap();
    assert_eq!(log.verify().unwrap_err(), (5, Fault::Half));
    let lines: Vec<&str> = survived.lines().collect();
    let mut without = lines.clone();
    without.remove(3);
    fs::write(log.path(), without.join("\n") + "\n").unwrap();
    assert_eq!(log.verify().unwrap_err(), (5, Fault::Torn));
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
fn the_last_whole_line_is_found_behind_very_long_ones() {
    let log = Log::new();
    let owner = log.open();
    owner.record(&record(&format!("/{}", "x".repeat(300_000))));
    drop(owner);
    let whole = fs::read(log.path()).unwrap();
    fs::write(log.path(), &whole[..whole.len() - 200]).unwrap();
    log.write(0);
    log.verify().unwrap();
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
fn the_chain_goes_on_in_the_file_after_a_rotation() {
    let log = Log::new();
    let owner = log.open();
    let mut files = Vec::new();
    for round in 0..3 {
        owner.record(&record(&format!("/{round}")));
        let old = log.folder.path().join(format!("audit.jsonl.{round}"));
        owner.flush().unwrap();
        fs::rename(log.path(), &old).unwrap();
        files.push(old);
        owner.reopen();
        owner.flush().unwrap();
    }
    owner.record(&record("/last"));
    drop(owner);
    files.push(log.path());
    let counts: Vec<_> = files.iter().map(|path| lines(path).len()).collect();
    assert_eq!(counts, [2, 1, 1, 2]);
    let whole = broken(verify(&files, false)).unwrap();
    assert_eq!(whole.lines, 6);
    // Without the oldest one, when that is said; not without one between, and not in another order.
    assert_eq!(broken(verify(&files[1..], true)).unwrap().head, whole.head);
    assert_eq!(broken(verify(&files[1..], false)).unwrap_err(), (1, Fault::Beginning));
    let gap = [files[0].clone(), files[2].clone()];
    assert_eq!(broken(verify(&gap, false)).unwrap_err(), (1, Fault::Previous));
    files.swap(1, 2);
    assert!(verify(&files, false).unwrap_err().to_string().contains("audit.jsonl.2: line 1: "));
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
fn everything_that_was_recorded_by_many_threads_is_on_the_disk_after_the_end() {
    let log = Log::new();
    let owner = log.open();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let owner = owner.clone();
            thread::spawn(move || (0..1000).for_each(|_| owner.record(&record("/"))))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    owner.close();
    assert_eq!(log.verify().unwrap().lines, 4002);
    assert_eq!((log.metrics.lines.get(), log.metrics.lost.get()), (4001, 0));
}

#[test]
fn a_line_that_comes_while_the_log_is_closed_is_still_written() {
    let log = Log::new();
    let owner = log.open();
    let slot = owner.reserve().unwrap();
    let closing = {
        let owner = owner.clone();
        thread::spawn(move || owner.close())
    };
    // Whether closing has begun or not: it waits for the slots that are taken.
    slot.record(&record("/last"));
    closing.join().unwrap();
    assert_eq!(events(&log.lines()), ["started", "request", "stopped"]);
    owner.record(&record("/too-late"));
    assert_eq!(log.metrics.lost.get(), 1);
}

#[test]
fn where_lines_cannot_be_written_there_is_no_slot_until_they_can() {
    // Every write to it fails as on a full disk.
    let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let metrics = Metrics::new().unwrap().audit().clone();
    let file = AuditFile::with(&path, full);
    let queue = Arc::new(Queue::new(chain::Chain::new(), None, metrics.clone()));
    let writer = Writer::new(Arc::clone(&queue), file, false);
    let thread = thread::spawn(move || writer.run());
    let owner = AuditLog(Some(Arc::new(Owner { queue, thread: Mutex::new(Some(thread)) })));
    let in_flight = owner.reserve().unwrap();
    owner.record(&record("/1"));
    assert_eq!(owner.flush(), Err(Unavailable));
    assert!(owner.reserve().is_err() && !owner.is_writable());
    owner.record(&record("/refused"));
    in_flight.record(&record("/2"));
    assert!(metrics.errors.get() > 0);
    assert_eq!(metrics.lost.get(), 2);
    // The operator makes room in another place.
    owner.reopen();
    while owner.flush().is_err() {
        thread::yield_now();
    }
    drop(owner.reserve().unwrap());
    drop(owner);
    let lines = lines(&path);
    assert_eq!(events(&lines), ["request", "lost", "request", "stopped"]);
    assert_eq!(lines[1]["requests"], 2);
    broken(verify(&[path], false)).unwrap();
}

#[test]
fn a_line_costs_a_worker_little() {
    let log = Log::new();
    let owner = log.open();
    let (rounds, batch) = (50, 200);
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let records: Vec<_> = (0..batch).map(|_| record("/v1/charges")).collect();
        let started = Instant::now();
        for record in records {
            owner.record(&record);
        }
        best = best.min(started.elapsed() / batch);
        owner.flush().unwrap();
    }
    // Under a microsecond in a release build; the margin is for one without optimisation on a busy machine.
    assert!(best < Duration::from_micros(50), "{best:?}");
    println!("{best:?} a line");
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
