//! The certificates that PayPal signs its webhooks with: fetched from one host only, and kept.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use actix_web::http::Method;
use bytes::Bytes;
use chassis::{base_url::BaseUrl, client::Outgoing};
use x509_parser::{pem::parse_x509_pem, time::ASN1Time};

use super::client::Client;
use crate::{
    error::ProxyError,
    providers::{
        exchange::{Received, Unintelligible},
        posted::WebhookError,
    },
};

/// The folder in which PayPal publishes them.
const FOLDER: &str = "/v1/notifications/certs/";

/// The most that are kept: PayPal has one or two at a time.
const MOST: usize = 8;

/// The longest name of one.
const LONGEST_NAME: usize = 128;

/// The keys of certificates that were fetched, by URL.
#[derive(Default)]
pub(super) struct Certificates(Mutex<HashMap<String, Key>>);

/// A public key, and when it may be used.
#[derive(Clone)]
pub(super) struct Key {
    /// PKCS #1, RSAPublicKey (RFC 8017, A.1.1).
    pub(super) public: Vec<u8>,
    /// Seconds since the epoch, both inclusive.
    valid: (i64, i64),
}

impl Key {
    /// Whether the certificate is valid at a time in seconds since the epoch.
    pub(super) const fn is_valid_at(&self, seconds: i64) -> bool {
        self.valid.0 <= seconds && seconds <= self.valid.1
    }
}

impl Certificates {
    fn get(&self, url: &str) -> Option<Key> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned()
    }

    fn keep(&self, url: &str, key: &Key) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(url.to_owned(), key.clone());
    }
}

/// Checks that a URL is one of PayPal's certificates: on the host of the settings, by TLS if PayPal itself is.
///
/// # Errors
/// [`WebhookError::Malformed`].
pub(super) fn check_url<'url>(url: &'url str, host: &str, https: bool) -> Result<&'url str, WebhookError> {
    let is_name = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(fits)
    };
    let parsed = BaseUrl::parse(url).ok().filter(|parsed| {
        let name = parsed.path().rsplit_once(FOLDER).map(|(_, name)| name);
        parsed.authority() == host && parsed.is_https() == https && name.is_some_and(is_name)
    });
    // Written otherwise it would be another key of the cache.
    match parsed {
        Some(parsed) if parsed.as_str() == url => Ok(url),
        _ => Err(WebhookError::Malformed("paypal-cert-url")),
    }
}

/// The key of a certificate whose URL was checked.
///
/// # Errors
/// [`ProxyError`] when it cannot be fetched or read.
pub(super) async fn key(client: &Client, url: &str) -> Result<Key, ProxyError> {
    let kept = &client.shared().certificates;
    if let Some(key) = kept.get(url) {
        return Ok(key);
    }
    let outgoing =
        Outgoing { method: Method::GET, url: url.to_owned(), headers: Vec::new(), body: Bytes::new() };
    let key = client.exchange().read(outgoing, read).await?;
    kept.keep(url, &key);
    Ok(key)
}

fn read(received: &Received) -> Result<Key, Unintelligible> {
    if !received.status.is_success() {
        return Err(Unintelligible::field(".", "there is no such certificate"));
    }
    parse(&received.body).ok_or_else(|| Unintelligible::field(".", "not a certificate (RFC 7468)"))
}

/// The first certificate is the one that signs; what follows is its chain.
fn parse(text: &[u8]) -> Option<Key> {
    let (_, pem) = parse_x509_pem(text).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let seconds = |time: ASN1Time| time.timestamp();
    let validity = certificate.validity();
    Some(Key {
        public: certificate.public_key().subject_public_key.data.to_vec(),
        valid: (seconds(validity.not_before), seconds(validity.not_after)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "api.paypal.com";

    #[test]
    fn a_certificate_comes_from_the_host_of_the_settings_alone() {
        let good = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594";
        assert_eq!(check_url(good, HOST, true), Ok(good));
        for bad in [
            "http://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com.example/v1/notifications/certs/CERT-1",
            "https://evil.example/v1/notifications/certs/CERT-1",
            "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
            "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
            "https://API.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
            "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
            "https://api.paypal.com/v1/notifications/certs/../../x",
            "https://api.paypal.com/v1/notifications/certs/",
            "https://api.paypal.com/other/CERT-1",
            "file:///v1/notifications/certs/CERT-1",
            "",
        ] {
            assert_eq!(check_url(bad, HOST, true), Err(WebhookError::Malformed("paypal-cert-url")), "{bad}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_not_read() {
        for text in ["", "<html>", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
