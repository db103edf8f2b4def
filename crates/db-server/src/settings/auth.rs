//! `[auth]`: whom the server serves.

use std::collections::BTreeMap;

use chassis::{
    base_url::BaseUrl,
    server::ServerSettings,
    settings::{ExposeSecret, SecretString, Section},
};

use super::{MIN_SECRET, secret};

/// Whom the server serves.
#[derive(Debug)]
pub struct AuthSettings {
    /// Whether requests must be signed; false for development on one machine.
    pub require_oauth: bool,
    /// The URL that clients sign, when TLS ends before this server; else the request's own.
    pub public_url: Option<BaseUrl>,
    /// Whether nobody else can read what clients send: TLS ends here or before this server, or they are on this
    /// machine.
    pub private: bool,
    /// The clients by their keys.
    pub clients: BTreeMap<String, Client>,
}

/// A client that signs its requests.
#[derive(Debug)]
pub struct Client {
    /// The secret that it signs with.
    pub secret: SecretString,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// What a client may do. None implies another.
#[derive(Clone, Copy, Debug, serde::Deserialize, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read resources.
    Read,
    /// Create and change resources, and start payments.
    Write,
    /// Give money back.
    Refund,
    /// Look after the server.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Refund, Self::Admin];

    /// Its name in the settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Refund => "refund",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

pub(super) fn read(section: &Section, server: &ServerSettings) -> AuthSettings {
    let require_oauth = section.or("require_oauth", true);
    if !require_oauth && !server.listen.ip().is_loopback() {
        section.fault("require_oauth", "false is only for a server that listens on a loopback address");
    }
    let named = section.section("clients");
    let clients = named.children().into_iter().map(|name| {
        let client = client(&named, &name);
        (name, client)
    });
    let clients = clients.collect();
    let public_url: Option<BaseUrl> = section.optional("public_url");
    let private = server.tls.is_some()
        || server.listen.ip().is_loopback()
        || public_url.as_ref().is_some_and(BaseUrl::is_https);
    AuthSettings { require_oauth, public_url, private, clients }
}

fn client(clients: &Section, name: &str) -> Client {
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        clients.fault(name, "a client's key is 1 to 255 characters, none of them a control character");
    }
    let section = clients.section(name);
    let given: SecretString = section.required("secret");
    if section.has("secret") && given.expose_secret().chars().count() < MIN_SECRET {
        section.fault("secret", format!("a client's secret has at least {MIN_SECRET} characters"));
    }
    let default = || vec![Role::Read.name().to_owned(), Role::Write.name().to_owned()];
    let names: Vec<String> = section.or("roles", default());
    let roles = names.iter().filter_map(|name| {
        let role = Role::parse(name);
        if role.is_none() {
            section.fault("roles", "expected a list of read, write, refund and admin");
        }
        role
    });
    Client { roles: roles.collect(), secret: secret(&section, "secret", Some(given)).unwrap_or_default() }
}
