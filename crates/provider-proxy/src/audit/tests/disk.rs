//! On the way to the disk: threads, batches, the end, and a disk that takes nothing.

use std::{fs::OpenOptions, time::Instant};

use super::{
    super::{queue::Work, waiting::Batch},
    *,
};

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
fn whoever_waits_for_the_disk_has_all_lines_there_however_many_batches_are_brought_to_it_together() {
    let log = Log::new();
    let owner = log.try_open_with(true).unwrap();
    for round in 0..6 {
        owner.record(&record("/"));
        owner.flush().unwrap();
        assert_eq!(log.lines().len(), round + 2);
        assert_eq!(log.metrics.lines.get(), round as u64 + 2);
    }
    drop(owner);
    assert_eq!(log.verify().unwrap().lines, 8);
}

#[test]
fn what_is_in_the_file_is_brought_to_the_disk_when_no_line_follows() {
    let log = Log::new();
    let queue = Queue::new(chain::Chain::new(), None, log.metrics.clone());
    queue.push(&Event::Started { version: "1" });
    let Work::Write(batch) = queue.next(Batch::default(), false) else { panic!("there is a line") };
    assert_eq!(batch.lines, 1);
    let Work::Write(empty) = queue.next(batch, true) else { panic!("there is something to sync") };
    assert_eq!((empty.lines, empty.text.len(), empty.written), (0, 0, 0));
    queue.close();
    let Work::Close(last) = queue.next(empty, false) else { panic!("it was closed") };
    assert!(last.urgent && last.text.ends_with(b"\"event\":\"stopped\"}\n"));
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
