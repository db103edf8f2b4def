//! `soap_login`: fills the elements `username` and `password` of a SOAP request.

mod document;

use chassis::settings::Section;
use http::{HeaderMap, header::CONTENT_TYPE};
use relay::{Outgoing, OutgoingBody};
use secrecy::{ExposeSecret, SecretString};

use super::{CredentialError, body, secret::Secret};

/// The namespaces of Bango's web services, from their WSDLs.
const BANGO: [&str; 3] = [
    "com.bango.webservices.billingconfiguration",
    "com.bango.webservices.directbilling",
    "com.bango.webservices.mozillaexporter",
];

/// SOAP 1.1, SOAP 1.2, and what lenient clients send.
const MEDIA_TYPES: [&str; 3] = ["text/xml", "application/soap+xml", "application/xml"];

/// A user and a password, and the namespaces of the elements that they go into.
#[derive(Clone)]
pub(super) struct SoapLogin {
    username: Secret,
    password: Secret,
    namespaces: Vec<String>,
}

impl SoapLogin {
    pub(super) fn read(section: &Section) -> Self {
        let namespaces = section.or("namespaces", BANGO.map(str::to_owned).to_vec());
        if namespaces.is_empty() || namespaces.iter().any(String::is_empty) {
            section.fault("namespaces", "expected the namespaces of the elements to fill");
        }
        let secret = |key: &str| {
            let secret: Secret = section.required(key);
            if secret.both().any(|text| text.expose_secret().chars().any(char::is_control)) {
                section.fault(key, "holds a control character");
            }
            secret
        };
        Self { username: secret("username"), password: secret("password"), namespaces }
    }

    /// The user is no secret: answers may name it.
    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.password.list(secrets);
    }

    pub(super) fn apply(&self, request: &mut Outgoing) -> Result<(), CredentialError> {
        body::refuse_encoded(&request.headers)?;
        refuse_other_types(&request.headers)?;
        let document = std::str::from_utf8(body::bytes(request)?)
            .map_err(|_| CredentialError::Request { reason: "its body is not UTF-8" })?;
        let gaps = document::find(document, &self.namespaces)?;
        let filled = gaps.fill(document, self.username.expose(), self.password.expose());
        request.body = OutgoingBody::Full(filled.into());
        Ok(())
    }
}

/// A target that took the body for something else than was looked at here could find other elements in it.
fn refuse_other_types(headers: &HeaderMap) -> Result<(), CredentialError> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next().and_then(|value| value.to_str().ok()), types.next())
    else {
        return Err(CredentialError::Request { reason: "it has no Content-Type, or several" });
    };
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !MEDIA_TYPES.contains(&media_type.as_str()) {
        return Err(CredentialError::Request { reason: "it is no SOAP message" });
    }
    let charsets = parts
        .filter_map(|part| part.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    for (_, charset) in charsets {
        if !document::is_utf8(charset.trim().trim_matches('"')) {
            return Err(CredentialError::Request { reason: "its charset is not UTF-8" });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
