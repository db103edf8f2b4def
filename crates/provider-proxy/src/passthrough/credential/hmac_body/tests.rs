//! Published hashes.

use super::super::tests::{Surroundings, read, request, sent};

async fn signature(settings: &str, body: &[u8]) -> http::HeaderMap {
    let credential = read(&format!("kind = 'hmac_body'\nheader = 'X-Signature'\n{settings}"));
    let surroundings = Surroundings::at("https://target.test", 1_700_000_000);
    let callers = [("x-signature", "callers"), ("x-signature", "callers")];
    sent(&credential, &surroundings, request("POST", "/", &callers, body)).await.unwrap().headers
}

/// RFC 4231, section 4.3, and RFC 2202, section 3 (test case 2 of both).
#[actix_web::test]
async fn the_published_hashes_come_out() {
    for (settings, expected) in [
        ("", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            "algorithm = 'SHA512'",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
        ("algorithm = 'SHA1'", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("encoding = 'base64'", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="),
        ("prefix = 'sha256='", "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ] {
        let headers =
            signature(&format!("secret = 'Jefe'\n{settings}"), b"what do ya want for nothing?").await;
        assert_eq!(headers.get_all("x-signature").iter().collect::<Vec<_>>(), [expected], "{settings}");
    }
}

/// RFC 4231, section 4.7: a key longer than a block.
#[actix_web::test]
async fn a_long_key_is_hashed_first() {
    let key = "\u{2a}".repeat(131);
    let headers =
        signature(&format!("secret = '{key}'"), b"Test Using Larger Than Block-Size Key - Hash Key First")
            .await;
    assert_eq!(headers["x-signature"], LONG_KEY);
}

/// By `openssl dgst -sha256 -hmac`, since the RFC's own key is no text.
const LONG_KEY: &str = "a879fe293ec4822a32e30037ac471452fbecd684d14d8c2b72a0743f6c2f40a6";

/// Stripe's scheme: the time and a point before the body.
#[actix_web::test]
async fn a_timestamp_is_signed_with_the_body() {
    let headers = signature("secret = 'whsec_test'\ntimestamp_header = 'X-Time'", b"{}").await;
    assert_eq!(headers["x-time"], "1700000000");
    assert_eq!(headers["x-signature"], "35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91");
}

#[actix_web::test]
async fn an_empty_body_is_signed_as_such() {
    let headers = signature("secret = 'Jefe'", b"").await;
    assert_eq!(headers["x-signature"], EMPTY);
}

/// By `openssl dgst -sha256 -hmac Jefe < /dev/null`.
const EMPTY: &str = "923598ca6d64af2a5dba79dcd021a8a0fe5c5f557519adaaf0ad532d4506dd30";
