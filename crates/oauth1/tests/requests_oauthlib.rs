//! Headers that the Python package requests-oauthlib 2.0.0 made verify here, and ours are made the same way.
//!
//! The recording and the program that made it are in `vectors/`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken recording is a failed test")]

use oauth1::{AuthorizationHeader, Credentials, SignatureMethod, sign};
use secrecy::SecretString;

const RECORDED: &str = include_str!("vectors/requests-oauthlib-2.0.0.tsv");
const CONSUMER_KEY: &str = "dummy key/1";
const CONSUMER_SECRET: &str = "dummy-secret & more+é";

struct Recorded {
    signature_method: SignatureMethod,
    method: &'static str,
    url: &'static str,
    form: Vec<(String, String)>,
    header: &'static str,
}

impl Recorded {
    fn form(&self) -> Vec<(&str, &str)> {
        self.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

fn recorded() -> Vec<Recorded> {
    RECORDED
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [signature_method, method, url, form, header] = columns[..] else {
                panic!("five columns: {line}")
            };
            let signature_method = signature_method.parse().unwrap();
            Recorded { signature_method, method, url, form: decode_form(form), header }
        })
        .collect()
}

/// Apart from the crate's own decoding, so that one error cannot hide another.
fn decode_form(body: &str) -> Vec<(String, String)> {
    if body == "-" {
        return Vec::new();
    }
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8().unwrap().into_owned()
    };
    body.split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn parameter<'a>(header: &'a str, name: &str) -> &'a str {
    let (_, rest) = header.split_once(&format!("{name}=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

#[test]
fn every_recorded_header_verifies() {
    let secret = SecretString::from(CONSUMER_SECRET);
    let requests = recorded();
    assert_eq!(requests.len(), 60);
    for request in &requests {
        let header = AuthorizationHeader::parse(request.header).unwrap();
        assert_eq!(header.consumer_key(), CONSUMER_KEY);
        assert_eq!(header.timestamp(), 1_700_000_000);
        assert_eq!(header.signature_method(), request.signature_method);
        let verdict = header.verify(request.method, request.url, &secret, &request.form());
        assert_eq!(verdict, Ok(()), "{} {}", request.method, request.url);
    }
}

#[test]
fn our_signature_is_the_recorded_one() {
    for request in recorded() {
        let realm = request.header.contains("realm=").then(|| parameter(request.header, "realm").to_owned());
        let credentials = Credentials {
            consumer_key: CONSUMER_KEY.into(),
            consumer_secret: CONSUMER_SECRET.into(),
            realm: realm.clone(),
        };
        let nonce = parameter(request.header, "oauth_nonce");
        let (method, url) = (request.method, request.url);
        let made =
            sign(&credentials, method, url, nonce, 1_700_000_000, request.signature_method, &request.form())
                .unwrap();
        for name in ["oauth_signature", "oauth_consumer_key", "oauth_nonce", "oauth_version"] {
            assert_eq!(parameter(&made, name), parameter(request.header, name), "{name} of {method} {url}");
        }
        assert_eq!(AuthorizationHeader::parse(&made).unwrap().realm(), realm.as_deref());
    }
}
