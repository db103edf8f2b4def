//! What holds for every request: a signature verifies, no change to what it covers does, and no header panics.

#![expect(clippy::unwrap_used, reason = "what a test cannot make is a failed test")]

use oauth1::{
    AuthorizationHeader, Credentials, MAX_HEADER_LENGTH, SignatureMethod, VerifyError, percent_encode, sign,
};
use proptest::prelude::*;
use secrecy::SecretString;

const HOST: &str = "http://provider.example:2604";

#[derive(Clone, Debug)]
struct Request {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    secret: String,
    nonce: String,
    timestamp: u64,
    signature_method: SignatureMethod,
}

impl Request {
    fn url(&self) -> String {
        let pairs: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
            .collect();
        format!("{HOST}/{}?{}", percent_encode(&self.path), pairs.join("&"))
    }

    fn header(&self) -> AuthorizationHeader {
        let credentials = Credentials {
            consumer_key: "dummy-key".into(),
            consumer_secret: self.secret.clone().into(),
            realm: None,
        };
        let value = sign(
            &credentials,
            &self.method,
            &self.url(),
            &self.nonce,
            self.timestamp,
            self.signature_method,
            &borrowed(&self.form),
        );
        AuthorizationHeader::parse(&value.unwrap()).unwrap()
    }

    /// What the server says of `header` on this request.
    fn verify(&self, header: &AuthorizationHeader) -> Result<(), VerifyError> {
        let secret = SecretString::from(self.secret.as_str());
        header.verify(&self.method, &self.url(), &secret, &borrowed(&self.form))
    }
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn parameters() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = ".{1,8}".prop_filter("reserved for the header", |name| !name.starts_with("oauth_"));
    prop::collection::vec((name, ".{0,8}"), 0..6)
}

prop_compose! {
    fn requests()(
        method in "[A-Z]{3,7}",
        path in ".{0,12}",
        query in parameters(),
        form in parameters(),
        secret in "[!-~é€]{1,24}",
        nonce in ".{1,16}",
        timestamp in 1u64..,
        sha256 in any::<bool>(),
    ) -> Request {
        let signature_method =
            if sha256 { SignatureMethod::HmacSha256 } else { SignatureMethod::HmacSha1 };
        Request { method, path, query, form, secret, nonce, timestamp, signature_method }
    }
}

/// Replaces the character at `position` (modulo the length) by another one; empty text grows by one.
fn change(text: &str, position: usize, replacement: char) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    if characters.is_empty() {
        return replacement.to_string();
    }
    let position = position % characters.len();
    let other = if characters[position] == replacement { 'Q' } else { replacement };
    characters[position] = if characters[position] == other { 'R' } else { other };
    characters.into_iter().collect()
}

proptest! {
    #[test]
    fn what_was_signed_verifies(request in requests()) {
        let header = request.header();
        prop_assert_eq!(header.nonce(), &request.nonce);
        prop_assert_eq!(header.timestamp(), request.timestamp);
        prop_assert_eq!(request.verify(&header), Ok(()));
    }

    #[test]
    fn a_change_to_method_path_parameter_or_secret_is_refused(
        request in requests(),
        position in any::<usize>(),
        replacement in prop::char::range('A', 'Z'),
    ) {
        let header = request.header();
        let mut changed = vec![
            Request { method: change(&request.method, position, replacement), ..request.clone() },
            Request { path: change(&request.path, position, replacement), ..request.clone() },
            Request { secret: change(&request.secret, position, replacement), ..request.clone() },
        ];
        for index in 0..request.query.len() {
            let mut other = request.clone();
            other.query[index].0 = change(&other.query[index].0, position, replacement);
            changed.push(other);
            let mut other = request.clone();
            other.query[index].1 = change(&other.query[index].1, position, replacement);
            changed.push(other);
            let mut other = request.clone();
            other.query.remove(index);
            changed.push(other);
        }
        for index in 0..request.form.len() {
            let mut other = request.clone();
            other.form[index].1 = change(&other.form[index].1, position, replacement);
            changed.push(other);
        }
        let mut added = request.clone();
        added.query.push(("added".into(), String::new()));
        changed.push(added);
        for other in changed {
            prop_assert_eq!(other.verify(&header), Err(VerifyError::Signature), "{:?}", other);
        }
    }

    #[test]
    fn a_changed_signature_is_refused(request in requests(), position in any::<usize>(), bit in 0u32..6) {
        let request = Request { nonce: "n".into(), ..request };
        let credentials = Credentials {
            consumer_key: "dummy-key".into(),
            consumer_secret: request.secret.clone().into(),
            realm: None,
        };
        let form = borrowed(&request.form);
        let (method, url) = (&request.method, request.url());
        let value = sign(&credentials, method, &url, "n", request.timestamp, request.signature_method, &form);
        let value = value.unwrap();
        let (before, signature) = value.split_once("oauth_signature=\"").unwrap();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let letters: Vec<usize> = (0..signature.len())
            .filter(|at| signature.as_bytes()[*at].is_ascii_lowercase())
            .collect();
        prop_assume!(!letters.is_empty());
        let at = letters[position % letters.len()];
        let mut changed = signature.as_bytes().to_vec();
        let index = alphabet.iter().position(|letter| *letter == changed[at]).unwrap();
        changed[at] = alphabet[index ^ (1 << bit)];
        let changed = String::from_utf8(changed).unwrap();
        let header = AuthorizationHeader::parse(&format!("{before}oauth_signature=\"{changed}"));
        prop_assert_eq!(request.verify(&header.unwrap()), Err(VerifyError::Signature));
    }

    #[test]
    fn a_changed_byte_of_the_url_never_verifies_as_another_resource(
        request in requests(),
        position in any::<prop::sample::Index>(),
        replacement in 0x21u8..0x7f,
    ) {
        let header = request.header();
        let url = request.url();
        let mut bytes = url.clone().into_bytes();
        let at = position.index(bytes.len());
        bytes[at] = replacement;
        let changed = String::from_utf8(bytes).unwrap();
        let secret = SecretString::from(request.secret.as_str());
        let verdict = header.verify(&request.method, &changed, &secret, &borrowed(&request.form));
        // A URL may be written in several ways: case of scheme, host and escapes, an empty pair, `+` for a space.
        prop_assume!(!same_request(&url, &changed));
        prop_assert!(verdict.is_err(), "{url} was signed, {changed} verified");
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}", scheme in "(OAuth |oauth\t|Basic |)") {
        let _ = AuthorizationHeader::parse(&format!("{scheme}{text}"));
    }

    #[test]
    fn nothing_like_a_header_makes_the_parser_panic(
        text in "OAuth( ?(oauth_[a-z_]{0,20}|realm)=?\"?[-a-zA-Z0-9%\\\\\" ]{0,12}\"?,?){0,9}",
    ) {
        let _ = AuthorizationHeader::parse(&text);
    }

    #[test]
    fn a_header_longer_than_the_limit_is_refused(extra in 0usize..5000) {
        let text = format!("OAuth a=\"{}\"", "é".repeat(MAX_HEADER_LENGTH / 2 + extra));
        prop_assert_eq!(AuthorizationHeader::parse(&text).unwrap_err(), VerifyError::TooLong);
    }

    #[test]
    fn no_url_makes_verifying_panic(request in requests(), url in "(http://)?.{0,60}") {
        let _ = request.header().verify("GET", &url, &"dummy-secret".into(), &[]);
    }
}

/// Whether both are spellings of one request: scheme, host and path alike, and the same pairs.
fn same_request(one: &str, other: &str) -> bool {
    type Pairs = Vec<(Vec<u8>, Vec<u8>)>;
    fn read(text: &str) -> Option<(String, Pairs)> {
        let (target, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, rest) = target.split_once("://")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let decode = |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).collect();
        let mut pairs: Pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        pairs.sort();
        Some((format!("{}://{}/{path}", scheme.to_lowercase(), host.to_lowercase()), pairs))
    }
    read(one) == read(other)
}
