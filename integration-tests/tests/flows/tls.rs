//! TLS between the halves, and from db-server to its database.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use integration_tests::{
    database::TestDatabase,
    in_process::{
        Dummies, Server, db_server_settings, provider_proxy_settings, start_db_server, start_provider_proxy,
    },
    postgres::{Account, Durability, PostgresOptions, PrivatePostgres, ROLE, Tcp},
    process::End,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

use super::executables::{DATABASE, merged, server};

/// A certificate authority of one test, in a folder that Postgres's user can reach.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Else it has the same name as what it signs, which OpenSSL takes for signed by itself.
        parameters.distinguished_name.push(DnType::CommonName, "test authority");
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let permissions = fs::Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().permissions(permissions).tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for this name and its key.
    fn identity(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let path = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        fs::write(path("pem"), certificate.pem()).unwrap();
        fs::write(path("key"), key.serialize_pem()).unwrap();
        (path("pem"), path("key"))
    }
}

fn identity_settings((certificate, key): &(PathBuf, PathBuf)) -> String {
    format!("certificate = {certificate:?}\nkey = {key:?}\n")
}

/// A provider-proxy that serves only whom the authority vouches for.
fn guarded_proxy(authority: &Authority) -> Server {
    let identity = identity_settings(&authority.identity("localhost"));
    let over = format!(
        "[server.tls]\n{identity}client_ca = {:?}\n[callers.db-server]\nsan = 'db-server'",
        authority.ca()
    );
    start_provider_proxy(merged(provider_proxy_settings("http://127.0.0.1:1", &Dummies::default()), &over))
}

/// What db-server's status page says of a proxy, reached with these settings.
async fn proxies(database: &TestDatabase, proxy: &Server, over: &str) -> Value {
    let port = proxy.url().rsplit(':').next().unwrap();
    let url = format!("https://localhost:{port}");
    let table = db_server_settings(&database.socket_folder(), database.name(), &url, &Dummies::default());
    let db_server = start_db_server(merged(table, over));
    let status = integration_tests::client::Client::unsigned(db_server.url()).get("/services/status/").await;
    status.json()["proxies"].clone()
}

#[actix_web::test]
async fn the_halves_know_each_other_by_their_certificates_and_nobody_else() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (database, proxy) = (TestDatabase::new(), guarded_proxy(&authority));
    let ours = identity_settings(&authority.identity("db-server"));
    let theirs = identity_settings(&stranger.identity("db-server"));
    for (over, reached) in [
        (format!("[proxy]\nca = {:?}\n{ours}", authority.ca()), true),
        (format!("[proxy]\nca = {:?}", authority.ca()), false),
        (format!("[proxy]\nca = {:?}\n{theirs}", authority.ca()), false),
        (format!("[proxy]\nca = {:?}\n{ours}", stranger.ca()), false),
    ] {
        assert_eq!(proxies(&database, &proxy, &over).await, reached, "{over}");
    }
}

/// A Postgres that speaks TLS on TCP with the authority's certificate for `localhost`.
fn postgres_with_tls(authority: &Authority) -> (PrivatePostgres, TempDir, u16) {
    let folder = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o711)).tempdir().unwrap();
    let data = folder.path().join("data");
    // Postgres cannot be told to take a free port, so one is found for it.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let options = PostgresOptions {
        durability: Durability::None,
        tcp: Some(Tcp { port, password: "dummy-superuser-password".into() }),
        ..PostgresOptions::new(data.clone())
    };
    let mut postgres = PrivatePostgres::open(options).unwrap();
    let (certificate, key) = authority.identity("localhost");
    for path in [&certificate, &key] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some(account) = Account::to_drop_to() {
            account.give(path).unwrap();
        }
    }
    let more = format!(
        "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
        certificate.display(),
        key.display()
    );
    append(&data.join("postgresql.conf"), &more);
    postgres.start().unwrap();
    postgres.create_database(DATABASE, None).unwrap();
    postgres.execute(&format!("ALTER ROLE {ROLE} PASSWORD 'dummy-database-password'")).unwrap();
    (postgres, folder, port)
}

fn append(path: &Path, more: &str) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text + more).unwrap();
}

#[actix_web::test]
async fn the_database_is_believed_over_tls_only_from_the_authority_that_is_named() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (_postgres, _folder, port) = postgres_with_tls(&authority);
    let scratch = tempfile::tempdir().unwrap();
    for (mode, ca, host, exit) in [
        ("require", None, "localhost", 0),
        ("verify-full", Some(authority.ca()), "localhost", 0),
        ("verify-ca", Some(authority.ca()), "127.0.0.1", 0),
        ("verify-full", Some(authority.ca()), "127.0.0.1", 129),
        ("verify-full", Some(stranger.ca()), "localhost", 129),
    ] {
        let root = ca.map(|path| format!("sslrootcert = {path:?}\n")).unwrap_or_default();
        let over = format!(
            "[database.postgres]\nhost = '{host}'\nport = {port}\nsslmode = '{mode}'\n{root}\
             password = 'dummy-database-password'"
        );
        let table =
            db_server_settings("/unused".as_ref(), DATABASE, "http://127.0.0.1:1", &Dummies::default());
        let migrate = server("db-server", scratch.path(), &merged(table, &over)).argument("migrate");
        let process = migrate.start().unwrap();
        assert_eq!(process.wait().await.unwrap(), End::Exited(exit), "{mode} {host}: {:?}", process.lines());
        assert!(!process.lines().concat().contains("dummy-database-password"));
    }
}
