//! `db-server rotate-keys`, while db-server serves: the real executables, killed in the middle.

use std::{cell::Cell, collections::BTreeSet};

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt,
};
use integration_tests::{
    client::Client,
    database::TestDatabase,
    in_process::{Dummies, db_server_settings, start_db_server},
    process::{End, Process},
};
use serde_json::json;
use tempfile::TempDir;
use toml::Table;

use super::{
    executables::{merged, running, server},
    shop::{created, text},
};

const PRODUCTS: i64 = 2_000;
const BUYERS: i64 = 1_200;
const SECRET: &str = "dummy-secret-of-all";
const EMAIL: &str = "Jo@example.test";

/// Settings with these keys, the first of which is meant.
fn with_keys(settings: &Table, keys: &str, lookup: &str) -> Table {
    let over =
        format!("[database]\nencryption_key = [{keys}]\nlookup_key = [{lookup}]\nstatement_timeout = '60s'");
    merged(settings.clone(), &over)
}

struct Vault {
    database: TestDatabase,
    folder: TempDir,
    dummies: Dummies,
    old: Table,
    both: Table,
    new: Table,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Vault {
    /// Products, buyers and a client, all under the old keys.
    async fn fill() -> Self {
        let database = TestDatabase::new();
        let dummies = Dummies::default();
        let settings =
            db_server_settings(&database.socket_folder(), database.name(), "http://127.0.0.1:1", &dummies);
        let (old, new) = (format!("'{}'", dummies.encryption_key), format!("'{}='", "E".repeat(43)));
        let (old_lookup, new_lookup) = (format!("'{}'", dummies.lookup_key), "'dummy-lookup-key-1'");
        let vault = Self {
            old: with_keys(&settings, &old, &old_lookup),
            both: with_keys(&settings, &format!("{new}, {old}"), &format!("{new_lookup}, {old_lookup}")),
            new: with_keys(&settings, &new, new_lookup),
            folder: tempfile::tempdir().unwrap(),
            database,
            dummies,
        };
        let before = start_db_server(vault.old.clone());
        let client = vault.client(before.url());
        let seller =
            text(&created(client.post("/generic/seller/", &json!({"uuid": "s"})).await), "/resource_uri");
        let product = json!({"seller": seller, "external_id": "1", "public_id": "p1", "secret": SECRET});
        created(client.post("/generic/product/", &product).await);
        created(client.post("/generic/buyer/", &json!({"uuid": "b1", "email": EMAIL})).await);
        vault.run(&format!(
            "insert into products (seller_id, external_id, public_id, secret) \
             select seller_id, n, 'p' || n, secret from products, generate_series(2, {PRODUCTS}) n; \
             insert into buyers (uuid, email, email_hash) \
             select 'b' || n, email, email_hash from buyers, generate_series(2, {BUYERS}) n; \
             insert into buyers (uuid) values ('without'); \
             insert into api_clients (key, name, secret, roles) select 'k', 'k', secret, '{{read}}' from products limit 1; \
             create table before as select id, secret, modified, counter from products;"
        ));
        vault
    }

    fn client(&self, url: &str) -> Client {
        Client::signed(url, &self.dummies.client_key, &self.dummies.client_secret)
    }

    fn run(&self, sql: &str) {
        self.database.connect().batch_execute(sql).unwrap();
    }

    fn count(&self, query: &str) -> i64 {
        count(&mut self.database.connect(), query)
    }

    /// How many products have another token than at first.
    fn rewritten(&self) -> i64 {
        self.count("select count(*) from products p join before b using (id) where p.secret <> b.secret")
    }

    fn rotate(&self, settings: &Table) -> Process {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        server("db-server", &folder, settings).argument("rotate-keys").start().unwrap()
    }

    async fn rotated(&self, settings: &Table) -> String {
        let process = self.rotate(settings);
        assert_eq!(process.wait().await.unwrap(), End::Exited(0), "{:?}", process.lines());
        process.lines().last().unwrap().clone()
    }

    async fn wait_until_blocked(&self) {
        let blocked = "select count(*) from pg_stat_activity where datname = current_database() \
                       and wait_event_type = 'Lock' and query like 'update products%'";
        while self.count(blocked) == 0 {
            actix_web::rt::task::yield_now().await;
        }
    }
}

fn count(connection: &mut PgConnection, query: &str) -> i64 {
    sql_query(query).get_result::<Count>(connection).unwrap().count
}

/// Reads a product and looks a buyer up, each time another one.
async fn look_up(client: &Client, turn: i64) {
    // All but row 1800, which gets another secret on the way.
    let product = client.get(&format!("/generic/product/?public_id=p{}", 1 + turn * 37 % 1_799)).await;
    assert_eq!(product.json()["objects"][0]["secret"], SECRET, "{product:?}");
    let found = client.get("/generic/buyer/?email=jo@EXAMPLE.test&limit=1").await;
    let found = found.json();
    assert_eq!(found["meta"]["total_count"], BUYERS, "{found}");
    assert_eq!(found["objects"][0]["email"], EMAIL, "{found}");
}

async fn look_up_until(client: &Client, done: &Cell<bool>) -> i64 {
    let mut turn = 0;
    while !done.get() {
        look_up(client, turn).await;
        turn += 1;
    }
    turn
}

#[actix_web::test]
async fn keys_rotate_while_the_server_serves_and_through_a_kill_in_the_middle() {
    let vault = Vault::fill().await;
    let serving = running(server("db-server", vault.folder.path(), &vault.both)).await;
    let client = vault.client(&serving.url);

    // Killed in the third batch of the products.
    let mut holder = vault.database.connect();
    holder.batch_execute("begin; select from products where id = 1250 for update").unwrap();
    let first = vault.rotate(&vault.both);
    vault.wait_until_blocked().await;
    for turn in 0..30 {
        look_up(&client, turn).await;
    }
    first.kill();
    first.wait().await.unwrap();
    assert_eq!(vault.rewritten(), 1_000);
    vault.run("select pg_terminate_backend(pid) from pg_stat_activity where query like 'update products%'");
    holder.batch_execute("rollback").unwrap();
    look_up(&client, 1_100).await;

    // Started again; meanwhile clients read and write.
    let done = Cell::new(false);
    let change = json!({"secret": "dummy-changed-meanwhile"});
    holder.batch_execute("begin; select from products where id = 1750 for update").unwrap();
    let again = vault.rotate(&vault.both);
    vault.wait_until_blocked().await;
    // The batch has been read, and waits for row 1750; this one changes under it.
    let changed = client.patch("/generic/product/1800/", &change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    vault.run(
        "update before set secret = p.secret, counter = p.counter, modified = p.modified from products p \
               where p.id = 1800 and before.id = 1800",
    );
    holder.batch_execute("rollback").unwrap();
    let end = async {
        let end = again.wait().await.unwrap();
        done.set(true);
        end
    };
    let (end, turns) = futures_util::future::join(end, look_up_until(&client, &done)).await;
    assert_eq!(end, End::Exited(0), "{:?}", again.lines());
    assert!(turns > 0);
    let told = again.lines();
    assert_eq!(told.last().unwrap(), "1000 values rewritten, 0 remain under old keys", "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("rewriting products.secret: 100 %")), "{told:?}");
    assert_eq!(client.get("/generic/product/1800/").await.json()["secret"], "dummy-changed-meanwhile");

    // No client has seen a change of a resource.
    let seen = "select count(*) from products p join before b using (id) \
                where p.counter <> b.counter or p.modified <> b.modified";
    assert_eq!(vault.count(seen), 0);

    // The old keys may go.
    drop(serving);
    let after = start_db_server(vault.new.clone());
    let client = vault.client(after.url());
    for turn in 0..30 {
        look_up(&client, turn).await;
    }
    assert_eq!(vault.rotated(&vault.new).await, "0 values rewritten, 0 remain under old keys");
}

#[actix_web::test]
async fn a_client_that_the_command_has_added_signs_on_after_a_rotation() {
    let vault = Vault::fill().await;
    let process = server("db-server", vault.folder.path(), &vault.old)
        .argument("client")
        .arguments(["add", "shop", "--role", "read"])
        .start()
        .unwrap();
    assert_eq!(process.wait().await.unwrap(), End::Exited(0), "{:?}", process.lines());
    let lines = process.lines();
    let printed = |label: &str| lines.iter().find_map(|line| line.strip_prefix(label)).unwrap().to_owned();
    let (key, secret) = (printed("key: "), printed("secret: "));
    let is_stored = format!("select count(*) from api_clients where key = '{key}' and secret like 'gAAAA%'");
    assert_eq!(vault.count(&is_stored), 1);
    vault.rotated(&vault.both).await;
    let rotated = start_db_server(vault.new.clone());
    let answer = Client::signed(rotated.url(), &key, &secret).get("/services/request/").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"authenticated": key})));
    drop(rotated);
    let before = start_db_server(vault.old.clone());
    let answer = Client::signed(before.url(), &key, &secret).get("/services/request/").await;
    assert_eq!(answer.status, 500, "the old key still decrypts it: {answer:?}");
}

#[actix_web::test]
async fn the_token_of_a_payment_method_is_found_as_it_is_under_the_new_key() {
    let vault = Vault::fill().await;
    // The text is an address with capitals, so that its two forms differ.
    vault.run(
        "insert into payment_customers (buyer_id, provider, provider_id) values (1, 5, 'cus_1'); \
         insert into payment_methods (customer_id, provider, token, token_hash, type) \
         select 1, 5, email, email_hash, 1 from buyers where id = 1; \
         insert into webhook_events (provider, event_id, kind, provider_kind, payload) \
         select 5, 'evt_1', 'other', 'x', email from buyers where id = 1",
    );
    let told = vault.rotated(&vault.both).await;
    assert!(told.ends_with("0 remain under old keys"), "{told}");
    let keys = db_server::lookup::LookupKeys::new(&["dummy-lookup-key-1".into()]).unwrap();
    let found = |table: &str, column: &str, text: &str| {
        let hash = data_encoding::HEXLOWER.encode(keys.hash(text).as_bytes());
        vault.count(&format!(
            "select count(*) from {table} where id = 1 and {column} = decode('{hash}', 'hex')"
        ))
    };
    assert_eq!(found("payment_methods", "token_hash", EMAIL), 1);
    assert_eq!(found("buyers", "email_hash", &EMAIL.to_lowercase()), 1);
    let same = "select count(*) from payment_methods m, buyers b, webhook_events e \
                where b.id = 1 and (m.token = b.email or e.payload = m.token)";
    assert_eq!(vault.count(same), 0, "each has been encrypted anew");
}

#[actix_web::test]
async fn a_value_that_no_key_decrypts_is_named_and_the_others_are_rotated() {
    let vault = Vault::fill().await;
    vault.run("update products set secret = 'dummy-no-token' where id = 7");
    let process = vault.rotate(&vault.both);
    assert_eq!(process.wait().await.unwrap(), End::Exited(65), "{:?}", process.lines());
    let lines = process.lines().join("\n");
    assert!(lines.contains("products.secret of row 7: no encryption key decrypts the value"), "{lines}");
    assert!(
        lines.contains("0 remain under old keys") && lines.contains("no key decrypts 1 values"),
        "{lines}"
    );
    assert!(!lines.contains("dummy-no-token"), "{lines}");
    assert_eq!(vault.rewritten(), PRODUCTS);

    // And with new keys alone, which is a mistake: everything is kept, and told.
    let vault = Vault::fill().await;
    let process = vault.rotate(&vault.new);
    assert_eq!(process.wait().await.unwrap(), End::Exited(65), "{:?}", process.lines());
    assert_eq!(vault.rewritten(), 0);
}

#[actix_web::test]
async fn rotation_without_a_database_ends_with_129() {
    let folder = tempfile::tempdir().unwrap();
    let table = db_server_settings(folder.path(), "none", "http://127.0.0.1:1", &Dummies::default());
    let process = server("db-server", folder.path(), &table).argument("rotate-keys").start().unwrap();
    assert_eq!(process.wait().await.unwrap(), End::Exited(129), "{:?}", process.lines());
}

#[actix_web::test]
async fn a_generated_key_needs_no_settings_and_is_fresh_and_good() {
    let generate = async |arguments: &[&str]| {
        let launch = integration_tests::process::Launch::executable("db-server").unwrap();
        let process = launch.argument("generate-key").arguments(arguments.to_vec()).start().unwrap();
        assert_eq!(process.wait().await.unwrap(), End::Exited(0), "{:?}", process.lines());
        let lines = process.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines[0].clone()
    };
    let mut keys = BTreeSet::new();
    for arguments in [&[][..], &["--kind", "encryption"], &["--kind", "lookup"], &["--kind", "pepper"]] {
        keys.insert(generate(arguments).await);
    }
    assert_eq!(keys.len(), 4);
    let keys: Vec<_> = keys.into_iter().collect();
    let over = format!(
        "[database]\nencryption_key = '{}'\nlookup_key = '{}'\n[pin]\npepper = '{}'",
        keys[0], keys[1], keys[2]
    );
    let dummies = Dummies::default();
    let table = db_server_settings("/nonexistent".as_ref(), "none", "http://127.0.0.1:1", &dummies);
    let folder = tempfile::tempdir().unwrap();
    let check =
        server("db-server", folder.path(), &merged(table, &over)).argument("check-config").start().unwrap();
    assert_eq!(check.wait().await.unwrap(), End::Exited(0), "{:?}", check.lines());
    let wrong = integration_tests::process::Launch::executable("db-server").unwrap();
    let wrong = wrong.arguments(["generate-key", "--kind", "colour"]).start().unwrap();
    assert_eq!(wrong.wait().await.unwrap(), End::Exited(64));
}
