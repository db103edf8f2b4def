//! `[providers.reference]`.

use std::time::Duration;

use chassis::{
    base_url::BaseUrl,
    client::ClientSettings,
    settings::{SecretString, Section},
};

use crate::{
    credentials::{NoticeKeys, OAuthConsumer},
    providers::settings::read_client,
};

/// How the reference provider is reached, and the credentials that it knows us by.
#[derive(Clone, Debug)]
pub struct ReferenceSettings {
    /// Where it is; the only place that its requests are ever sent to.
    pub url: BaseUrl,
    /// Signs the requests.
    pub consumer: OAuthConsumer,
    /// Limits, and whom to trust.
    pub client: ClientSettings,
    /// Verify its notices.
    pub notice_keys: NoticeKeys,
    /// What it asks for with every checkout; without it none is started.
    pub checkout: Option<CheckoutSettings>,
}

/// What the provider asks for with every checkout, and no caller chooses.
#[derive(Clone, Debug)]
pub struct CheckoutSettings {
    /// Where it posts its notices: `/webhooks/reference/` of db-server, as the provider reaches it.
    pub callback_url: BaseUrl,
    /// The page that the payer is sent to, without the transaction's token.
    pub page_url: BaseUrl,
    /// The payer's region, in the provider's words.
    pub region: String,
    /// The payer's mobile carrier, in the provider's words.
    pub carrier: String,
    /// How the payer pays, in the provider's words.
    pub pay_method: String,
}

impl CheckoutSettings {
    /// Reads `callback_url`, `page_url` (default the provider's own URL), `region`, `carrier` and `pay_method`.
    fn read(section: &Section, url: &BaseUrl) -> Self {
        Self {
            callback_url: section.required("callback_url"),
            page_url: section.or("page_url", url.clone()),
            region: section.or("region", "123".to_owned()),
            carrier: section.or("carrier", "USA_TMOBILE".to_owned()),
            pay_method: section.or("pay_method", "OPERATOR".to_owned()),
        }
    }
}

impl ReferenceSettings {
    /// Reads `url`, `realm`, `consumer_key`, `consumer_secret`, `connect_timeout` (default 5 s), `timeout` (default
    /// 10 s), `max_response_body` (bytes, default 1 MiB), `ca` (PEM file; default the system's authorities) and the
    /// table `notice_keys` of ids and secrets, and the table `checkout`.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        let url = section.required("url");
        let checkout = section.section("checkout");
        Self {
            checkout: checkout.is_present().then(|| CheckoutSettings::read(&checkout, &url)),
            url,
            consumer: OAuthConsumer {
                realm: read_realm(section),
                key: section.required("consumer_key"),
                secret: section.required("consumer_secret"),
            },
            client: read_client(section, Duration::from_secs(10)),
            notice_keys: read_notice_keys(section),
        }
    }

    /// The consumer secret and the notice keys; the consumer key is no secret by the protocol.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        self.notice_keys.iter().cloned().chain([self.consumer.secret.clone()])
    }
}

/// The realm stands in a header.
fn read_realm(section: &Section) -> String {
    let realm: String = section.required("realm");
    if !realm.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        section.fault("realm", "expected printable ASCII");
    }
    realm
}

fn read_notice_keys(section: &Section) -> NoticeKeys {
    let table = section.section("notice_keys");
    let mut keys = NoticeKeys::default();
    for name in table.children() {
        let key = table.required(&name);
        match name.parse::<u32>() {
            // An id has one way of being written, so that no two entries can mean the same one.
            Ok(id) if id.to_string() == name => keys.insert(id, key),
            _ => table.fault(&name, "expected a whole number as the key's id"),
        }
    }
    let is_no_table = section.has("notice_keys") && !table.is_present();
    if table.children().is_empty() && !is_no_table {
        section.fault("notice_keys", "expected at least one key, or no notice can be verified");
    }
    keys
}
