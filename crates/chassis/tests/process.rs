//! What a hardened process is; in a process of its own, since it is the whole process that changes.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

use log::{LevelFilter, Log, Metadata, Record};
use rustix::process::{DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Kept;

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push(record.args().to_string());
    }

    fn flush(&self) {}
}

#[test]
fn it_leaves_no_core_file_lets_nobody_look_and_says_of_a_panic_only_where_it_was() {
    log::set_logger(&Kept).unwrap();
    log::set_max_level(LevelFilter::Trace);
    chassis::process::harden().unwrap();
    assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: Some(0) });
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    let panicking = thread::Builder::new().name("worker".into()).spawn(|| panic!("dummy-secret")).unwrap();
    assert!(panicking.join().is_err());
    let lines = std::mem::take(&mut *LINES.lock().unwrap());
    assert_eq!(lines.len(), 1, "{lines:?}");
    let beginning = format!("thread \"worker\" panicked at {}:", file!());
    assert!(lines[0].starts_with(&beginning) && !lines[0].contains("dummy-secret"), "{lines:?}");
}
