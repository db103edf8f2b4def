//! `bearer`: a fixed token in `Authorization` (RFC 6750, section 2.1).

use chassis::settings::Section;
use http::header::AUTHORIZATION;
use relay::Outgoing;
use secrecy::SecretString;

use super::{
    CredentialError,
    secret::{Secret, sensitive},
};

/// A fixed token.
#[derive(Clone)]
pub(super) struct Bearer {
    token: Secret,
}

impl Bearer {
    pub(super) fn read(section: &Section) -> Self {
        Self { token: Secret::for_header(section, "token") }
    }

    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.token.list(secrets);
    }

    pub(super) fn apply(&self, request: &mut Outgoing) -> Result<(), CredentialError> {
        set(request, self.token.expose())
    }
}

/// Sets `Authorization: Bearer TOKEN`.
pub(super) fn set(request: &mut Outgoing, token: &str) -> Result<(), CredentialError> {
    request.headers.insert(AUTHORIZATION, sensitive(["Bearer ", token].concat())?);
    Ok(())
}
