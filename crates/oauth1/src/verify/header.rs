//! The `Authorization` header of a signed request.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::{VerifyError, parameters};
use crate::signature::Secrets;
use crate::{BaseString, SignatureMethod};

/// The longest header that is read, in bytes. A real one has about 300.
pub const MAX_HEADER_LENGTH: usize = 4096;

/// A header that is well formed; nothing in it is to be believed before [`verify`](Self::verify) has said so.
#[derive(Clone)]
pub struct AuthorizationHeader {
    /// Every parameter, decoded.
    parameters: Vec<(String, String)>,
    signature_method: SignatureMethod,
    timestamp: u64,
}

impl AuthorizationHeader {
    /// Reads the value of an `Authorization` header.
    ///
    /// A token may be there with any value, an empty one too; it is signed and otherwise ignored.
    ///
    /// # Errors
    /// When the scheme is another one, the list is malformed, a parameter is repeated or missing, the version is not
    /// 1.0, or the signature method is not one of ours.
    pub fn parse(value: &str) -> Result<Self, VerifyError> {
        if value.len() > MAX_HEADER_LENGTH {
            return Err(VerifyError::TooLong);
        }
        let (scheme, list) = value.split_once([' ', '\t']).ok_or(VerifyError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("OAuth") {
            return Err(VerifyError::Scheme);
        }
        let parameters = parameters::parse(list)?;
        for name in ["oauth_consumer_key", "oauth_nonce", "oauth_signature"] {
            required(&parameters, name)?;
        }
        if find(&parameters, "oauth_version").is_some_and(|version| version != "1.0") {
            return Err(VerifyError::Version);
        }
        let signature_method = required(&parameters, "oauth_signature_method")?;
        let signature_method = signature_method.parse().map_err(|()| VerifyError::SignatureMethod)?;
        let timestamp = parse_timestamp(required(&parameters, "oauth_timestamp")?)?;
        Ok(Self { parameters, signature_method, timestamp })
    }

    /// The key of the consumer who claims to have signed.
    #[must_use]
    pub fn consumer_key(&self) -> &str {
        self.get("oauth_consumer_key")
    }

    /// The nonce: a caller remembers it with the consumer key and the timestamp, and refuses it the second time.
    #[must_use]
    pub fn nonce(&self) -> &str {
        self.get("oauth_nonce")
    }

    /// When the request was made, in seconds since 1970, by the consumer's clock.
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// The realm, which is not signed.
    #[must_use]
    pub fn realm(&self) -> Option<&str> {
        find(&self.parameters, "realm")
    }

    /// How the request is signed.
    #[must_use]
    pub fn signature_method(&self) -> SignatureMethod {
        self.signature_method
    }

    /// Checks the signature, in a time that does not depend on where it differs.
    ///
    /// `url` is the absolute URL as the client sees it, with its query as it arrived. `form_parameters` are those of
    /// an `application/x-www-form-urlencoded` body, decoded; for any other body there are none.
    ///
    /// # Errors
    /// When the signature does not match, the secret is blank, or the URL cannot be verified.
    pub fn verify(
        &self,
        method: &str,
        url: &str,
        secret: &SecretString,
        form_parameters: &[(&str, &str)],
    ) -> Result<(), VerifyError> {
        self.verify_with(Secrets { consumer: secret, token: None }, method, url, form_parameters)
    }

    pub(crate) fn verify_with(
        &self,
        secrets: Secrets<'_>,
        method: &str,
        url: &str,
        form_parameters: &[(&str, &str)],
    ) -> Result<(), VerifyError> {
        if secrets.consumer.expose_secret().trim().is_empty() {
            return Err(VerifyError::BlankSecret);
        }
        let protocol: Vec<(&str, &str)> =
            self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let base = BaseString::new(method, url, &protocol, form_parameters)?;
        let expected = secrets.digest(self.signature_method, &base);
        let given = STANDARD.decode(self.get("oauth_signature")).map_err(|_| VerifyError::Signature)?;
        if bool::from(expected.ct_eq(&given)) { Ok(()) } else { Err(VerifyError::Signature) }
    }

    /// A parameter whose presence `parse` has checked.
    fn get(&self, name: &str) -> &str {
        find(&self.parameters, name).unwrap_or_default()
    }
}

impl fmt::Debug for AuthorizationHeader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A signature in a log could be replayed within the window.
        formatter
            .debug_struct("AuthorizationHeader")
            .field("consumer_key", &self.consumer_key())
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

fn find<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn required<'a>(parameters: &'a [(String, String)], name: &'static str) -> Result<&'a str, VerifyError> {
    find(parameters, name).filter(|value| !value.is_empty()).ok_or(VerifyError::Missing(name))
}

fn parse_timestamp(digits: &str) -> Result<u64, VerifyError> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(VerifyError::Timestamp);
    }
    digits.parse().ok().filter(|seconds| *seconds > 0).ok_or(VerifyError::Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 6] = [
        ("oauth_consumer_key", "dummy-key"),
        ("oauth_nonce", "abc"),
        ("oauth_signature", "AAAA"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "1700000000"),
        ("oauth_version", "1.0"),
    ];

    fn parse(fields: &[(&str, &str)]) -> Result<AuthorizationHeader, VerifyError> {
        let list: Vec<String> = fields.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        AuthorizationHeader::parse(&format!("OAuth {}", list.join(",")))
    }

    fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        let mut fields = COMPLETE.to_vec();
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        fields
    }

    #[test]
    fn a_complete_header_is_read() {
        let mut fields = COMPLETE.to_vec();
        fields.push(("realm", "a, b"));
        let header = parse(&fields).unwrap();
        assert_eq!(header.consumer_key(), "dummy-key");
        assert_eq!(header.nonce(), "abc");
        assert_eq!(header.timestamp(), 1_700_000_000);
        assert_eq!(header.realm(), Some("a, b"));
        assert_eq!(header.signature_method(), SignatureMethod::HmacSha1);
    }

    #[test]
    fn a_token_may_be_there_with_any_value() {
        for token in ["", "anything", "%22"] {
            assert!(parse(&with("oauth_token", token)).is_ok(), "{token}");
        }
    }

    #[test]
    fn each_required_parameter_must_be_there_and_not_empty() {
        for required in &COMPLETE[..5] {
            let mut fields = COMPLETE.to_vec();
            fields.retain(|field| field != required);
            assert_eq!(parse(&fields).unwrap_err(), VerifyError::Missing(required.0));
            let empty = with(required.0, "");
            assert_eq!(parse(&empty).unwrap_err(), VerifyError::Missing(required.0));
        }
        assert!(parse(&COMPLETE[..5]).is_ok(), "the version may be absent");
    }

    #[test]
    fn another_scheme_version_method_or_timestamp_is_refused() {
        assert_eq!(AuthorizationHeader::parse("").unwrap_err(), VerifyError::Scheme);
        assert_eq!(AuthorizationHeader::parse("OAuth").unwrap_err(), VerifyError::Scheme);
        assert_eq!(AuthorizationHeader::parse("Basic a=\"b\"").unwrap_err(), VerifyError::Scheme);
        assert_eq!(parse(&with("oauth_version", "2.0")).unwrap_err(), VerifyError::Version);
        for method in ["PLAINTEXT", "RSA-SHA1", "hmac-sha1"] {
            let fields = with("oauth_signature_method", method);
            assert_eq!(parse(&fields).unwrap_err(), VerifyError::SignatureMethod);
        }
        for timestamp in ["0", "-1", "+1", "1.5", "x", "99999999999999999999"] {
            let fields = with("oauth_timestamp", timestamp);
            assert_eq!(parse(&fields).unwrap_err(), VerifyError::Timestamp, "{timestamp}");
        }
    }

    #[test]
    fn a_longer_header_than_any_client_sends_is_not_read() {
        let value = format!("OAuth a=\"{}\"", "x".repeat(MAX_HEADER_LENGTH));
        assert_eq!(AuthorizationHeader::parse(&value).unwrap_err(), VerifyError::TooLong);
    }

    #[test]
    fn a_blank_secret_verifies_nothing() {
        let header = parse(&COMPLETE).unwrap();
        for blank in ["", "  "] {
            let verdict = header.verify("GET", "http://h/", &blank.into(), &[]);
            assert_eq!(verdict, Err(VerifyError::BlankSecret));
        }
    }

    #[test]
    fn a_headers_debug_shows_no_signature() {
        let header = parse(&with("oauth_signature", "c2VudGluZWw=")).unwrap();
        assert!(!format!("{header:?}").contains("c2VudGluZWw"));
    }
}
