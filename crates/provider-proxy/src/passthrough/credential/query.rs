//! `query`: a secret as a parameter of the query.

use chassis::settings::Section;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use relay::Outgoing;
use secrecy::SecretString;

use super::secret::Secret;

/// RFC 3986 unreserved characters stay.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A secret in the query.
#[derive(Clone)]
pub(super) struct Query {
    name: String,
    value: Secret,
}

impl Query {
    pub(super) fn read(section: &Section) -> Self {
        let name: String = section.required("name");
        if name.trim().is_empty() && section.has("name") {
            section.fault("name", "expected a parameter's name");
        }
        Self { name, value: section.required("value") }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.value.list(secrets);
    }

    /// Appends the parameter; the caller's own stay as they are.
    pub(super) fn apply(&self, request: &mut Outgoing) {
        let query = match request.path_and_query.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        request.path_and_query.push_str(query);
        request.path_and_query.extend(utf8_percent_encode(&self.name, ENCODED));
        request.path_and_query.push('=');
        request.path_and_query.extend(utf8_percent_encode(self.value.expose(), ENCODED));
    }
}
