//! Reads `[targets]`, and records everything that is wrong with it.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use chassis::{base_url::BaseUrl, settings::Section, tls};
use rustls::ClientConfig;

use super::{Target, Targets};
use crate::passthrough::{
    admission::AdmissionSettings, allow::Allow, credential::Credential, egress, header_rules::HeaderRules,
    rewrite::Rewrite,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(60);
const MAX_BODY: u64 = 64 * 1024 * 1024;
const LONGEST_NAME: usize = 64;

impl Targets {
    /// Reads the table of targets; the files that they name are opened.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        let read = |name: String| {
            if !is_name(&name) {
                section.fault(&name, "the name of a target has letters, digits, _ and -, at most 64");
            }
            read_target(name, section)
        };
        Self::new(section.children().into_iter().map(read))
    }
}

/// It stands in a path, in the log and in metrics.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(is_plain)
}

fn read_target(name: String, targets: &Section) -> Target {
    let section = &targets.section(&name);
    let url: BaseUrl = section.required("url");
    let private = section.or("private", false);
    check_url(section, "url", &url, private);
    let of_credential = section.section("credential");
    let credential = of_credential.is_present().then(|| Credential::read(&of_credential)).flatten();
    let credential = credential.unwrap_or_else(Credential::none);
    if let Some(endpoint) = credential.token_endpoint() {
        check_url(&of_credential, "token_url", endpoint, private);
    }
    let tls = read_tls(section, &url, &credential);
    Target {
        name: name.into(),
        enabled: section.or("enabled", true),
        allow: read_allow(section),
        require: section.or("require", Vec::new()),
        connect_timeout: more_than_nothing(section, "connect_timeout", CONNECT_TIMEOUT),
        idle_timeout: more_than_nothing(section, "idle_timeout", IDLE_TIMEOUT),
        timeout: more_than_nothing(section, "timeout", TIMEOUT),
        max_request_body: section.or("max_request_body", MAX_BODY),
        max_response_body: section.or("max_response_body", MAX_BODY),
        admission: AdmissionSettings::read(section),
        rewrite: read_rewrite(section),
        request_headers: HeaderRules::read(&section.section("request_headers")),
        response_headers: HeaderRules::read(&section.section("response_headers")),
        tls,
        compress: section.or("compress", false),
        private,
        websocket: section.or("websocket", false),
        url,
        credential,
    }
}

/// An address that is written out can be judged now; a name is judged whenever it is resolved.
pub(crate) fn check_url(section: &Section, key: &str, url: &BaseUrl, private: bool) {
    let host = url.host().trim_start_matches('[').trim_end_matches(']');
    let class = match host.parse::<IpAddr>() {
        Ok(address) => egress::classify(address),
        Err(_) => url.is_loopback().then_some(egress::Class::Loopback),
    };
    match class {
        Some(class) if !class.may_be_private() => {
            section.fault(key, format!("leads to {class}, where no target may be"));
        }
        Some(class) if !private => {
            section.fault(key, format!("leads to {class}; a target there needs private = true"));
        }
        None if !url.is_https() && !url.as_str().is_empty() && !private => {
            section.fault(key, "expected https: a credential in the clear is only for private = true");
        }
        _ => {}
    }
}

fn read_allow(section: &Section) -> Allow {
    let mut allow = Allow::default();
    for (index, entry) in section.or::<Vec<String>>("allow", Vec::new()).iter().enumerate() {
        if let Err(message) = allow.add(entry) {
            section.fault("allow", format!("item {index}: {message}"));
        }
    }
    allow
}

fn read_rewrite(section: &Section) -> Option<Rewrite> {
    let text: String = section.optional("rewrite")?;
    Rewrite::parse(&text).map_err(|message| section.fault("rewrite", message)).ok()
}

/// The token endpoint, where there is one, is trusted for the same reasons as the target.
fn read_tls(section: &Section, url: &BaseUrl, credential: &Credential) -> Option<Arc<ClientConfig>> {
    let ca: Option<PathBuf> = section.optional("ca");
    let token_endpoint = credential.token_endpoint();
    if !url.is_https() && !token_endpoint.is_some_and(BaseUrl::is_https) {
        if ca.is_some() {
            section.fault("ca", "is for https");
        }
        return None;
    }
    let identity = credential.client_identity();
    let key = if ca.is_some() { "ca" } else { "credential" };
    tls::client_config(ca.as_deref(), identity)
        .map(Arc::new)
        .map_err(|error| section.fault(key, error.to_string()))
        .ok()
}

pub(crate) fn more_than_nothing(section: &Section, key: &str, default: Duration) -> Duration {
    let duration = section.or(key, default);
    if duration.is_zero() {
        section.fault(key, "expected more than 0");
    }
    duration
}
