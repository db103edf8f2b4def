//! `header`: a secret in a header of its own.

use chassis::settings::Section;
use http::HeaderName;
use relay::Outgoing;
use secrecy::SecretString;

use super::{
    CredentialError,
    secret::{Secret, header_name, sensitive},
};

/// A secret in a header.
#[derive(Clone)]
pub(super) struct Header {
    name: HeaderName,
    value: Secret,
}

impl Header {
    pub(super) fn read(section: &Section) -> Self {
        Self { name: header_name(section, "name", None), value: Secret::for_header(section, "value") }
    }

    pub(super) const fn name(&self) -> &HeaderName {
        &self.name
    }

    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.value.list(secrets);
    }

    pub(super) fn apply(&self, request: &mut Outgoing) -> Result<(), CredentialError> {
        request.headers.insert(self.name.clone(), sensitive(self.value.expose())?);
        Ok(())
    }
}
