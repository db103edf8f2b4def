//! `db-server log`: what is in its files, and how it ends.

use std::fs;

use diesel::connection::SimpleConnection;
use integration_tests::{
    in_process::{Dummies, db_server_settings},
    process::End,
};

use super::{
    books::{Books, FIRST_DAY, names},
    executables::server,
};

#[actix_web::test]
async fn stats_are_all_transactions_that_were_modified_that_day() {
    let books = Books::open();
    let lines = books.log("--type stats --date 2026-01-02").await;
    assert!(lines[0].ends_with("2026-01-02.stats.log: 10 transactions"), "{lines:?}");
    let expected: Vec<_> = (1..=10).map(|number| format!("t{number}")).collect();
    assert_eq!(books.uuids("2026-01-02.stats.log"), expected);
    let text = fs::read_to_string(books.path("2026-01-02.stats.log")).unwrap();
    let quoted = "v5,t4,2025-12-31T12:00:00.000000Z,2026-01-02T00:00:00.000000Z,0.99,EUR,4,\
                  \"a \"\"reason\"\", two\nlines\",buyer,seller,web,,,2\r\n";
    assert!(text.contains(quoted), "{text}");

    books.run("update transactions set modified = '2026-01-03T12:00:00Z' where uuid <> 't10'");
    books.log("--type stats --date 2026-01-02").await;
    assert_eq!(books.uuids("2026-01-02.stats.log"), ["t10"]);
    assert_eq!(books.files(), ["2026-01-02.stats.log"]);
    assert_eq!(books.recorded(), Vec::<String>::new());
}

#[actix_web::test]
async fn each_revenue_is_reported_once_for_ever() {
    let books = Books::open();
    books.log("--type revenue --date 2026-01-02").await;
    assert_eq!(books.uuids("2026-01-02.revenue.log"), names(&FIRST_DAY));
    assert_eq!(books.recorded(), names(&FIRST_DAY));

    let again = books.log("--type revenue --date 2026-01-02").await;
    assert_eq!(again, ["2026-01-02: nothing new; the day has its file already"]);
    assert_eq!(books.files(), ["2026-01-02.revenue.log"]);

    // What comes later for the same day has a file of its own: the first one may have been read.
    books.run("update transactions set status = 1 where uuid = 't3'");
    books.log("--type revenue --date 2026-01-02").await;
    assert_eq!(books.uuids("2026-01-02.revenue.2.log"), ["t3"]);

    // A day whose run was missed is made up for by the next.
    books.log("--type revenue --date 2026-01-05").await;
    assert_eq!(books.uuids("2026-01-05.revenue.log"), names(&[11, 12, 18, 19]));
    books.log("--type revenue --date 2026-01-06").await;
    assert_eq!(books.uuids("2026-01-06.revenue.log"), Vec::<String>::new());
    assert_eq!(books.reported(), books.recorded());
}

#[actix_web::test]
async fn today_and_yesterday_are_days_in_utc() {
    let books = Books::open();
    // Midnight may come in between; then once more.
    let mut today = chrono::NaiveDate::MIN;
    while today != chrono::Utc::now().date_naive() {
        today = chrono::Utc::now().date_naive();
        books.run(
            "update transactions set modified = now() where uuid = 't1'; \
             update transactions set modified = date_trunc('day', now(), 'UTC') - interval '1 us' where uuid = 't2'",
        );
        books.log("--type stats --today").await;
        books.log("--type stats").await;
    }
    assert_eq!(books.uuids(&format!("{today}.stats.log")), ["t1"]);
    assert_eq!(books.uuids(&format!("{}.stats.log", today.pred_opt().unwrap())), ["t2"]);
}

#[actix_web::test]
async fn each_way_to_fail_has_its_exit_code() {
    let books = Books::open();
    for (arguments, code) in [
        ("--type stats --date 2026-1-2", 64),
        ("--type stats --date 2999-01-01", 64),
        ("--type stats --date 2026-01-02 --today", 64),
        ("--type colours", 64),
        ("", 64),
        ("--type stats --colour", 64),
    ] {
        let process = books.start(arguments);
        assert_eq!(process.wait().await.unwrap(), End::Exited(code), "{arguments}: {:?}", process.lines());
    }
    for kind in ["stats", "revenue"] {
        let launch = server("db-server", books.folder.path(), &books.settings);
        let process =
            launch.arguments(["log", "--type", kind, "--dir", "/nonexistent/folder"]).start().unwrap();
        assert_eq!(process.wait().await.unwrap(), End::Exited(73), "{:?}", process.lines());
    }
    let folder = tempfile::tempdir().unwrap();
    let table = db_server_settings(folder.path(), "none", "http://127.0.0.1:1", &Dummies::default());
    let process =
        server("db-server", folder.path(), &table).arguments(["log", "--type", "stats"]).start().unwrap();
    assert_eq!(process.wait().await.unwrap(), End::Exited(129), "{:?}", process.lines());
    assert_eq!(books.files(), Vec::<String>::new());
}

#[actix_web::test]
async fn memory_does_not_grow_with_the_number_of_transactions() {
    let books = Books::open();
    books.hold_commits();
    let mut holder = books.database.connect();
    holder.batch_execute("select pg_advisory_lock(42)").unwrap();
    books.run(
        "insert into transactions (uuid, status, modified) \
         select 'many' || n, 1, '2026-01-02T00:00:00Z' from generate_series(1, 100000) n",
    );
    let process = books.start("--type revenue --date 2026-01-02");
    // It has seen every row by now.
    books.wait_until_held().await;
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 60_000, "{kilobytes} kB");
    holder.batch_execute("select pg_advisory_unlock(42)").unwrap();
    assert_eq!(process.wait().await.unwrap(), End::Exited(0), "{:?}", process.lines());
    assert_eq!(books.count("select count(*) from transaction_log"), 100_004);
}
