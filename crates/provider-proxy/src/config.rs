//! The settings file of provider-proxy, checked as a whole before anything is bound.

mod identity;
mod origin;

use std::{collections::BTreeSet, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use chassis::{
    environment::Environment,
    logging::LogSettings,
    server::ServerSettings,
    settings::{Reader, SecretString, Section, SettingsError, find_file},
};

pub use self::{
    identity::{CallerEntry, CallerSettings, IdentitySettings},
    origin::Origin,
};
use crate::{
    admin::AdminSettings,
    audit::AuditSettings,
    passthrough::{credential, target::Targets},
    policy::{Limits, PolicySettings},
    providers::ProviderSettings,
    webhooks::WebhookSettings,
};

/// The variable that names the settings file when `--config` does not.
pub const VARIABLE: &str = "PROVIDER_PROXY_SETTINGS";

/// Everything that provider-proxy is told by its operator. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[server]`.
    pub server: ServerSettings,
    /// `[log]`.
    pub log: LogSettings,
    /// `[identity]`: whose tokens are believed; without it, on a loopback address, requests need none.
    pub identity: Option<IdentitySettings>,
    /// `[callers.NAME]`: who may call by its client certificate; without TLS, on a loopback address, anyone may.
    pub callers: Option<CallerSettings>,
    /// `[providers.NAME]`.
    pub providers: ProviderSettings,
    /// `[policy]`.
    pub policy: PolicySettings,
    /// Whether the pass-through is open: `enabled` of `[passthrough]`.
    pub passthrough: bool,
    /// `[targets.NAME]`.
    pub targets: Arc<Targets>,
    /// `[webhooks.NAME]`: where messages of db-server's may be posted to.
    pub webhooks: WebhookSettings,
    /// What `[passthrough]` says of the audit log.
    pub audit: AuditSettings,
    /// `[admin]`.
    pub admin: AdminSettings,
    /// How often the files are looked at for changes; never when absent.
    pub watch: Option<Duration>,
    /// Where all of it came from.
    pub origin: Origin,
}

impl Settings {
    /// Reads the file that `--config` or [`VARIABLE`] names.
    ///
    /// # Errors
    /// [`SettingsError`] with every fault at once; it shows no value.
    pub fn load(config: Option<&Path>, environment: Environment) -> Result<Self, SettingsError> {
        Origin::file(find_file(config, VARIABLE, &environment)?, environment).read().1
    }

    /// Checks settings that have been parsed.
    ///
    /// # Errors
    /// [`SettingsError::Faults`] with every fault at once, a database or cache in settings or environment among them.
    pub fn read(table: toml::Table, environment: Environment) -> Result<Self, SettingsError> {
        Origin::no_file(environment).read_table(table).1
    }

    /// The secrets that no answer of a target may hold.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        self.targets.secrets().chain(self.providers.secrets()).chain(self.webhooks.secrets())
    }

    fn read_sections(root: &Section, origin: Origin) -> Self {
        let server = read_server(&root.section("server"));
        let identity = identity::read(&root.section("identity"), &server);
        let callers = identity::read_callers(&root.section("callers"), &server);
        let policy = read_policy(&root.section("policy"), callers.as_ref());
        Self {
            identity,
            callers,
            server,
            log: LogSettings::read(&root.section("log")),
            providers: ProviderSettings::read(&root.section("providers")),
            policy,
            audit: AuditSettings::read(&root.section("passthrough")),
            passthrough: root.section("passthrough").or("enabled", false),
            targets: Arc::new(Targets::read(&root.section("targets"))),
            webhooks: WebhookSettings::read(&root.section("webhooks")),
            admin: AdminSettings::read(&root.section("admin")),
            watch: read_watch(&root.section("reload")),
            origin,
        }
    }
}

/// The full names of all keys; `ID` stands for the id of a notice key, `NAME` for a caller's, a target's or that of an
/// endpoint of webhooks, `CLAIM` for
/// a claim's,
/// `CURRENCY` for that of an amount, `PUBLIC_KEY` for a key that signs webhooks.
#[must_use]
pub fn known_keys() -> BTreeSet<String> {
    credential::KINDS.into_iter().flat_map(known_keys_with_credential).collect()
}

/// The keys when targets have one kind of credential.
fn known_keys_with_credential(kind: &str) -> BTreeSet<String> {
    let table = |entries: &[(&str, toml::Value)]| {
        let owned = entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        toml::Value::Table(owned.collect())
    };
    let empty = || toml::Value::Table(toml::Table::new());
    let reference = table(&[("notice_keys", table(&[("ID", empty())])), ("checkout", empty())]);
    let amounts = || table(&[("CURRENCY", "0".into())]);
    let limits = || {
        let names = ["largest_payment", "largest_refund", "refunded_per_day"];
        table(&names.map(|name| (name, amounts())))
    };
    let braintree = table(&[
        ("webhook_keys", table(&[("PUBLIC_KEY", empty())])),
        ("merchant_accounts", table(&[("CURRENCY", empty())])),
    ]);
    let rules = || table(&[("set", table(&[("HEADER", "".into())]))]);
    let mut target = vec![("request_headers", rules()), ("response_headers", rules())];
    let mut credential = vec![("kind", kind.into())];
    if kind == "jwt" {
        credential.push(("claims", table(&[("CLAIM", "".into())])));
    }
    target.push(("credential", table(&credential)));
    let sample = [
        ("server".to_owned(), table(&[("tls", empty())])),
        ("identity".to_owned(), empty()),
        ("callers".to_owned(), table(&[("NAME", table(&[("policy", limits())]))])),
        ("policy".to_owned(), limits()),
        ("targets".to_owned(), table(&[("NAME", table(&target))])),
        ("webhooks".to_owned(), table(&[("NAME", empty())])),
        (
            "providers".to_owned(),
            table(&[
                ("reference", reference),
                ("stripe", empty()),
                ("paypal", empty()),
                ("braintree", braintree),
            ]),
        ),
    ];
    let reader = Reader::new(toml::Table::from_iter(sample), Environment::default());
    drop(Settings::read_sections(&reader.root(), Origin::no_file(Environment::default())));
    reader.known_keys()
}

const DEFAULT_LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 2603);

fn read_server(section: &Section) -> ServerSettings {
    let settings = ServerSettings::read(section, SocketAddr::from(DEFAULT_LISTEN));
    let demands_certificates = settings.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    if !settings.listen.ip().is_loopback() && !demands_certificates {
        // Whoever reaches this port spends the providers' credentials.
        section.section("tls").fault(
            "client_ca",
            "missing: an address that other machines reach must demand client certificates",
        );
    }
    settings
}

fn read_policy(section: &Section, callers: Option<&CallerSettings>) -> PolicySettings {
    let policy = PolicySettings::read(section, identity::is_operation);
    let mut limits = callers.iter().flat_map(|callers| &callers.entries).map(|entry| &entry.limits);
    let counts = policy.limits.have_windows() || limits.any(Limits::have_windows);
    if counts && !section.has("state_file") {
        section.fault("state_file", "missing: limits on refunds in an hour or a day must outlast a restart");
    }
    policy
}

/// How often the files are looked at unless told otherwise.
const DEFAULT_WATCH: Duration = Duration::from_secs(1);

fn read_watch(section: &Section) -> Option<Duration> {
    Some(section.or("interval", DEFAULT_WATCH)).filter(|interval| !interval.is_zero())
}

#[cfg(test)]
mod tests;
