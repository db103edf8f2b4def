//! The settings that the harness and the local pair give the servers, and how others are merged over them.

mod provider_proxy;

use std::path::{Path, PathBuf};

use toml::{Table, Value};

pub use provider_proxy::{BraintreeSecrets, PaypalSecrets, ProviderProxy, ReferenceSecrets, StripeSecrets};

/// All roles of a client of db-server.
pub const ROLES: [&str; 4] = ["read", "write", "refund", "admin"];

/// The realm that provider-proxy and the sandbox agree on.
pub const REALM: &str = "solitude";

/// The id of the key that the sandbox signs its notices with.
pub const NOTICE_KEY_ID: u64 = 0;

/// The id of the local pair's webhook at PayPal.
pub const PAYPAL_WEBHOOK: &str = "WH-LOCAL";

/// The id of the local pair's merchant at Braintree.
pub const BRAINTREE_MERCHANT: &str = "localmerchant";

/// The private key of the identity that db-server signs in tests.
#[must_use]
pub fn identity_key() -> PathBuf {
    fixture("identity.pem")
}

/// The public half of it, for provider-proxy.
#[must_use]
pub fn identity_public_key() -> PathBuf {
    fixture("identity-public.pem")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/fixtures").join(name)
}

/// How a secret is named in settings: where it is kept, or what it is.
#[derive(Clone, Debug)]
pub struct Secret(Value);

impl Secret {
    /// Kept in this file.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self(Value::Table(Table::from_iter([("file".to_owned(), text(path.display()))])))
    }

    /// Written into the settings; for dummies.
    #[must_use]
    pub fn literal(secret: &str) -> Self {
        Self(text(secret))
    }
}

/// What db-server's settings are made of.
pub struct DbServer<'a> {
    /// The address to listen on.
    pub listen: String,
    /// The file that it writes its address to, when somebody waits for it.
    pub address_file: Option<&'a Path>,
    /// The folder of Postgres's socket.
    pub postgres_socket: &'a Path,
    /// The database.
    pub database: &'a str,
    /// The database's user.
    pub user: &'a str,
    /// The key that columns are encrypted with.
    pub encryption_key: Secret,
    /// The key that encrypted columns are found with.
    pub lookup_key: Secret,
    /// What is mixed into the hashes of PINs.
    pub pepper: Secret,
    /// The key of the client with all roles.
    pub client_key: &'a str,
    /// Its secret.
    pub client_secret: Secret,
    /// provider-proxy's URL.
    pub proxy_url: String,
    /// The private key that signs the identity of its requests there.
    pub identity_key: Secret,
}

impl DbServer<'_> {
    /// The settings file's content.
    #[must_use]
    pub fn table(&self) -> Table {
        table([
            ("server", server(&self.listen, self.address_file)),
            (
                "database",
                table([
                    ("encryption_key", self.encryption_key.0.clone()),
                    ("lookup_key", self.lookup_key.0.clone()),
                    ("migrate", Value::Boolean(true)),
                    (
                        "postgres",
                        table([
                            ("host", text(self.postgres_socket.display())),
                            ("database", text(self.database)),
                            ("user", text(self.user)),
                            ("sslmode", text("disable")),
                        ])
                        .into(),
                    ),
                ])
                .into(),
            ),
            ("pin", table([("pepper", self.pepper.0.clone())]).into()),
            ("auth", table([("clients", table([(self.client_key, self.client())]).into())]).into()),
            ("proxy", self.proxy()),
        ])
    }

    fn proxy(&self) -> Value {
        let identity = table([("private_key", self.identity_key.0.clone())]);
        table([("url", text(&self.proxy_url)), ("identity", identity.into())]).into()
    }

    fn client(&self) -> Value {
        let roles = ROLES.map(text).to_vec();
        table([("secret", self.client_secret.0.clone()), ("roles", Value::Array(roles))]).into()
    }
}

/// Over db-server's settings: people may log in, and the door may lead anywhere on this machine.
#[must_use]
pub fn people_and_door(login_key: Secret) -> Table {
    let login = table([("key", login_key.0)]);
    let door = table([("allowed", vec![text("loopback")].into())]);
    table([("login", login.into()), ("door", door.into())])
}

/// Merges settings over others: tables key by key, any other value replaces what was there.
pub fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) if !names_a_secret(&over) => merge(base, over),
            (_, value) => drop(base.insert(key, value)),
        }
    }
}

/// `{file = …}` and its like are one value, although TOML writes them as a table.
fn names_a_secret(table: &Table) -> bool {
    table.len() == 1 && ["file", "env", "credential"].iter().any(|source| table.contains_key(*source))
}

fn server(listen: &str, address_file: Option<&Path>) -> Value {
    let mut server = table([("listen", text(listen))]);
    if let Some(path) = address_file {
        server.insert("address_file".to_owned(), text(path.display()));
    }
    server.into()
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn tables_are_merged_and_every_other_value_replaces() {
        let mut base =
            parse("a = 1\nlist = [1, 2]\n[t]\nkept = true\nsecret = {file = \"/a\"}\n[t.deep]\nx = 1\n");
        merge(&mut base, parse("list = [3]\nnew = 0\n[t]\nsecret = \"literal\"\n[t.deep]\nx = 2\ny = 3\n"));
        let wanted =
            "a = 1\nlist = [3]\nnew = 0\n[t]\nkept = true\nsecret = \"literal\"\n[t.deep]\nx = 2\ny = 3\n";
        assert_eq!(base, parse(wanted));
    }

    #[test]
    fn a_secrets_place_is_replaced_as_one_value() {
        let mut base = parse("key = {file = \"/a\"}");
        merge(&mut base, parse("key = {credential = \"a\"}"));
        assert_eq!(base, parse("key = {credential = \"a\"}"));
    }

    #[test]
    fn a_table_replaces_what_was_no_table() {
        let mut base = parse("key = \"one\"");
        merge(&mut base, parse("key = {file = \"/a\"}"));
        assert_eq!(base, parse("key = {file = \"/a\"}"));
    }
}
