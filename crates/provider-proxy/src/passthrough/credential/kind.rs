//! The kinds of credentials: what they are called, which settings each reads, and which places are its own.

use std::sync::Arc;

use chassis::settings::Section;

use super::{
    aws_sigv4, basic, bearer, client_certificate, header, hmac_body, jwt, oauth1, oauth2, places::Places,
    query, soap_login,
};

/// The closed set of kinds.
#[derive(Clone)]
pub(super) enum Kind {
    None,
    Bearer(bearer::Bearer),
    Basic(basic::Basic),
    Header(header::Header),
    Query(query::Query),
    OAuth1(oauth1::OAuth1),
    OAuth2(Arc<oauth2::OAuth2>),
    Jwt(Arc<jwt::Jwt>),
    AwsSigV4(aws_sigv4::AwsSigV4),
    HmacBody(hmac_body::HmacBody),
    SoapLogin(soap_login::SoapLogin),
    ClientCertificate(client_certificate::ClientCertificate),
}

/// The names of all kinds, as `kind` has them.
pub const KINDS: [&str; 12] = [
    "none",
    "bearer",
    "basic",
    "header",
    "query",
    "oauth1",
    "oauth2_client_credentials",
    "jwt",
    "aws_sigv4",
    "hmac_body",
    "soap_login",
    "client_certificate",
];

impl Kind {
    pub(super) fn read(section: &Section, kind: &str) -> Option<Self> {
        Some(match kind {
            "none" => Self::None,
            "bearer" => Self::Bearer(bearer::Bearer::read(section)),
            "basic" => Self::Basic(basic::Basic::read(section)),
            "header" => Self::Header(header::Header::read(section)),
            "query" => Self::Query(query::Query::read(section)),
            "oauth1" => Self::OAuth1(oauth1::OAuth1::read(section)),
            "oauth2_client_credentials" => Self::OAuth2(Arc::new(oauth2::OAuth2::read(section))),
            "jwt" => Self::Jwt(Arc::new(jwt::Jwt::read(section)?)),
            "aws_sigv4" => Self::AwsSigV4(aws_sigv4::AwsSigV4::read(section)),
            "hmac_body" => Self::HmacBody(hmac_body::HmacBody::read(section)),
            "soap_login" => Self::SoapLogin(soap_login::SoapLogin::read(section)),
            "client_certificate" => {
                Self::ClientCertificate(client_certificate::ClientCertificate::read(section))
            }
            // `Section::required` has recorded that it is missing or no text.
            "" => return None,
            _ => {
                section.fault("kind", format!("expected one of {}", KINDS.join(", ")));
                return None;
            }
        })
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer(_) => "bearer",
            Self::Basic(_) => "basic",
            Self::Header(_) => "header",
            Self::Query(_) => "query",
            Self::OAuth1(_) => "oauth1",
            Self::OAuth2(_) => "oauth2_client_credentials",
            Self::Jwt(_) => "jwt",
            Self::AwsSigV4(_) => "aws_sigv4",
            Self::HmacBody(_) => "hmac_body",
            Self::SoapLogin(_) => "soap_login",
            Self::ClientCertificate(_) => "client_certificate",
        }
    }

    /// The places that are this credential's own.
    pub(super) fn places(&self, places: &mut Places) {
        match self {
            Self::Header(kind) => places.add_header(kind.name()),
            Self::Query(kind) => places.add_parameter(kind.name()),
            Self::Jwt(kind) => places.add_header(kind.header()),
            Self::HmacBody(kind) => kind.headers().into_iter().for_each(|name| places.add_header(name)),
            Self::None
            | Self::Bearer(_)
            | Self::Basic(_)
            | Self::OAuth1(_)
            | Self::OAuth2(_)
            | Self::AwsSigV4(_)
            | Self::SoapLogin(_)
            | Self::ClientCertificate(_) => {}
        }
    }
}
