//! `basic`: a user and a password in `Authorization` (RFC 7617).

use chassis::settings::Section;
use data_encoding::BASE64;
use http::header::AUTHORIZATION;
use relay::Outgoing;
use secrecy::{ExposeSecret, SecretString};

use super::{
    CredentialError,
    secret::{Secret, sensitive},
};

/// A user and a password.
#[derive(Clone)]
pub(super) struct Basic {
    /// Some providers take their key as the user, without a password.
    username: Secret,
    password: Option<Secret>,
}

impl Basic {
    pub(super) fn read(section: &Section) -> Self {
        let (username, password) =
            (section.required::<Secret>("username"), section.optional::<Secret>("password"));
        // RFC 7617, section 2.
        if username.both().any(|name| name.expose_secret().contains(':')) {
            section.fault("username", "holds a colon, which would end it");
        }
        for (key, secret) in [("username", Some(&username)), ("password", password.as_ref())] {
            let mut texts = secret.into_iter().flat_map(Secret::both);
            if texts.any(|text| text.expose_secret().chars().any(char::is_control)) {
                section.fault(key, "holds a control character");
            }
        }
        Self { username, password }
    }

    /// With a password the user is no secret: answers name it.
    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        let Some(password) = &self.password else {
            return self.username.list(secrets);
        };
        password.list(secrets);
        for name in self.username.both() {
            let join =
                |word: &SecretString| format!("{}:{}", name.expose_secret(), word.expose_secret()).into();
            secrets.extend(password.both().map(join));
        }
    }

    pub(super) fn apply(&self, request: &mut Outgoing) -> Result<(), CredentialError> {
        request.headers.insert(
            AUTHORIZATION,
            value(self.username.expose(), self.password.as_ref().map_or("", Secret::expose))?,
        );
        Ok(())
    }
}

/// The value of `Authorization` for a user and a password.
pub(super) fn value(username: &str, password: &str) -> Result<http::HeaderValue, CredentialError> {
    sensitive(["Basic ", &BASE64.encode([username, ":", password].concat().as_bytes())].concat())
}
