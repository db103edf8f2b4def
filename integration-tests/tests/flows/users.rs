//! Users in the database: `db-server user add`, `list`, `disable`, `enable` and `password`.

use std::{
    fs,
    io::Write as _,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use diesel::{PgConnection, RunQueryDsl, sql_query, sql_types::Text};
use integration_tests::{
    database::TestDatabase,
    executables,
    in_process::{Dummies, Server, db_server_settings, start_db_server},
};
use tempfile::TempDir;
use toml::Table;

use super::{
    executables::merged,
    login::{log_in, token, whoami},
};

/// The password of every user of these tests.
pub const PASSWORD: &str = "dummy-password-of-users";

/// A database, and the settings of servers and commands on it.
pub struct People {
    database: TestDatabase,
    /// The settings.
    pub table: Table,
    folder: TempDir,
}

impl People {
    /// With `[login]`, and this TOML over the usual settings.
    pub fn new(over: &str) -> Self {
        let database = TestDatabase::new();
        let dummies = Dummies::default();
        let table =
            db_server_settings(&database.socket_folder(), database.name(), "http://127.0.0.1:1", &dummies);
        let table = merged(table, "[login]\nkey = 'dummy-key-of-tokens-with-32-bytes'");
        Self { table: merged(table, over), database, folder: tempfile::tempdir().unwrap() }
    }

    pub fn connect(&self) -> PgConnection {
        self.database.connect()
    }

    pub fn serve(&self) -> Server {
        start_db_server(self.table.clone())
    }

    /// Runs `db-server user …` with a line on its standard input; gives what it printed, and checks its exit code.
    pub fn command(&self, arguments: &[&str], input: &str, code: i32) -> String {
        let Output { status, stdout, stderr } = self.run(arguments, input);
        let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert_eq!(status.code(), Some(code), "{arguments:?}: {said}");
        assert!(!said.contains(PASSWORD), "it shows the password: {said}");
        said
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let settings = self.folder.path().join("db-server.toml");
        fs::write(&settings, self.table.to_string()).unwrap();
        let mut process = Command::new(executables::path("db-server").unwrap())
            .arg("--config")
            .arg(&settings)
            .arg("user")
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that needs no password may have ended by now.
        let _ = writeln!(process.stdin.take().unwrap(), "{input}");
        process.wait_with_output().unwrap()
    }

    /// Adds a user with [`PASSWORD`] and these roles.
    pub fn add(&self, name: &str, roles: &[&str]) {
        let roles = roles.iter().flat_map(|role| ["--role", role]);
        let arguments: Vec<_> = ["add", name].into_iter().chain(roles).collect();
        self.command(&arguments, PASSWORD, 0);
    }
}

#[actix_web::test]
async fn a_user_who_was_added_logs_in_with_the_password_from_standard_input() {
    let people = People::new("");
    let running = people.serve();
    people.add("Alice", &["user", "wonderland", "user"]);
    let answer = log_in(&running, "Alice", PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let listed = people.command(&["list"], "", 0);
    assert!(listed.contains("Alice\tuser,wonderland\ttrue\t"), "{listed}");
}

#[actix_web::test]
async fn a_generated_password_is_printed_once_and_works() {
    let people = People::new("");
    let running = people.serve();
    let said = people.command(&["add", "Bob", "--role", "read", "--generate"], "", 0);
    let password = said.lines().find_map(|line| line.strip_prefix("password: ")).unwrap();
    assert_eq!(log_in(&running, "Bob", password).await.status, 200);
    let said = people.command(&["password", "Bob", "--generate"], "", 0);
    let other = said.lines().find_map(|line| line.strip_prefix("password: ")).unwrap();
    assert_ne!(other, password);
    assert_eq!(log_in(&running, "Bob", password).await.status, 401);
    assert_eq!(log_in(&running, "Bob", other).await.status, 200);
}

#[actix_web::test]
async fn no_password_is_in_the_database() {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        row: String,
    }
    let people = People::new("");
    people.add("Alice", &["read"]);
    let rows: Vec<Row> =
        sql_query("SELECT users::text AS row FROM users").load(&mut people.connect()).unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].row.contains("$argon2id$") && !rows[0].row.contains(PASSWORD), "{}", rows[0].row);
}

#[actix_web::test]
async fn disabling_ends_log_ins_and_tokens_and_enabling_gives_back_log_ins_alone() {
    let people = People::new("");
    let running = people.serve();
    people.add("Alice", &["read"]);
    let token_before = token(&running, "Alice", PASSWORD).await;
    assert_eq!(whoami(&running, &token_before).await.status, 200);
    people.command(&["disable", "Alice"], "", 0);
    assert_eq!(log_in(&running, "Alice", PASSWORD).await.status, 401);
    refused_within_seconds(&running, &token_before).await;
    people.command(&["enable", "Alice"], "", 0);
    let token_after = token(&running, "Alice", PASSWORD).await;
    let start = Instant::now();
    while whoami(&running, &token_after).await.status != 200 {
        assert!(start.elapsed() < Duration::from_secs(20), "a user who may call again is still refused");
    }
    assert_eq!(whoami(&running, &token_before).await.status, 401);
}

#[actix_web::test]
async fn another_password_takes_the_worth_from_the_tokens_that_there_are() {
    let people = People::new("");
    let running = people.serve();
    people.add("Alice", &["read"]);
    let before = token(&running, "Alice", PASSWORD).await;
    assert_eq!(whoami(&running, &before).await.status, 200);
    people.command(&["password", "Alice"], "dummy-other-password", 0);
    assert_eq!(log_in(&running, "Alice", PASSWORD).await.status, 401);
    let after = token(&running, "Alice", "dummy-other-password").await;
    refused_within_seconds(&running, &before).await;
    assert_eq!(whoami(&running, &after).await.status, 200);
}

async fn refused_within_seconds(running: &Server, token: &str) {
    let start = Instant::now();
    while whoami(running, token).await.status == 200 {
        assert!(start.elapsed() < Duration::from_secs(20), "the token still counts");
    }
    let answer = whoami(running, token).await;
    assert_eq!((answer.status, &answer.json()["detail"]), (401, &"Invalid token".into()));
}

#[actix_web::test]
async fn what_cannot_be_done_is_told_and_ends_with_64() {
    let people = People::new("");
    let says = |arguments: &[&str], input: &str, text: &str| {
        let said = people.command(arguments, input, 64);
        assert!(said.contains(text), "{arguments:?}: {said}");
    };
    says(&["add", "Alice"], PASSWORD, "--role");
    says(&["add", "Alice", "--role", "Read"], PASSWORD, "small letters");
    says(&["add", "Ali:ce", "--role", "read"], PASSWORD, "a user's name is");
    says(&["add", "Alice", "--role", "read"], "short", "at least 8 characters");
    says(&["add", "Alice", "--role", "read"], "", "at least 8 characters");
    says(&["add", "dummy-client", "--role", "read"], PASSWORD, "that of a client");
    says(&["add", "anonymousUser", "--role", "read"], PASSWORD, "stands for nobody");
    says(&["disable", "Alice"], "", "no user of this name");
    says(&["password", "Alice"], PASSWORD, "no user of this name");
    people.add("Alice", &["read"]);
    says(&["add", "Alice", "--role", "read"], PASSWORD, "there is a user of this name");
}
