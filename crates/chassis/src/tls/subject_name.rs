//! The name or address that a certificate is made out to.

use std::fmt;

use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
};

use crate::{environment::Environment, settings::Value};

/// A DNS name or an IP address, as a certificate's subject alternative name has it.
#[derive(Clone, Eq, PartialEq)]
pub struct SubjectName(ServerName<'static>);

impl SubjectName {
    /// Reads a DNS name or an IP address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ServerName::try_from(text).ok().map(|name| Self(name.to_owned()))
    }

    /// Whether the certificate is made out to it (RFC 6125; the subject's common name does not count).
    pub(crate) fn is_in(&self, certificate: &CertificateDer<'_>) -> bool {
        ParsedCertificate::try_from(certificate)
            .is_ok_and(|certificate| verify_server_name(&certificate, &self.0).is_ok())
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.to_str())
    }
}

impl fmt::Debug for SubjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Value for SubjectName {
    fn read(value: &toml::Value, _: &Environment) -> Result<Self, String> {
        value.as_str().and_then(Self::parse).ok_or_else(|| "expected a DNS name or an IP address".into())
    }

    fn placeholder() -> Self {
        Self(ServerName::IpAddress(std::net::IpAddr::from([0, 0, 0, 0]).into()))
    }

    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        Some(|name| name.to_string().into())
    }
}
