//! Whoever comes to the door: nobody has to say who they are, but who does, must prove it.

use actix_web::{HttpRequest, http::header::AUTHORIZATION};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use wire::identity::{ANONYMOUS, ROLE_ANONYMOUS};

use super::{
    Authenticator, Identity,
    authenticator::{authorization, bearer_key},
    rejection::Refusal,
    token,
};
use crate::{domain::api_client, error::ApiError, password::Password};

/// Somebody at the door.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Visitor {
    /// The key of a client, the name of a user, or that of nobody.
    pub name: String,
    /// The roles as tokens name them.
    pub authorities: Vec<String>,
    /// `http` or `https`, as the caller has seen it.
    pub scheme: &'static str,
    /// Host and port, as the caller has named them.
    pub host: String,
}

/// What an `Authorization` header is, as far as can be told without checking it.
#[derive(Debug)]
enum Proof {
    /// OAuth 1.0a.
    Signature,
    /// `KEY.SECRET`.
    BearerKey(String),
    /// One of our tokens.
    Token(String),
    /// A name and a password, of one of our users or of somebody else's.
    Password(String, Password),
    /// Something that is for another service.
    Foreign,
}

impl Authenticator {
    /// Who has come to the door, and by which way.
    ///
    /// # Errors
    /// 401 when the header has the form of one of ours and proves nothing; what stands in the way of an answer.
    pub async fn at_door(&self, request: &HttpRequest) -> Result<Visitor, ApiError> {
        let identity = self.visitor(request).await.map_err(Refusal::into_error)?;
        let url = self.url(request);
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", &url));
        let scheme = if scheme == "https" { "https" } else { "http" };
        let host = rest.split('/').next().unwrap_or_default().to_owned();
        let (name, authorities) = match &identity {
            Some(identity) => (self.subject(identity).to_owned(), identity.authorities()),
            None => (ANONYMOUS.to_owned(), vec![ROLE_ANONYMOUS.to_owned()]),
        };
        let key = identity.as_ref().and_then(|identity| identity.key.as_ref());
        if let (Some(key), Some(context)) = (key, chassis::logging::context()) {
            context.set_client(&**key);
        }
        Ok(Visitor { name, authorities, scheme, host })
    }

    async fn visitor(&self, request: &HttpRequest) -> Result<Option<Identity>, Refusal> {
        if !request.headers().contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        // Two of them prove nothing, whatever they are.
        let authorization = authorization(request)?;
        let identity = match Proof::of(authorization) {
            Proof::Signature => Some(self.signed_request(request, authorization).await?),
            Proof::BearerKey(key) => Some(self.bearer(&key).await?),
            Proof::Token(token) => Some(self.token(&token).await?),
            Proof::Password(name, password) => self.basic(&name, password).await?,
            Proof::Foreign => None,
        };
        match identity {
            Some(identity) => Ok(Some(self.limited(identity).await?)),
            None => Ok(None),
        }
    }
}

impl Proof {
    fn of(authorization: &str) -> Self {
        if let Some(bearer) = bearer_key(authorization) {
            let ours = bearer.rsplit_once('.').is_some_and(|(key, _)| api_client::is_ours(key));
            return match bearer {
                bearer if ours => Self::BearerKey(bearer.to_owned()),
                bearer if token::has_form(bearer) && token::claims_to_be_ours(bearer) => {
                    Self::Token(bearer.to_owned())
                }
                _ => Self::Foreign,
            };
        }
        let Some((scheme, rest)) = authorization.split_once(' ') else { return Self::Foreign };
        if scheme.eq_ignore_ascii_case("OAuth") {
            return Self::Signature;
        }
        if scheme.eq_ignore_ascii_case("Basic") {
            return basic(rest.trim())
                .map_or(Self::Foreign, |(name, password)| Self::Password(name, password));
        }
        Self::Foreign
    }
}

/// RFC 7617, in UTF-8.
fn basic(text: &str) -> Option<(String, Password)> {
    let decoded = String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    // An empty password is nobody's.
    Some((name.to_owned(), Password::parse(password.to_owned())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_another_service_is_told_from_what_is_ours() {
        for foreign in [
            "",
            "Bearer",
            "Bearer sk_test_x",
            "Bearer a.b",
            "Bearer eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJvdGhlciJ9.c2ln",
            "Basic !!!",
            "Basic bm8tY29sb24=",
            "AWS4-HMAC-SHA256 Credential=x",
            "Digest username=x",
        ] {
            assert!(matches!(Proof::of(foreign), Proof::Foreign), "{foreign}");
        }
        assert!(matches!(Proof::of("Bearer batch-0123456789ab.kD3"), Proof::BearerKey(_)));
        assert!(matches!(Proof::of("OAuth oauth_consumer_key=\"x\""), Proof::Signature));
        let Proof::Password(name, _) = Proof::of("basic QWxpY2U6YTpi") else { panic!("it is a password") };
        assert_eq!(name, "Alice");
    }
}
