//! `[door]`: where `/proxy/` leads.

use std::{path::PathBuf, time::Duration};

use chassis::{
    base_url::BaseUrl,
    client::Identity,
    environment::Environment,
    settings::{Section, Value},
};

use super::positive;

/// The word on the list that stands for every URL of this machine.
const LOOPBACK: &str = "loopback";

/// Where the door leads, and how.
#[derive(Clone, Debug)]
pub struct DoorSettings {
    /// Where it leads until somebody switches it.
    pub url: Option<BaseUrl>,
    /// Where it may be switched to, besides.
    pub allowed: Vec<Allowed>,
    /// How long connecting may take, TLS included.
    pub connect_timeout: Duration,
    /// How long no byte may move.
    pub idle_timeout: Duration,
    /// How long an exchange may take in all.
    pub timeout: Duration,
    /// The largest request body, in bytes.
    pub max_request_body: u64,
    /// The authorities for the target's certificate; the system's when absent.
    pub ca: Option<PathBuf>,
    /// What is presented to a target that asks.
    pub identity: Option<Identity>,
}

/// Leads nowhere.
impl Default for DoorSettings {
    fn default() -> Self {
        Self {
            url: None,
            allowed: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30),
            timeout: Duration::from_secs(60),
            max_request_body: 100 * 1024 * 1024,
            ca: None,
            identity: None,
        }
    }
}

impl DoorSettings {
    /// Whether the door may lead there.
    #[must_use]
    pub fn allows(&self, url: &BaseUrl) -> bool {
        self.url.as_ref() == Some(url) || self.allowed.iter().any(|allowed| allowed.covers(url))
    }

    /// Whether it can ever be open.
    #[must_use]
    pub const fn can_open(&self) -> bool {
        self.url.is_some() || !self.allowed.is_empty()
    }
}

/// One entry of the list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Allowed {
    /// Every URL of this machine.
    Loopback,
    /// This one.
    Url(BaseUrl),
}

impl Allowed {
    fn covers(&self, url: &BaseUrl) -> bool {
        match self {
            Self::Loopback => url.is_loopback(),
            Self::Url(allowed) => allowed == url,
        }
    }
}

impl Value for Allowed {
    fn read(value: &toml::Value, environment: &Environment) -> Result<Self, String> {
        if value.as_str() == Some(LOOPBACK) {
            return Ok(Self::Loopback);
        }
        let url = BaseUrl::read(value, environment)?;
        if is_safe(&url) { Ok(Self::Url(url)) } else { Err(UNSAFE.to_owned()) }
    }

    fn placeholder() -> Self {
        Self::Loopback
    }

    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        Some(|allowed| match allowed {
            Self::Loopback => LOOPBACK.into(),
            Self::Url(url) => url.as_str().into(),
        })
    }
}

const UNSAFE: &str = "expected https: the token of the caller must not be read on the way to another machine";

fn is_safe(url: &BaseUrl) -> bool {
    url.is_https() || url.is_loopback()
}

/// `signs`: whether there is a key for the tokens that go with what is forwarded.
pub(super) fn read(section: &Section, signs: bool) -> DoorSettings {
    let url: Option<BaseUrl> = section.optional("url");
    if url.as_ref().is_some_and(|url| !is_safe(url)) {
        section.fault("url", UNSAFE);
    }
    let allowed: Vec<Allowed> = section.or("allowed", Vec::new());
    if !signs {
        for key in ["url", "allowed"].into_iter().filter(|key| section.has(key)) {
            section.fault(key, "needs proxy.identity.private_key: what is forwarded carries a token");
        }
    }
    let default = DoorSettings::default();
    DoorSettings {
        url,
        allowed,
        connect_timeout: positive(section, "connect_timeout", default.connect_timeout),
        idle_timeout: positive(section, "idle_timeout", default.idle_timeout),
        timeout: positive(section, "timeout", default.timeout),
        max_request_body: section.or("max_request_body", default.max_request_body),
        ca: section.optional("ca"),
        identity: super::proxy::client_identity(section),
    }
}
