//! The harness itself: what it starts it also ends.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use diesel::{RunQueryDsl, sql_query};
use integration_tests::{
    postgres::{PrivatePostgres, Stop},
    process::{End, Launch, ProcessError},
};
use rustix::process::Signal;

#[test]
fn a_guard_ends_its_child_and_removes_its_folder_when_the_owner_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let doomed = folder.path().join("doomed");
    std::fs::create_dir(&doomed).unwrap();
    let mut guard = Command::new(env!("CARGO_BIN_EXE_local-pair"))
        .arg("guard")
        .arg("--remove")
        .arg(&doomed)
        .args(["--", "sleep", "1000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reports = BufReader::new(guard.stdout.take().unwrap()).lines();
    let first = reports.next().unwrap().unwrap();
    let pid: u32 = first.strip_prefix("started ").unwrap().parse().unwrap();
    assert!(Path::new(&format!("/proc/{pid}")).exists());

    drop(guard.stdin.take());

    assert_eq!(reports.next().unwrap().unwrap(), "killed 9");
    assert!(guard.wait().unwrap().success());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!doomed.exists());
}

#[test]
fn a_process_tells_its_lines_and_its_exit_code() {
    let process =
        Launch::new("shell", "/bin/sh").arguments(["-c", "echo one; echo two >&2; exit 3"]).start().unwrap();
    assert_eq!(process.wait_blocking().unwrap(), End::Exited(3));
    let mut lines = process.lines();
    lines.sort();
    assert_eq!(lines, ["one", "two"]);
}

#[actix_web::test]
async fn a_process_gets_signals_and_waiting_for_what_never_comes_shows_its_last_lines() {
    let process =
        Launch::new("shell", "/bin/sh").arguments(["-c", "echo ready; exec sleep 1000"]).start().unwrap();
    assert_eq!(process.wait_for_line("rea").await.unwrap(), "ready");
    process.signal(Signal::TERM);
    assert_eq!(process.wait().await.unwrap(), End::Killed(15));
    let error = process.wait_for_line("never").await.unwrap_err();
    assert!(matches!(error, ProcessError::Ended { end: End::Killed(15), .. }));
    assert!(error.to_string().contains("ready"), "{error}");
}

#[test]
fn a_process_has_a_clean_environment() {
    let process = Launch::new("env", "/usr/bin/env").variable("GIVEN", "yes").start().unwrap();
    process.wait_blocking().unwrap();
    let mut names: Vec<String> = process
        .lines()
        .iter()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["GIVEN", "PATH"]);
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let Err(error) = Launch::new("nothing", "/nonexistent").start() else { panic!("it started") };
    assert!(error.to_string().starts_with("nothing cannot be started"), "{error}");
}

#[test]
fn a_private_postgres_keeps_its_data_over_a_stop_and_a_crash_and_leaves_nothing_behind() {
    let mut postgres = PrivatePostgres::temporary().unwrap();
    postgres.create_database("first", None).unwrap();
    let mut connection = postgres.connect("first").unwrap();
    sql_query("CREATE TABLE kept (id int)").execute(&mut connection).unwrap();

    postgres.stop(Stop::Fast).unwrap();
    assert!(postgres.connect("first").is_err());
    postgres.start().unwrap();
    let mut connection = postgres.connect("first").unwrap();
    sql_query("INSERT INTO kept VALUES (1)").execute(&mut connection).unwrap();

    postgres.kill().unwrap();
    assert!(sql_query("SELECT 1").execute(&mut connection).is_err());
    postgres.start().unwrap();
    let mut connection = postgres.connect("first").unwrap();
    assert_eq!(sql_query("DELETE FROM kept").execute(&mut connection).unwrap(), 1);

    let (socket, pid) = (postgres.socket_folder().to_owned(), postgres.process().unwrap().pid());
    drop(postgres);
    assert!(!socket.exists());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}
