//! Signing a request: the whole `Authorization` header's value.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::signature::Secrets;
use crate::{BaseString, SignatureMethod, UrlError, percent_encode};

/// Who signs.
#[derive(Clone)]
pub struct Credentials {
    /// The key that names the consumer to the server.
    pub consumer_key: String,
    /// The secret that the consumer shares with the server.
    pub consumer_secret: SecretString,
    /// The realm to name in the header; it is not signed.
    pub realm: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is not secret by the protocol, but operators keep it beside the secret.
        formatter.debug_struct("Credentials").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// For whom the consumer signs (RFC 5849, section 2): the other half of the credentials where there is a resource owner.
#[derive(Clone)]
pub struct Token {
    /// The value of `oauth_token`.
    pub token: String,
    /// The secret that belongs to it.
    pub secret: SecretString,
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Token").finish_non_exhaustive()
    }
}

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The absolute URL with its query exactly as it will be sent.
    pub url: &'a str,
    /// The parameters of an `application/x-www-form-urlencoded` body, decoded; none for any other body.
    pub form_parameters: &'a [(&'a str, &'a str)],
}

/// Why a request was not signed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SignError {
    /// The URL or the parameters cannot be signed.
    #[error("the request cannot be signed")]
    Url(#[from] UrlError),
    /// Anyone could make this signature.
    #[error("the consumer key or the consumer secret is empty")]
    EmptyCredentials,
    /// The realm holds a character that no header can hold.
    #[error("the realm holds a character that is not printable ASCII")]
    Realm,
    /// The nonce is empty.
    #[error("the nonce is empty")]
    EmptyNonce,
}

/// Signs a request and gives the value of its `Authorization` header.
///
/// `url` is the absolute URL with its query exactly as it will be sent; `timestamp` is in seconds since 1970; `nonce`
/// must not be used twice with the same timestamp. `form_parameters` are those of an
/// `application/x-www-form-urlencoded` body, decoded; for any other body give none.
///
/// # Errors
/// When the credentials or the nonce are empty, the realm does not fit a header, or the URL cannot be signed.
pub fn sign(
    credentials: &Credentials,
    method: &str,
    url: &str,
    nonce: &str,
    timestamp: u64,
    signature_method: SignatureMethod,
    form_parameters: &[(&str, &str)],
) -> Result<String, SignError> {
    let request = Request { method, url, form_parameters };
    sign_with_token(credentials, None, request, nonce, timestamp, signature_method)
}

/// Signs a request as [`sign`] does, for a resource owner where there is a token.
///
/// # Errors
/// Those of [`sign`].
pub fn sign_with_token(
    credentials: &Credentials,
    token: Option<&Token>,
    request: Request<'_>,
    nonce: &str,
    timestamp: u64,
    signature_method: SignatureMethod,
) -> Result<String, SignError> {
    if credentials.consumer_key.is_empty() || credentials.consumer_secret.expose_secret().is_empty() {
        return Err(SignError::EmptyCredentials);
    }
    if nonce.is_empty() {
        return Err(SignError::EmptyNonce);
    }
    let timestamp = timestamp.to_string();
    let mut parameters = vec![
        ("oauth_consumer_key", credentials.consumer_key.as_str()),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", signature_method.as_str()),
        ("oauth_timestamp", timestamp.as_str()),
        ("oauth_version", "1.0"),
    ];
    parameters.extend(token.map(|token| ("oauth_token", token.token.as_str())));
    let base = BaseString::new(request.method, request.url, &parameters, request.form_parameters)?;
    let secrets = Secrets { consumer: &credentials.consumer_secret, token: token.map(|token| &token.secret) };
    let signature = encode_signature(secrets, signature_method, &base);
    let mut fields = match &credentials.realm {
        Some(realm) => vec![format!("realm=\"{}\"", quote(realm)?)],
        None => Vec::new(),
    };
    let signature = ("oauth_signature", signature.as_str());
    for (name, value) in parameters.into_iter().chain([signature]) {
        fields.push(format!("{name}=\"{}\"", percent_encode(value)));
    }
    Ok(format!("OAuth {}", fields.join(", ")))
}

/// The signature as `oauth_signature` carries it.
pub(crate) fn encode_signature(secrets: Secrets<'_>, method: SignatureMethod, base: &BaseString) -> String {
    STANDARD.encode(secrets.digest(method, base))
}

/// A realm is a quoted string of HTTP (RFC 5849, 3.5.1), so it is escaped and not percent-encoded.
fn quote(realm: &str) -> Result<String, SignError> {
    if !realm.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(SignError::Realm);
    }
    Ok(realm.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials {
            consumer_key: "dummy-key".into(),
            consumer_secret: "dummy-secret".into(),
            realm: Some("solitude".into()),
        }
    }

    fn sign_with(credentials: &Credentials, nonce: &str) -> Result<String, SignError> {
        sign(credentials, "GET", "http://localhost/", nonce, 1, SignatureMethod::HmacSha1, &[])
    }

    #[test]
    fn credentials_show_neither_key_nor_secret() {
        let shown = format!("{:?}", credentials());
        assert!(shown.contains("solitude"), "{shown}");
        assert!(!shown.contains("dummy"), "{shown}");
    }

    #[test]
    fn empty_credentials_and_nonces_sign_nothing() {
        let keyless = Credentials { consumer_key: String::new(), ..credentials() };
        assert_eq!(sign_with(&keyless, "n"), Err(SignError::EmptyCredentials));
        let blank = Credentials { consumer_secret: "".into(), ..credentials() };
        assert_eq!(sign_with(&blank, "n"), Err(SignError::EmptyCredentials));
        assert_eq!(sign_with(&credentials(), ""), Err(SignError::EmptyNonce));
    }

    #[test]
    fn a_realm_cannot_break_out_of_its_quotes() {
        let quoted = Credentials { realm: Some("a\"b\\c".into()), ..credentials() };
        assert!(
            sign_with(&quoted, "n").unwrap().starts_with("OAuth realm=\"a\\\"b\\\\c\", oauth_consumer_key=")
        );
        let newline = Credentials { realm: Some("a\r\nX-Header: 1".into()), ..credentials() };
        assert_eq!(sign_with(&newline, "n"), Err(SignError::Realm));
    }

    #[test]
    fn a_url_that_cannot_be_signed_is_an_error_with_its_cause() {
        let error = sign(&credentials(), "GET", "/x", "n", 1, SignatureMethod::HmacSha1, &[]).unwrap_err();
        assert_eq!(error, SignError::Url(UrlError::NotHttp));
    }
}
