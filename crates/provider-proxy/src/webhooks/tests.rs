//! What the operator is told about wrong settings of endpoints, and what may not come out of them.

use std::{net::SocketAddr, rc::Rc};

use chassis::{environment::Environment, settings::SettingsError};
use data_encoding::BASE64;
use futures_util::future::LocalBoxFuture;
use relay::{RelayError, Resolve, ResolveError};
use secrecy::ExposeSecret;
use wire::{ErrorKind, delivery::DeliverWebhook};

use super::{Deliverer, DeliveryError};
use crate::{caller::Caller, config::Settings, services::Services};

fn read(text: &str) -> Result<Settings, SettingsError> {
    Settings::read(text.parse().unwrap(), Environment::from_pairs([("SHOP_SECRET", secret(3))]))
}

fn secret(byte: u8) -> String {
    format!("whsec_{}", BASE64.encode(&[byte; 24]))
}

/// The keys at fault and the whole report.
fn faults(text: &str) -> (Vec<String>, String) {
    let error = read(text).unwrap_err();
    let SettingsError::Faults(faults) = &error else { panic!("{error}") };
    (faults.iter().map(|fault| fault.key.clone()).collect(), error.to_string())
}

#[test]
fn both_secrets_of_a_rotation_sign_and_are_withheld() {
    let settings = read(&format!(
        "[webhooks.shop]\nurl = \"https://shop.test/hook\"\n\
         secret = {{ current = {:?}, previous = {{ env = \"SHOP_SECRET\" }} }}\n",
        secret(1)
    ))
    .unwrap();
    let endpoint = settings.webhooks.iter().next().unwrap();
    assert_eq!((&*endpoint.name, endpoint.keys.len(), endpoint.private), ("shop", 2, false));
    assert!(endpoint.tls.is_some());
    let withheld: Vec<_> = settings.secrets().map(|secret| secret.expose_secret().to_owned()).collect();
    for secret in [secret(1), secret(3)] {
        assert!(withheld.iter().any(|text| secret.contains(text.as_str())), "{withheld:?}");
    }
    let shown = format!("{settings:?}");
    assert!(!withheld.iter().any(|text| shown.contains(text.as_str())), "{shown}");
}

#[test]
fn an_endpoint_is_where_targets_may_be() {
    for (url, faulty) in [
        ("https://shop.test/hook", false),
        ("http://shop.test/hook", true),
        ("https://127.0.0.1/hook", true),
        ("https://10.0.0.1/", true),
        ("http://169.254.169.254/", true),
    ] {
        let text = format!("[webhooks.shop]\nurl = {url:?}\nsecret = {:?}\n", secret(1));
        assert_eq!(read(&text).is_err(), faulty, "{url}");
        let private = format!("{text}private = true\n");
        assert_eq!(read(&private).is_err(), url.contains("169.254"), "{url}");
    }
}

#[test]
fn every_fault_of_an_endpoint_is_told_and_no_secret() {
    let short = format!("whsec_{}", BASE64.encode(&[1; 8]));
    let (keys, report) = faults(&format!(
        r#"
        [webhooks."a b"]
        url = "https://shop.test/"
        secret = {:?}
        [webhooks.long]
        url = "https://shop.test/"
        secret = {:?}
        timeout = "61s"
        connect_timeout = "0s"
        [webhooks.missing]
        [webhooks.short]
        url = "http://127.0.0.1/"
        private = true
        ca = "/nonexistent"
        secret = {{ current = {:?}, previous = {short:?} }}
        secrets = []
        "#,
        secret(1),
        secret(1),
        secret(1),
    ));
    for key in [
        "webhooks.\"a b\"",
        "webhooks.long.timeout",
        "webhooks.long.connect_timeout",
        "webhooks.missing.url",
        "webhooks.missing.secret",
        "webhooks.short.ca",
        "webhooks.short.secret",
        "webhooks.short.secrets",
    ] {
        assert_eq!(keys.iter().filter(|known| *known == key).count(), 1, "{key} in {keys:?}");
    }
    assert_eq!(keys.len(), 8, "{report}");
    assert!(!report.contains(&BASE64.encode(&[1; 8])) && !report.contains(&secret(1)), "{report}");
}

/// Says that every name is here.
struct Here;

impl Resolve for Here {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
        port: u16,
    ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
        Box::pin(async move { Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]) })
    }
}

#[actix_web::test]
async fn a_name_that_leads_into_our_own_network_is_not_dialled() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!("[webhooks.shop]\nurl = \"https://shop.test:{port}/\"\nsecret = {:?}\n", secret(1));
    let deliverer = Deliverer::with_resolver(Services::start(read(&text).unwrap()).unwrap(), Rc::new(Here));
    let message =
        DeliverWebhook { endpoint: "shop".into(), id: "msg_1".into(), timestamp: 1, body: "{}".into() };
    let error = deliverer.deliver(&Caller::anonymous(), message).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Relay(RelayError::Egress { .. })), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Policy, "it is our side that does not go there");
    assert!(listener.accept().is_err(), "nobody has connected");
}
