//! `[providers.braintree]`.

use std::{collections::BTreeMap, time::Duration};

use chassis::{
    base_url::BaseUrl,
    client::ClientSettings,
    settings::{SecretString, Section},
};
use wire::Currency;

use crate::providers::settings::{read_client, read_header_text, read_url};

const URL: &str = "https://api.braintreegateway.com";
const API_VERSION: &str = "6";
/// Its own libraries wait for 60 s; the proxy's callers do not.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How Braintree is reached, and the credentials that it knows us by.
#[derive(Clone, Debug)]
pub struct BraintreeSettings {
    /// Where it is; the only place that its requests are ever sent to.
    pub url: BaseUrl,
    /// Part of every path.
    pub merchant_id: String,
    /// Names us.
    pub public_key: SecretString,
    /// Authorizes the requests, and verifies webhooks.
    pub private_key: SecretString,
    /// Verify webhooks as well: private keys by their public ones, during a rotation.
    pub webhook_keys: Vec<(String, SecretString)>,
    /// The merchant account of each currency: Braintree has no other way to say which currency an amount is in, so
    /// nothing is charged in a currency that is not listed.
    pub merchant_accounts: BTreeMap<Currency, String>,
    /// Whether a sale from a nonce is refused unless the payer went through 3-D Secure.
    pub require_three_d_secure: bool,
    /// Whether the account has at-most-once processing (`api_request_key`).
    pub api_request_keys: bool,
    /// The version of its API that this connector was made for (`X-ApiVersion`).
    pub api_version: String,
    /// Limits, and whom to trust.
    pub client: ClientSettings,
}

impl BraintreeSettings {
    /// Reads `url`, `merchant_id`, `public_key`, `private_key`, the table `webhook_keys` of public and private keys, the
    /// table `merchant_accounts` of currencies and merchant accounts, `require_three_d_secure` and `api_request_keys`
    /// (both default to false), `api_version`, and the limits and `ca` that all providers have.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        Self {
            url: read_url(section, URL),
            merchant_id: read_merchant(section),
            public_key: section.required("public_key"),
            private_key: section.required("private_key"),
            webhook_keys: read_webhook_keys(section),
            merchant_accounts: read_merchant_accounts(section),
            require_three_d_secure: section.or("require_three_d_secure", false),
            api_request_keys: section.or("api_request_keys", false),
            api_version: read_header_text(section, "api_version", API_VERSION),
            client: read_client(section, TIMEOUT),
        }
    }

    /// What no answer may hold.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        let webhooks = self.webhook_keys.iter().map(|(_, key)| key.clone());
        webhooks.chain([self.private_key.clone()])
    }
}

fn read_merchant(section: &Section) -> String {
    let id: String = section.required("merchant_id");
    if section.has("merchant_id") && !is_name(&id) {
        section.fault("merchant_id", "expected letters, digits, - and _");
    }
    id
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn read_webhook_keys(section: &Section) -> Vec<(String, SecretString)> {
    let table = section.section("webhook_keys");
    table.children().into_iter().map(|name| (name.clone(), table.required(&name))).collect()
}

fn read_merchant_accounts(section: &Section) -> BTreeMap<Currency, String> {
    let table = section.section("merchant_accounts");
    let mut accounts = BTreeMap::new();
    for name in table.children() {
        let account: String = table.required(&name);
        match Currency::parse(&name) {
            Ok(currency) if is_name(&account) => {
                accounts.insert(currency, account);
            }
            Ok(_) => table.fault(&name, "expected the id of a merchant account"),
            Err(_) => table.fault(&name, "expected a currency of ISO 4217 as the key"),
        }
    }
    if table.children().is_empty() && (table.is_present() || !section.has("merchant_accounts")) {
        section.fault("merchant_accounts", "expected at least one currency, or nothing can be charged");
    }
    accounts
}
