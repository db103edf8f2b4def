//! What a sandbox is started with.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};

/// Everything that a sandbox is told.
#[derive(Clone, Debug)]
pub struct SandboxSettings {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The one account at the reference provider.
    pub reference: ReferenceAccount,
    /// The keys that sign the reference provider's notices, by their numeric id; the highest id signs.
    pub notice_keys: BTreeMap<u64, SecretString>,
}

/// The credentials of one consumer of the reference provider.
#[derive(Clone)]
pub struct ReferenceAccount {
    /// The OAuth consumer key.
    pub consumer_key: String,
    /// The OAuth consumer secret.
    pub consumer_secret: SecretString,
    /// The realm that each request must name.
    pub realm: String,
}

impl fmt::Debug for ReferenceAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReferenceAccount").field("realm", &self.realm).finish_non_exhaustive()
    }
}

impl SandboxSettings {
    /// The first setting that is blank, by name: with a blank secret anyone could sign.
    pub(crate) fn blank(&self) -> Option<&'static str> {
        let blank = |text: &str| text.trim().is_empty();
        let account = &self.reference;
        if blank(&account.consumer_key) {
            Some("the reference consumer key")
        } else if blank(account.consumer_secret.expose_secret()) {
            Some("the reference consumer secret")
        } else if blank(&account.realm) {
            Some("the reference realm")
        } else if self.notice_keys.is_empty()
            || self.notice_keys.values().any(|key| blank(key.expose_secret()))
        {
            Some("a notice key")
        } else {
            None
        }
    }
}
