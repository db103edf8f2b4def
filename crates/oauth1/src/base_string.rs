//! The signature base string of RFC 5849, section 3.4.1.

use crate::base_uri::{SignedUrl, UrlError};
use crate::encoding::{encode_bytes, percent_encode};

/// The text over which a signature is made: method, base URI and all parameters in one normal form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaseString(String);

impl BaseString {
    /// Builds the base string of a request.
    ///
    /// `url` is the absolute URL with its query as it is sent. `protocol_parameters` are the decoded parameters of
    /// the `Authorization` header; `realm` and `oauth_signature` among them are left out, as the RFC says.
    /// `form_parameters` are those of an `application/x-www-form-urlencoded` body, decoded; for any other body
    /// there are none.
    ///
    /// # Errors
    /// When the URL is not an absolute http(s) URL, or when a query or form parameter is named `oauth_…`.
    pub fn new(
        method: &str,
        url: &str,
        protocol_parameters: &[(&str, &str)],
        form_parameters: &[(&str, &str)],
    ) -> Result<Self, UrlError> {
        let url = SignedUrl::parse(url)?;
        let query_is_reserved = url.query.iter().any(|(name, _)| name.starts_with(b"oauth_"));
        if query_is_reserved || form_parameters.iter().any(|(name, _)| name.starts_with("oauth_")) {
            return Err(UrlError::Reserved);
        }
        let protocol = protocol_parameters
            .iter()
            .filter(|(name, _)| *name != "realm" && *name != "oauth_signature")
            .chain(form_parameters)
            .map(|(name, value)| (percent_encode(name), percent_encode(value)));
        let query = url.query.iter().map(|(name, value)| (encode_bytes(name), encode_bytes(value)));
        let parameters = normalise(protocol.chain(query).collect());
        let method = percent_encode(&method.to_ascii_uppercase());
        Ok(Self(format!("{method}&{}&{}", percent_encode(&url.base), percent_encode(&parameters))))
    }

    /// The base string itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Section 3.4.1.3.2: sorted by encoded name, then by encoded value, in byte order.
fn normalise(mut encoded: Vec<(String, String)>) -> String {
    encoded.sort_unstable();
    let pairs: Vec<String> = encoded.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5849, section 3.4.1.1, the request and its base string as they are published.
    #[test]
    fn the_rfcs_base_string_comes_out() {
        let protocol = [
            ("realm", "Example"),
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("oauth_signature", "bYT5CMsGcbgUdFHObYMEfcx6bsw="),
        ];
        let url = "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b";
        let form = [("c2", ""), ("a3", "2 q")];
        let base = BaseString::new("POST", url, &protocol, &form).unwrap();
        let published = concat!(
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q",
            "%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_",
            "key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_m",
            "ethod%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk",
            "9d7dh3k39sjv7",
        );
        assert_eq!(base.as_str(), published);
    }

    #[test]
    fn parameters_are_sorted_after_they_are_encoded() {
        // Unencoded, "é" sorts behind "z"; encoded it begins with "%", which sorts in front of every letter.
        let base = BaseString::new("get", "http://h/?z=1&%C3%A9=2&a=2&a=10&a=%2B", &[], &[]).unwrap();
        assert_eq!(
            base.as_str(),
            "GET&http%3A%2F%2Fh%2F&%25C3%25A9%3D2%26a%3D%252B%26a%3D10%26a%3D2%26z%3D1"
        );
    }

    #[test]
    fn a_protocol_parameter_outside_the_header_is_refused() {
        let query = BaseString::new("GET", "http://h/?oauth_signature=x", &[], &[]);
        assert_eq!(query, Err(UrlError::Reserved));
        let encoded = BaseString::new("GET", "http://h/?%6fauth_nonce=x", &[], &[]);
        assert_eq!(encoded, Err(UrlError::Reserved));
        let form = BaseString::new("POST", "http://h/", &[], &[("oauth_token", "x")]);
        assert_eq!(form, Err(UrlError::Reserved));
    }
}
