//! The two halves as on two hosts: real processes, mutual TLS, signed identities, a revocation list.

use std::{fs, path::Path};

use integration_tests::{
    certificates,
    client::Client,
    in_process::{Dummies, db_server_settings, provider_proxy_settings, start_sandbox},
    postgres::PrivatePostgres,
    process::Process,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::executables::{DATABASE, Running, merged, running, server};

/// Both halves with the files of `./dev certs`.
struct Hosts {
    db_server: Running,
    provider_proxy: Running,
    certs: TempDir,
    _sandbox: integration_tests::in_process::Server,
    _postgres: PrivatePostgres,
    _folder: TempDir,
}

/// What `./dev certs` says in provider-proxy's settings, with an entry of `[callers]`.
fn proxy_tls(certs: &Path, caller: &str) -> String {
    let path = |name: &str| certs.join(name).display().to_string();
    format!(
        "[server.tls]\ncertificate = '{}'\nkey = '{}'\nclient_ca = '{}'\ncrl = ['{}']\n\
         [identity]\npublic_keys = ['{}']\n[callers.db-server]\n{caller}\n",
        path("provider-proxy.pem"),
        path("provider-proxy.key"),
        path("ca.pem"),
        path("crl.pem"),
        path("identity-public.pem"),
    )
}

fn db_tls(certs: &Path) -> String {
    let path = |name: &str| certs.join(name).display().to_string();
    format!(
        "[proxy]\nca = '{}'\ncertificate = '{}'\nkey = '{}'\n[proxy.identity]\nprivate_key = {{ file = '{}' }}\n",
        path("ca.pem"),
        path("db-server.pem"),
        path("db-server.key"),
        path("identity-private.pem"),
    )
}

impl Hosts {
    async fn start(caller: &str) -> Self {
        let (folder, certs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        certificates::make(certs.path()).unwrap();
        let (dummies, postgres) = (Dummies::default(), PrivatePostgres::temporary().unwrap());
        postgres.create_database(DATABASE, None).unwrap();
        let sandbox = start_sandbox(&dummies);
        let table =
            merged(provider_proxy_settings(sandbox.url(), &dummies), &proxy_tls(certs.path(), caller));
        let provider_proxy = running(server("provider-proxy", folder.path(), &table)).await;
        let port = provider_proxy.url.rsplit(':').next().unwrap();
        let url = format!("https://localhost:{port}");
        let table = db_server_settings(postgres.socket_folder(), DATABASE, &url, &dummies);
        let table = merged(table, &db_tls(certs.path()));
        let db_server = running(server("db-server", folder.path(), &table)).await;
        Self { db_server, provider_proxy, certs, _sandbox: sandbox, _postgres: postgres, _folder: folder }
    }

    /// Sets up a seller at the provider; that takes a call from db-server to provider-proxy.
    async fn set_up_seller(&self, uuid: &str) -> (u16, Value) {
        let dummies = Dummies::default();
        let client = Client::signed(&self.db_server.url, &dummies.client_key, &dummies.client_secret);
        let made = client.post("/generic/seller/", &json!({ "uuid": uuid })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let seller = made.json()["resource_uri"].clone();
        let body = json!({
            "seller": seller, "uuid": uuid, "status": "ACTIVE", "name": "Shop", "email": "shop@example.test",
        });
        let answer = client.post("/provider/reference/sellers/", &body).await;
        (answer.status, answer.json().clone())
    }

    async fn proxies(&self) -> Value {
        Client::unsigned(&self.db_server.url).get("/services/status/").await.json()["proxies"].clone()
    }

    async fn revoke(&self, names: &[&str]) {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        certificates::revoke(self.certs.path(), &names).unwrap();
    }
}

const READ_AGAIN: &str = "certificates and revocation lists have been read again";

/// Waits until provider-proxy has read its files once more than before.
async fn read_again(process: &Process, before: usize) {
    let read = || process.lines().iter().filter(|line| line.contains(READ_AGAIN)).count();
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while read() <= before {
        assert!(std::time::Instant::now() < limit, "not read again: {:?}", process.lines());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn a_certificate_that_is_revoked_is_refused_from_the_next_request_on() {
    let hosts = Hosts::start("san = 'db-server'\noperations = ['reference/*']").await;
    let (status, body) = hosts.set_up_seller("seller-1").await;
    assert_eq!(status, 201, "{body}");
    // The file alone; nobody tells the server.
    hosts.revoke(&["db-server"]).await;
    read_again(&hosts.provider_proxy.process, 0).await;
    let (status, body) = hosts.set_up_seller("seller-2").await;
    assert_eq!((status, &body["proxy_error"]["outcome"]), (502, &json!("not_sent")), "{body}");
    assert_eq!(body["proxy_error"]["kind"], "identity", "{body}");
    assert_eq!(hosts.proxies().await, false);
    hosts.revoke(&[]).await;
    hosts.provider_proxy.process.signal(Signal::HUP);
    read_again(&hosts.provider_proxy.process, 1).await;
    let (status, body) = hosts.set_up_seller("seller-3").await;
    assert_eq!(status, 201, "{body}");
    hosts.provider_proxy.process.signal(Signal::TERM);
    assert!(!hosts.provider_proxy.process.lines().concat().contains("panicked"));
}

#[actix_web::test]
async fn a_bad_file_and_sighup_leave_the_pair_at_work() {
    let hosts = Hosts::start("san = 'db-server'\noperations = ['*']").await;
    let certificate = hosts.certs.path().join("provider-proxy.pem");
    fs::write(&certificate, "no certificate").unwrap();
    hosts.provider_proxy.process.signal(Signal::HUP);
    hosts.provider_proxy.process.wait_for_line("what was read before stays in use").await.unwrap();
    let (status, body) = hosts.set_up_seller("seller-1").await;
    assert_eq!(status, 201, "{body}");
}

#[actix_web::test]
async fn a_certificate_that_is_not_listed_may_do_nothing_and_a_listed_one_what_its_entry_says() {
    for (caller, message) in [
        ("san = 'other'\noperations = ['*']", "made out to none of [callers]"),
        (
            "san = 'db-server'\noperations = ['webhooks/reference', 'reference/get_seller']",
            "may not ask for reference/create_seller",
        ),
    ] {
        let hosts = Hosts::start(caller).await;
        let (status, body) = hosts.set_up_seller("seller-1").await;
        assert_eq!((status, &body["proxy_error"]["kind"]), (502, &json!("caller")), "{body}");
        assert_eq!(
            (&body["proxy_error"]["outcome"], &body["proxy_error"]["status"]),
            (&json!("not_sent"), &json!(403))
        );
        hosts.provider_proxy.process.wait_for_line(message).await.unwrap();
        // The status stays open to whoever has a certificate.
        assert_eq!(hosts.proxies().await, true);
    }
}
