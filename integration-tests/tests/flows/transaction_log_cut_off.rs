//! `db-server log` killed where it hurts most: no revenue is reported twice, and none is lost.

use std::fs;

use diesel::connection::SimpleConnection;
use integration_tests::process::End;

use super::books::{BOTH_DAYS, Books, FIRST_DAY, names, uuids};

#[actix_web::test]
async fn a_run_that_is_killed_while_it_writes_leaves_nothing() {
    let books = Books::open();
    let mut holder = books.database.connect();
    holder.batch_execute("begin; lock table transaction_log in share mode").unwrap();
    let process = books.start("--type revenue --date 2026-01-02");
    books.wait_until_held().await;
    assert_eq!(books.files(), [".2026-01-02.revenue.log.unfinished"]);
    process.kill();
    process.wait().await.unwrap();
    holder.batch_execute("rollback").unwrap();
    books.wait_until_alone().await;
    assert_eq!((books.reported(), books.recorded()), (Vec::new(), Vec::new()));

    books.log("--type revenue --date 2026-01-03").await;
    assert_eq!(books.files(), ["2026-01-03.revenue.log"]);
    assert_eq!(books.reported(), names(&BOTH_DAYS));
    assert_eq!(books.recorded(), names(&BOTH_DAYS));
}

/// The file is in place and the commit is on its way; the process is killed there.
async fn killed_at_the_commit(committed: bool) -> Books {
    let books = Books::open();
    books.hold_commits();
    let mut holder = books.database.connect();
    holder.batch_execute("select pg_advisory_lock(42)").unwrap();
    let process = books.start("--type revenue --date 2026-01-02");
    books.wait_until_held().await;
    assert_eq!(books.files(), [".2026-01-02.revenue.log.ready", "2026-01-02.revenue.log"]);
    assert_eq!(books.reported(), names(&FIRST_DAY));
    assert_eq!(books.recorded(), Vec::<String>::new());
    process.kill();
    process.wait().await.unwrap();

    // Postgres does not know yet; whoever comes now must not guess how the commit ends.
    let other = books.start("--type revenue --date 2026-01-02");
    assert_eq!(other.wait().await.unwrap(), End::Exited(69), "{:?}", other.lines());
    assert!(other.lines().concat().contains("another run"), "{:?}", other.lines());
    if !committed {
        books.run(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() \
             and application_name = 'db-server'",
        );
    }
    holder.batch_execute("select pg_advisory_unlock(42)").unwrap();
    books.wait_until_alone().await;
    books
}

#[actix_web::test]
async fn a_run_that_is_killed_after_its_file_appeared_is_made_good_by_the_next() {
    for committed in [false, true] {
        let books = killed_at_the_commit(committed).await;
        let recorded = if committed { names(&FIRST_DAY) } else { Vec::new() };
        assert_eq!(books.recorded(), recorded, "committed: {committed}");
        let before = fs::read_to_string(books.path("2026-01-02.revenue.log")).unwrap();

        let lines = books.log("--type revenue --date 2026-01-03").await.concat();
        assert!(lines.contains("cut off"), "{lines}");
        assert_eq!(books.files(), ["2026-01-02.revenue.log", "2026-01-03.revenue.log"]);
        assert_eq!(fs::read_to_string(books.path("2026-01-02.revenue.log")).unwrap(), before);
        assert_eq!(books.uuids("2026-01-03.revenue.log"), names(&[11, 12, 18, 19]));
        assert_eq!((books.reported(), books.recorded()), (names(&BOTH_DAYS), names(&BOTH_DAYS)));
    }
}

#[actix_web::test]
async fn a_file_that_was_taken_away_before_its_rows_were_committed_is_not_reported_again() {
    let books = killed_at_the_commit(false).await;
    let elsewhere = books.path("taken.revenue.log");
    fs::rename(books.path("2026-01-02.revenue.log"), &elsewhere).unwrap();
    books.log("--type revenue --date 2026-01-03").await;
    assert_eq!(books.uuids("2026-01-03.revenue.log"), names(&[11, 12, 18, 19]));
    assert_eq!(uuids(&elsewhere), names(&FIRST_DAY));
    assert_eq!(books.recorded(), names(&BOTH_DAYS));
}

#[actix_web::test]
async fn a_complete_file_that_never_appeared_does() {
    let books = killed_at_the_commit(false).await;
    // As after a kill between the two steps: complete, and readers have not seen it.
    fs::remove_file(books.path("2026-01-02.revenue.log")).unwrap();
    books.log("--type revenue --date 2026-01-03").await;
    assert_eq!(books.uuids("2026-01-02.revenue.log"), names(&FIRST_DAY));
    assert_eq!((books.reported(), books.recorded()), (names(&BOTH_DAYS), names(&BOTH_DAYS)));
}

#[actix_web::test]
async fn what_another_folder_has_reported_meanwhile_is_not_published_a_second_time() {
    let books = killed_at_the_commit(false).await;
    fs::remove_file(books.path("2026-01-02.revenue.log")).unwrap();
    books.run("insert into transaction_log (transaction_id, type) values (1, 1)");
    let lines = books.log("--type revenue --date 2026-01-02").await.concat();
    assert!(lines.contains("superseded"), "{lines}");
    assert_eq!(books.uuids("2026-01-02.revenue.log"), names(&[2, 8, 9]));
    assert_eq!(books.recorded(), names(&FIRST_DAY));
}
