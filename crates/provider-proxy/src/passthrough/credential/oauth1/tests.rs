//! Published signatures, and some of `openssl dgst -hmac` where none are published.

use super::*;
use crate::passthrough::credential::tests::{Surroundings, read, request, sent};
use crate::passthrough::credential::{Credential, Kind};

fn sign(credential: &Credential, outgoing: &Outgoing, target: &str, nonce: &str, seconds: u64) -> String {
    let Kind::OAuth1(kind) = &credential.kind else { panic!("{credential:?}") };
    kind.sign(outgoing, &Surroundings::at(target, 0).context(), nonce, seconds).unwrap()
}

/// Whether the header carries a signature, which is percent-encoded there.
fn carries(header: &str, signature: &str) -> bool {
    header.contains(&format!("oauth_signature=\"{}\"", ::oauth1::percent_encode(signature)))
}

const PHOTOS: &str = "
kind = 'oauth1'
consumer_key = 'dpf43f3p2l4k3l03'
consumer_secret = 'kd94hf93k423kf44'
token = 'nnch734d00sl2jdk'
token_secret = 'pfkkdhi9sl3r4s00'
realm = 'http://photos.example.net/'
";

/// OAuth Core 1.0 revision A, appendix A.5, which names the version as we do.
#[test]
fn the_published_signature_comes_out() {
    let credential = read(&format!("{PHOTOS}method = 'HMAC-SHA1'"));
    let outgoing = request("GET", "/photos?file=vacation.jpg&size=original", &[], b"");
    let header = sign(&credential, &outgoing, "http://photos.example.net", "kllo9940pd9333jh", 1_191_242_096);
    assert!(header.starts_with("OAuth realm=\"http://photos.example.net/\", "), "{header}");
    assert!(header.contains("oauth_token=\"nnch734d00sl2jdk\""), "{header}");
    assert!(carries(&header, "tR3+Ty81lMeYAr/Fid0kMTYa/WM="), "{header}");
}

/// The same request with SHA-256, which no document publishes: by openssl.
#[test]
fn sha256_is_the_default_and_signs_the_same_text() {
    let outgoing = request("GET", "/photos?file=vacation.jpg&size=original", &[], b"");
    let header =
        sign(&read(PHOTOS), &outgoing, "http://photos.example.net", "kllo9940pd9333jh", 1_191_242_096);
    assert!(header.contains("oauth_signature_method=\"HMAC-SHA256\""), "{header}");
    assert!(carries(&header, "WVPzl1j6ZsnkIjWr7e3OZ3jkenL57KwaLFhYsroX1hg="), "{header}");
}

/// RFC 5849, section 3.4.1.1, with a version and SHA-256: by openssl.
#[test]
fn a_form_is_signed_with_the_query() {
    let credential = read(
        "
        kind = 'oauth1'
        consumer_key = '9djdj82h48djs9d2'
        consumer_secret = 'j49sk3j29djd'
        token = 'kkk9d7dh3k39sjv7'
        token_secret = 'dh893hdasih9'
        ",
    );
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let outgoing = request("POST", "/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", &form, b"c2&a3=2+q");
    let header = sign(&credential, &outgoing, "http://example.com", "7d8f3e4a", 137_131_201);
    assert!(carries(&header, "xie2kqHv7CoC3VI1g/IUClHXm4q+1H3XJZG1izUgBXs="), "{header}");
}

#[actix_web::test]
async fn nonces_differ_and_what_the_caller_signed_is_gone() {
    let surroundings = Surroundings::at("https://target.test/base", 5);
    let credential = read(PHOTOS);
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let callers = [("authorization", "OAuth oauth_nonce=\"callers\"")];
        let outgoing = request("GET", "/x?oauth_signature=callers&y", &callers, b"");
        let sent = sent(&credential, &surroundings, outgoing).await.unwrap();
        assert_eq!(sent.path_and_query, "/x?y");
        let header = sent.headers["authorization"].to_str().unwrap().to_owned();
        assert!(header.contains("oauth_timestamp=\"5\"") && !header.contains("callers"), "{header}");
        nonces.push(header.split("oauth_nonce=\"").nth(1).unwrap()[..32].to_owned());
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[actix_web::test]
async fn what_cannot_be_signed_is_not_sent() {
    let surroundings = Surroundings::at("https://target.test", 5);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (path, body) in [("/", b"a=%zz".as_slice()), ("/", b"a=%ff"), ("/", b"a\xff"), ("/?a=%", b"")] {
        let refused = sent(&read(PHOTOS), &surroundings, request("POST", path, &form, body)).await;
        assert!(matches!(refused, Err(CredentialError::Request { .. })), "{path}");
    }
}
