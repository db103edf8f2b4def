//! Transactions to be reported, and what `db-server log` makes of them.

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

/// A database with transactions of two days, and a folder for the files.
pub struct Books {
    pub database: TestDatabase,
    pub folder: TempDir,
    pub settings: Table,
}

impl Books {
    /// Ten transactions a day on two days, `t1` to `t20`: of each ten one is of every status, and two more are
    /// completed.
    pub fn open() -> Self {
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

    pub fn run(&self, sql: &str) {
        self.database.connect().batch_execute(sql).unwrap();
    }

    pub fn count(&self, query: &str) -> i64 {
        count(&mut self.database.connect(), query)
    }

    pub fn start(&self, arguments: &str) -> Process {
        let launch = server("db-server", self.folder.path(), &self.settings).argument("log");
        let launch = launch.argument("--dir").argument(self.folder.path());
        launch.arguments(arguments.split_whitespace()).start().unwrap()
    }

    pub async fn log(&self, arguments: &str) -> Vec<String> {
        let process = self.start(arguments);
        assert_eq!(process.wait().await.unwrap(), End::Exited(0), "{:?}", process.lines());
        process.lines()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The uuids in a file, which must be whole.
    #[track_caller]
    pub fn uuids(&self, name: &str) -> Vec<String> {
        uuids(&self.path(name))
    }

    /// The names of the files, hidden ones included, without the settings.
    pub fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "db-server.toml");
        names.sort();
        names
    }

    /// The uuids of what `transaction_log` has, sorted.
    pub fn recorded(&self) -> Vec<String> {
        let query = "select uuid from transactions where id in (select transaction_id from transaction_log)";
        let rows: Vec<Uuid> = sql_query(query).load(&mut self.database.connect()).unwrap();
        let mut uuids: Vec<_> = rows.into_iter().map(|row| row.uuid).collect();
        uuids.sort();
        uuids
    }

    /// Every transaction in every file of revenue that readers can see, sorted.
    pub fn reported(&self) -> Vec<String> {
        let files = self.files();
        let visible = files.iter().filter(|name| !name.starts_with('.') && name.contains(".revenue."));
        let mut uuids: Vec<_> = visible.flat_map(|name| self.uuids(name)).collect();
        uuids.sort();
        uuids
    }

    /// From now on a commit of the transaction log waits as long as somebody holds the advisory lock 42.
    pub fn hold_commits(&self) {
        self.run(
            "create function hold() returns trigger language plpgsql security definer as \
             'begin perform pg_advisory_xact_lock(42); return null; end'; \
             create constraint trigger hold after insert on transaction_log deferrable initially deferred \
             for each row when (new.transaction_id = 1) execute function hold()",
        );
    }

    pub async fn wait_until_held(&self) {
        let held = "select count(*) from pg_stat_activity where datname = current_database() \
                    and wait_event_type = 'Lock' and application_name = 'db-server'";
        while self.count(held) == 0 {
            actix_web::rt::task::yield_now().await;
        }
    }

    /// Waits until Postgres has noticed that nobody is there any more.
    pub async fn wait_until_alone(&self) {
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
pub fn uuids(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with("\r\n"), "{text}");
    let mut lines = text.split_terminator("\r\n");
    assert_eq!(lines.next(), Some(HEADER));
    lines.map(|line| line.split(',').nth(1).unwrap().to_owned()).collect()
}

pub fn names(numbers: &[u32]) -> Vec<String> {
    let mut names: Vec<_> = numbers.iter().map(|number| format!("t{number}")).collect();
    names.sort();
    names
}

/// The completed and checked of the first day, and of both.
pub const FIRST_DAY: [u32; 4] = [1, 2, 8, 9];
pub const BOTH_DAYS: [u32; 8] = [1, 2, 8, 9, 11, 12, 18, 19];
