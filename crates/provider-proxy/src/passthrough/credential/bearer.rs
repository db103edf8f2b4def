//! `bearer`: a fixed token in `Authorization` (RFC 6750, section 2.1).

use chassis::settings::Section;
use http::header::AUTHORIZATION;
use relay::Outgoing;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    CredentialError,
    secret::{Secret, sensitive, sensitive_str},
};

/// What stands before a token.
const SCHEME: &str = "Bearer ";

/// A fixed token.
#[derive(Clone)]
pub(super) struct Bearer {
    token: Secret,
    /// What the header says.
    value: SecretString,
}

impl Bearer {
    pub(super) fn read(section: &Section) -> Self {
        let token = Secret::for_header(section, "token");
        Self { value: [SCHEME, token.expose()].concat().into(), token }
    }

    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.token.list(secrets);
    }

    pub(super) fn apply(&self, request: &mut Outgoing) -> Result<(), CredentialError> {
        request.headers.insert(AUTHORIZATION, sensitive_str(self.value.expose_secret())?);
        Ok(())
    }
}

/// Sets `Authorization: Bearer TOKEN`.
pub(super) fn set(request: &mut Outgoing, token: &str) -> Result<(), CredentialError> {
    request.headers.insert(AUTHORIZATION, sensitive([SCHEME, token].concat())?);
    Ok(())
}
