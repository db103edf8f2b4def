//! The signatures that RFC 5849 and OAuth Core 1.0a publish, made and verified here.
//!
//! Sources: RFC 5849, section 1.2 (printer.example.com and photos.example.net) and section 3.1 with erratum 2550,
//! which corrects that section's signature; OAuth Core 1.0 revision A, appendix A.5.

use secrecy::SecretString;

use crate::sign::encode_signature;
use crate::signature::Secrets;
use crate::{AuthorizationHeader, BaseString, SignatureMethod};

struct Published {
    method: &'static str,
    url: &'static str,
    form: &'static [(&'static str, &'static str)],
    /// The header as it is published, its lines joined.
    header: &'static str,
    consumer_secret: &'static str,
    token_secret: &'static str,
    signature: &'static str,
}

const EXAMPLES: [Published; 5] = [
    Published {
        method: "POST",
        url: "https://photos.example.net/initiate",
        form: &[],
        header: concat!(
            "OAuth realm=\"Photos\", oauth_consumer_key=\"dpf43f3p2l4k3l03\", ",
            "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"137131200\", oauth_nonce=\"wIjqoS\", ",
            "oauth_callback=\"http%3A%2F%2Fprinter.example.com%2Fready\", ",
            "oauth_signature=\"74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D\"",
        ),
        consumer_secret: "kd94hf93k423kf44",
        token_secret: "",
        signature: "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
    },
    Published {
        method: "POST",
        url: "https://photos.example.net/token",
        form: &[],
        header: concat!(
            "OAuth realm=\"Photos\", oauth_consumer_key=\"dpf43f3p2l4k3l03\", oauth_token=\"hh5s93j4hdidpola\", ",
            "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"137131201\", oauth_nonce=\"walatlh\", ",
            "oauth_verifier=\"hfdp7dh39dks9884\", oauth_signature=\"gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D\"",
        ),
        consumer_secret: "kd94hf93k423kf44",
        token_secret: "hdhd0244k9j7ao03",
        signature: "gKgrFCywp7rO0OXSjdot/IHF7IU=",
    },
    Published {
        method: "GET",
        url: "http://photos.example.net/photos?file=vacation.jpg&size=original",
        form: &[],
        header: concat!(
            "OAuth realm=\"Photos\", oauth_consumer_key=\"dpf43f3p2l4k3l03\", oauth_token=\"nnch734d00sl2jdk\", ",
            "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"137131202\", oauth_nonce=\"chapoH\", ",
            "oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\"",
        ),
        consumer_secret: "kd94hf93k423kf44",
        token_secret: "pfkkdhi9sl3r4s00",
        signature: "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
    },
    Published {
        method: "POST",
        url: "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        form: &[("c2", ""), ("a3", "2 q")],
        header: concat!(
            "OAuth realm=\"Example\", oauth_consumer_key=\"9djdj82h48djs9d2\", oauth_token=\"kkk9d7dh3k39sjv7\", ",
            "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"137131201\", oauth_nonce=\"7d8f3e4a\", ",
            "oauth_signature=\"r6%2FTJjbCOr97%2F%2BUU0NsvSne7s5g%3D\"",
        ),
        consumer_secret: "j49sk3j29djd",
        token_secret: "dh893hdasih9",
        signature: "r6/TJjbCOr97/+UU0NsvSne7s5g=",
    },
    Published {
        method: "GET",
        url: "http://photos.example.net/photos?file=vacation.jpg&size=original",
        form: &[],
        header: concat!(
            "OAuth realm=\"http://photos.example.net/\", oauth_consumer_key=\"dpf43f3p2l4k3l03\", ",
            "oauth_token=\"nnch734d00sl2jdk\", oauth_signature_method=\"HMAC-SHA1\", ",
            "oauth_signature=\"tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D\", oauth_timestamp=\"1191242096\", ",
            "oauth_nonce=\"kllo9940pd9333jh\", oauth_version=\"1.0\"",
        ),
        consumer_secret: "kd94hf93k423kf44",
        token_secret: "pfkkdhi9sl3r4s00",
        signature: "tR3+Ty81lMeYAr/Fid0kMTYa/WM=",
    },
];

#[test]
fn every_published_request_verifies() {
    for example in &EXAMPLES {
        let consumer = SecretString::from(example.consumer_secret);
        let token = SecretString::from(example.token_secret);
        let secrets = Secrets { consumer: &consumer, token: Some(&token) };
        let header = AuthorizationHeader::parse(example.header).unwrap();
        let verdict = header.verify_with(secrets, example.method, example.url, example.form);
        assert_eq!(verdict, Ok(()), "{}", example.signature);
    }
}

#[test]
fn every_published_signature_is_made_again() {
    for example in &EXAMPLES {
        // Read apart from our own parser: no value in these headers holds a comma or a quote.
        let list = example.header.strip_prefix("OAuth ").unwrap();
        let protocol: Vec<(&str, String)> = list
            .split(", ")
            .map(|field| field.split_once('=').unwrap())
            .map(|(name, value)| (name, value.trim_matches('"')))
            .map(|(name, value)| {
                (name, percent_encoding::percent_decode_str(value).decode_utf8().unwrap().into())
            })
            .collect();
        let protocol: Vec<(&str, &str)> =
            protocol.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let base = BaseString::new(example.method, example.url, &protocol, example.form).unwrap();
        let consumer = SecretString::from(example.consumer_secret);
        let token = SecretString::from(example.token_secret);
        let secrets = Secrets { consumer: &consumer, token: Some(&token) };
        assert_eq!(encode_signature(secrets, SignatureMethod::HmacSha1, &base), example.signature);
    }
}
