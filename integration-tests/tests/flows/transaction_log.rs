//! `db-server log`: the real executable, killed where it hurts most.

use std::{
    fs,
    path::{Path, PathBuf},
};

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use integration_tests::{
    database::TestDatabase,
    in_process::{Dummies, db_server_settings},
    process::{End, Process},
};
use tempfile::TempDir;
use toml::Table;

use super::executables::{merged, server};

const HEADER: &str =
    "version,uuid,created,modified,amount,currency,status,reason,buyer,seller,source,carrier,region,provider";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Uuid {
    #[diesel(sql_type = Text)]
    uuid: String,
}

struct Books {
    database: TestDatabase,
    folder: TempDir,
    settings: Table,
}

impl Books {
    /// Ten transactions a day on two days, `t1` to `t20`: of each ten one is of every status, and two more are
    /// completed.
    fn open() -> Self {
        let database = TestDatabase::new();
        let folder = tempfile::tempdir().unwrap();
        let dummies = Dummies::default();
        let settings =
            db_server_settings(&database.socket_folder(), database.name(), "http://127.0.0.1:1", &dummies);
        // What a test holds up is not to be ended by the statement timeout.
        let settings = merged(settings, "[database]\nstatement_timeout = '60s'");
        let books = Self { database, folder, settings };
        books.run(
            "insert into sellers (uuid) values ('seller'), ('other'); \
             insert into products (seller_id, external_id, public_id) values (1, 'x', 'p'); \
             insert into buyers (uuid) values ('buyer'); \
             insert into transactions (uuid, status, status_reason, amount_minor, currency, buyer_id, seller_id, \
             product_id, provider, source, created, modified) \
             select 't' || n, case when n % 10 < 8 then n % 10 else 1 end, \
             case when n = 4 then 'a \"reason\", two' || chr(10) || 'lines' end, 99, 'EUR', 1, 2, 1, 2, 'web', \
             '2025-12-31T12:00:00Z', timestamptz '2026-01-02T00:00:00Z' + (n - 1) / 10 * interval '1 day' \
             from generate_series(1, 20) n;",
        );
        books
    }

    fn run(&self, sql: &str) {
        self.database.connect().batch_execute(sql).unwrap();
    }

    fn count(&self, query: &str) -> i64 {
        count(&mut self.database.connect(), query)
    }

    fn start(&self, arguments: &str) -> Process {
        let launch = server("db-server", self.folder.path(), &self.settings).argument("log");
        let launch = launch.argument("--dir").argument(self.folder.path());
        launch.arguments(arguments.split_whitespace()).start().unwrap()
    }

    async fn log(&self, arguments: &str) -> Vec<String> {
        let process = self.start(arguments);
        assert_eq!(process.wait().await.unwrap(), End::Exited(0), "{:?}", process.lines());
        process.lines()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The uuids in a file, which must be whole.
    #[track_caller]
    fn uuids(&self, name: &str) -> Vec<String> {
        uuids(&self.path(name))
    }

    /// The names of the files, hidden ones included, without the settings.
    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "db-server.toml");
        names.sort();
        names
    }

    /// The uuids of what `transaction_log` has, sorted.
    fn recorded(&self) -> Vec<String> {
        let query = "select uuid from transactions where id in (select transaction_id from transaction_log)";
        let rows: Vec<Uuid> = sql_query(query).load(&mut self.database.connect()).unwrap();
        let mut uuids: Vec<_> = rows.into_iter().map(|row| row.uuid).collect();
        uuids.sort();
        uuids
    }

    /// Every transaction in every file of revenue that readers can see, sorted.
    fn reported(&self) -> Vec<String> {
        let files = self.files();
        let visible = files.iter().filter(|name| !name.starts_with('.') && name.contains(".revenue."));
        let mut uuids: Vec<_> = visible.flat_map(|name| self.uuids(name)).collect();
        uuids.sort();
        uuids
    }

    /// From now on a commit of the transaction log waits as long as somebody holds the advisory lock 42.
    fn hold_commits(&self) {
        self.run(
            "create function hold() returns trigger language plpgsql security definer as \
             'begin perform pg_advisory_xact_lock(42); return null; end'; \
             create constraint trigger hold after insert on transaction_log deferrable initially deferred \
             for each row when (new.transaction_id = 1) execute function hold()",
        );
    }

    async fn wait_until_held(&self) {
        let held = "select count(*) from pg_stat_activity where datname = current_database() \
                    and wait_event_type = 'Lock' and application_name = 'db-server'";
        while self.count(held) == 0 {
            actix_web::rt::task::yield_now().await;
        }
    }

    /// Waits until Postgres has noticed that nobody is there any more.
    async fn wait_until_alone(&self) {
        let there = "select count(*) from pg_stat_activity where datname = current_database() \
                     and application_name = 'db-server'";
        while self.count(there) > 0 {
            actix_web::rt::task::yield_now().await;
        }
    }
}

fn count(connection: &mut PgConnection, query: &str) -> i64 {
    sql_query(query).get_result::<Count>(connection).unwrap().count
}

#[track_caller]
fn uuids(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with("\r\n"), "{text}");
    let mut lines = text.split_terminator("\r\n");
    assert_eq!(lines.next(), Some(HEADER));
    lines.map(|line| line.split(',').nth(1).unwrap().to_owned()).collect()
}

fn names(numbers: &[u32]) -> Vec<String> {
    let mut names: Vec<_> = numbers.iter().map(|number| format!("t{number}")).collect();
    names.sort();
    names
}

/// The completed and checked of the first day, and of both.
const FIRST_DAY: [u32; 4] = [1, 2, 8, 9];
const BOTH_DAYS: [u32; 8] = [1, 2, 8, 9, 11, 12, 18, 19];

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
