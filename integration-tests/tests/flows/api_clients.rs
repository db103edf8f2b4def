//! Clients in the database: `db-server client add`, `list` and `disable`, signatures and bearer keys.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use actix_web::http::Method;
use diesel::{PgConnection, RunQueryDsl, sql_query, sql_types::Text};
use integration_tests::{
    client::{Answer, Client},
    database::TestDatabase,
    in_process::{Dummies, Pair, Server, db_server_settings, start_db_server},
    process::End,
    redis::PrivateRedis,
};
use serde_json::json;
use tempfile::TempDir;
use toml::Table;

use super::executables::{merged, server};

/// A database, and the settings of servers and commands on it.
pub struct Installation {
    /// The database, unless it is a pair's.
    database: Option<TestDatabase>,
    table: Table,
    folder: TempDir,
}

impl Installation {
    /// With this TOML over the usual settings.
    pub fn new(over: &str) -> Self {
        let database = TestDatabase::new();
        let dummies = Dummies::default();
        let table =
            db_server_settings(&database.socket_folder(), database.name(), "http://127.0.0.1:1", &dummies);
        Self { table: merged(table, over), database: Some(database), folder: tempfile::tempdir().unwrap() }
    }

    /// Of a running pair with this Redis.
    pub fn of(pair: &Pair, redis: &PrivateRedis) -> Self {
        let database = pair.database.as_ref().unwrap();
        let (folder, name) = (database.socket_folder(), database.name());
        let table = db_server_settings(&folder, name, "http://127.0.0.1:1", &pair.dummies);
        let table = merged(table, &redis.db_settings());
        Self { table, database: None, folder: tempfile::tempdir().unwrap() }
    }

    /// A connection to its own database.
    pub fn connect(&self) -> PgConnection {
        self.database.as_ref().unwrap().connect()
    }

    pub fn serve(&self) -> Server {
        start_db_server(self.table.clone())
    }

    /// Runs `db-server client …`; gives its lines, and checks its exit code.
    pub async fn client_command(&self, arguments: &[&str], code: i32) -> Vec<String> {
        run(self.folder.path(), &self.table, arguments, code).await
    }

    /// Adds a client; gives its key, and its secret or bearer key.
    pub async fn add(&self, arguments: &[&str]) -> (String, String) {
        let lines = self.client_command(&[&["add"], arguments].concat(), 0).await;
        let find = |label: &str| {
            let line = lines.iter().find_map(|line| line.strip_prefix(label).map(ToOwned::to_owned));
            line.unwrap_or_else(|| panic!("no {label} in {lines:?}"))
        };
        let label = if arguments.contains(&"--bearer") { "bearer: " } else { "secret: " };
        (find("key: "), find(label))
    }
}

async fn run(folder: &Path, table: &Table, arguments: &[&str], code: i32) -> Vec<String> {
    let launch = server("db-server", folder, table).argument("client").arguments(arguments.iter().copied());
    let process = launch.start().unwrap();
    let end = process.wait().await.unwrap();
    assert_eq!(end, End::Exited(code), "{:?}", process.lines());
    process.lines()
}

/// A request with this bearer key.
pub async fn bearer(url: &str, method: Method, path: &str, key: &str) -> Answer {
    let client = Client::unsigned(url);
    let request = client.request(method, path).header("Authorization", &format!("Bearer {key}"));
    request.json(&json!({"uuid": format!("s-{}", uuid::Uuid::new_v4())})).answer().await
}

#[actix_web::test]
async fn a_client_that_was_added_signs_and_has_the_roles_that_it_was_given() {
    let installation = Installation::new("");
    let running = installation.serve();
    let (key, secret) = installation.add(&["shop", "--role", "read"]).await;
    assert!(key.starts_with("shop-"), "{key}");
    let client = Client::signed(running.url(), &key, &secret);
    let request = client.get("/services/request/").await;
    assert_eq!((request.status, &request.json()["authenticated"]), (200, &json!(key)));
    assert_eq!(client.post("/generic/seller/", &json!({"uuid": "x"})).await.status, 403);
    let wrong = Client::signed(running.url(), &key, "dummy-wrong-secret");
    assert_eq!(wrong.get("/services/request/").await.status, 401);

    let (key, secret) = installation.add(&["shop", "--role", "write", "--role", "read"]).await;
    let client = Client::signed(running.url(), &key, &secret);
    assert_eq!(client.post("/generic/seller/", &json!({"uuid": "x"})).await.status, 201);
}

#[actix_web::test]
async fn a_client_that_does_not_sign_sends_a_bearer_key() {
    let installation = Installation::new("");
    let running = installation.serve();
    let (key, bearer_key) = installation.add(&["batch", "--role", "read", "--bearer"]).await;
    let get = async |key: &str| bearer(running.url(), Method::GET, "/services/request/", key).await;
    let request = get(&bearer_key).await;
    assert_eq!((request.status, &request.json()["authenticated"]), (200, &json!(key)), "{request:?}");
    // It may be sent again and again: it is no signature.
    assert_eq!(get(&bearer_key).await.status, 200);
    let write = bearer(running.url(), Method::POST, "/generic/seller/", &bearer_key).await;
    assert_eq!(write.status, 403, "{write:?}");

    let mut changed = bearer_key.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'B' } else { 'A' });
    let (_, other) = installation.add(&["other", "--role", "read", "--bearer"]).await;
    let swapped = format!("{key}.{}", other.rsplit_once('.').unwrap().1);
    for wrong in [changed.as_str(), &swapped, &key, &format!("{key}."), "", "."] {
        let answer = get(wrong).await;
        assert_eq!(answer.status, 401, "{wrong}");
        let said = answer.json()["detail"].clone();
        assert_eq!(said, "Authentication credentials were not accepted.", "it says why");
    }
    // Neither proof stands in for the other.
    let signs = Client::signed(running.url(), &key, &bearer_key);
    assert_eq!(signs.get("/services/request/").await.status, 401);
    let (key, secret) = installation.add(&["signer", "--role", "read"]).await;
    assert_eq!(get(&format!("{key}.{secret}")).await.status, 401);
}

#[actix_web::test]
async fn no_secret_of_a_client_is_in_the_database_and_none_is_listed() {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        row: String,
    }
    let installation = Installation::new("");
    let (key, secret) = installation.add(&["shop", "--role", "read", "--role", "refund"]).await;
    let (bearer_name, bearer_key) = installation.add(&["batch", "--role", "admin", "--bearer"]).await;
    let rows: Vec<Row> = sql_query("SELECT api_clients::text AS row FROM api_clients")
        .load(&mut installation.connect())
        .unwrap();
    let stored: String = rows.into_iter().map(|row| row.row).collect();
    let listed = installation.client_command(&["list"], 0).await.join("\n");
    let bearer_secret = bearer_key.rsplit_once('.').unwrap().1;
    for shown in [&stored, &listed] {
        assert!(shown.contains(&key) && shown.contains(&bearer_name), "{shown}");
        assert!(!shown.contains(&secret) && !shown.contains(bearer_secret), "{shown}");
    }
    assert!(listed.contains("\tshop\tread,refund\toauth\ttrue\t"), "{listed}");
    assert!(listed.contains("\tbatch\tadmin\tbearer\ttrue\t"), "{listed}");
}

#[actix_web::test]
async fn a_disabled_client_is_refused_within_seconds_by_a_server_with_a_cache_of_its_own() {
    let installation = Installation::new("");
    let running = installation.serve();
    let (key, secret) = installation.add(&["shop", "--role", "read"]).await;
    let client = Client::signed(running.url(), &key, &secret);
    assert_eq!(client.get("/services/request/").await.status, 200);
    installation.client_command(&["disable", "shop"], 0).await;
    let start = Instant::now();
    while client.get("/services/request/").await.status == 200 {
        assert!(start.elapsed() < Duration::from_secs(20), "it still calls");
    }
    assert_eq!(client.get("/services/request/").await.status, 401);
    let listed = installation.client_command(&["list"], 0).await.join("\n");
    assert!(listed.contains("\tfalse\t"), "{listed}");
}

#[actix_web::test]
async fn a_command_that_cannot_be_done_says_why_and_ends_with_64() {
    let installation = Installation::new("");
    let says = async |arguments: &[&str], text: &str| {
        let lines = installation.client_command(arguments, 64).await.join("\n");
        assert!(lines.contains(text), "{arguments:?}: {lines}");
    };
    says(&["add", "shop"], "--role").await;
    says(&["add", "shop", "--role", "root"], "root").await;
    says(&["add", "a shop", "--role", "read"], "letters, digits").await;
    says(&["disable", "nobody"], "no active client").await;
    let (first, _) = installation.add(&["shop", "--role", "read"]).await;
    let (second, _) = installation.add(&["shop", "--role", "read"]).await;
    says(&["disable", "shop"], &second).await;
    installation.client_command(&["disable", &first], 0).await;
    installation.client_command(&["disable", "shop"], 0).await;
    says(&["disable", "shop"], "no active client").await;
}
