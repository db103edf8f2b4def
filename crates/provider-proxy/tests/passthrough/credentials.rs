//! A target of each kind of credential, and what must not come out of it.

use std::{fs, path::PathBuf, sync::Arc};

use chassis::{
    server::TlsSettings,
    tls::{Identity, ServerTls},
};
use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;

/// A target, and the secrets of its credential.
pub(crate) struct Kept {
    /// The target's name: the kind, and something behind a hyphen where there are several of a kind.
    pub(crate) name: &'static str,
    /// The keys of the credential but for `kind`.
    keys: String,
    pub(crate) secrets: Vec<String>,
    /// One of these shows that a request has carried the credential.
    pub(crate) marks: Vec<String>,
}

impl Kept {
    pub(crate) fn kind(&self) -> &'static str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// The target's settings. A credential that is shown by TLS alone needs a target that speaks it.
    pub(crate) fn settings(&self, url: &str, tls_url: &str, authority: &Authority) -> String {
        let (name, kind, keys) = (self.name, self.kind(), &self.keys);
        let place = match kind {
            "client_certificate" => format!("url = \"{tls_url}\"\nca = {:?}", authority.path("ca.pem")),
            _ => format!("url = \"{url}\""),
        };
        let keys = keys.replace("TOKEN_ENDPOINT", url);
        let credential = format!("credential = {{ kind = '{kind}', {keys} }}");
        super::target(name, &place, &credential)
    }
}

/// The random texts of one round.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    texts: Vec<String>,
    /// Long enough for a key that signs.
    long: String,
    /// What a token endpoint gives.
    token: String,
}

impl Random {
    pub(crate) fn access_token(&self) -> &str {
        &self.token
    }
}

// Each is long and mixed enough that no log line holds it by chance.
const SECRET: &str = "[A-Za-z0-9+/=&<>\"'%\\\\._~!{}-]{14,40}[a-z][0-9]";
const LONG: &str = "[A-Za-z0-9+/=&<>\"'%\\\\._~!{}-]{30,40}[a-z][0-9]";
/// RFC 6750, 2.1.
const TOKEN: &str = "[A-Za-z0-9._~+/-]{14,40}[a-z][0-9]";

pub(crate) fn random() -> impl Strategy<Value = Random> {
    let texts = prop::collection::vec(SECRET, 10);
    (texts, LONG, TOKEN).prop_map(|(texts, long, token)| Random { texts, long, token })
}

/// One target of each kind at least.
pub(crate) fn one_of_each(
    random: Random,
    authority: &Authority,
    forms: impl Fn(&str) -> Vec<String>,
) -> Vec<Kept> {
    let Random { texts, long, token } = random;
    let toml = |text: &str| toml::Value::String(text.to_owned()).to_string();
    // A secret of which the target sees one form or another, and one with which something is made that it sees.
    let sent = |name, text: &str, keys: &str| Kept {
        name,
        keys: format!("{keys} = {}", toml(text)),
        secrets: vec![text.to_owned()],
        marks: forms(text),
    };
    let signs = |name, text: &str, keys: &str, mark: &str| Kept {
        marks: vec![mark.to_owned()],
        ..sent(name, text, keys)
    };
    let pem = |name, file: &str, keys: &str, mark: &str| {
        let text = fs::read_to_string(authority.path(file)).unwrap();
        Kept {
            name,
            keys: keys.to_owned(),
            secrets: text.lines().filter(|line| !line.starts_with("--")).map(String::from).collect(),
            marks: vec![mark.to_owned()],
        }
    };
    let oauth2 = "token_url = 'TOKEN_ENDPOINT/token', client_id = 'dummy-user', client_secret";
    let aws = "access_key_id = 'AKIDEXAMPLE', region = 'eu', service = 's', secret_access_key";
    let (key, certificate) = (authority.path("client.key"), authority.path("client.pem"));
    vec![
        Kept { name: "none", keys: String::new(), secrets: Vec::new(), marks: vec!["POST /".into()] },
        sent("bearer", &texts[0], "token"),
        sent("basic", &texts[1], "username = 'dummy-user', password"),
        sent("header", &texts[2], "name = 'x-api-key', value"),
        sent("query", &texts[3], "name = 'key', value"),
        signs("oauth1", &texts[4], "consumer_key = 'dummy-key', consumer_secret", "oauth_signature="),
        Kept {
            secrets: vec![texts[5].clone(), token.clone()],
            marks: vec![token],
            ..sent("oauth2_client_credentials", &texts[5], oauth2)
        },
        // Its endpoint answers with what it was sent, and no token: what is said of that holds no secret either.
        signs(
            "oauth2_client_credentials-refused",
            &texts[6],
            &oauth2.replace("/token", "/json"),
            "POST /json ",
        ),
        signs("jwt", &long, "key", "Bearer eyJ"),
        pem(
            "jwt-pem",
            "signing.key",
            &format!("key = {{ file = {:?} }}", authority.path("signing.key")),
            "Bearer eyJ",
        ),
        signs("aws_sigv4", &texts[7], aws, "AWS4-HMAC-SHA256"),
        signs("hmac_body", &texts[8], "header = 'x-signature', secret", "x-signature: "),
        sent("soap_login", &texts[9], "username = 'dummy-user', password"),
        pem("client_certificate", "client.key", &format!("certificate = {certificate:?}, key = {key:?}"), ""),
    ]
}

/// Whose certificates are believed, with files of keys and certificates.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let this = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(this.path("ca.pem"), issuer.pem()).unwrap();
        for (name, file) in [("127.0.0.1", "server"), ("client.test", "client"), ("signing.test", "signing")]
        {
            let key = KeyPair::generate().unwrap();
            let certificate =
                CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
            fs::write(this.path(&format!("{file}.pem")), certificate.pem()).unwrap();
            fs::write(this.path(&format!("{file}.key")), key.serialize_pem()).unwrap();
        }
        this
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The TLS of a server that talks to clients of this authority only.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let identity = Identity { certificate: self.path("server.pem"), key: self.path("server.key") };
        let settings = TlsSettings { identity, client_ca: Some(self.path("ca.pem")), crl: Vec::new() };
        Arc::new(ServerTls::open(&settings).unwrap().config().unwrap())
    }
}
