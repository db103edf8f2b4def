//! The requests of AWS's Signature Version 4 test suite, and their signatures as published.

use super::super::tests::{Surroundings, body_of, read, request, sent};
use super::*;

const SETTINGS: &str = "
kind = 'aws_sigv4'
access_key_id = 'AKIDEXAMPLE'
secret_access_key = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
region = 'us-east-1'
";

/// 2015-08-30T12:36:00Z.
const TIME: u64 = 1_440_938_160;

async fn signed(service: &str, target: &str, outgoing: Outgoing) -> Outgoing {
    let credential = read(&format!("{SETTINGS}service = '{service}'"));
    sent(&credential, &Surroundings::at(target, TIME), outgoing).await.unwrap()
}

#[actix_web::test]
async fn the_test_suites_signatures_come_out() {
    const HOST: &str = "host;x-amz-date";
    for (name, method, path, headers, signature) in [
        ("get-vanilla", "GET", "/", HOST, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "post-vanilla",
            "POST",
            "/",
            HOST,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "/?Param2=value2&Param1=value1",
            HOST,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "post-vanilla-query",
            "POST",
            "/?Param1=value1",
            HOST,
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
        (
            "get-utf8",
            "GET",
            "/\u{1234}",
            HOST,
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "get-space",
            "GET",
            "/example space/",
            HOST,
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        ),
        (
            "get-relative",
            "GET",
            "/example/..",
            HOST,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-relative-relative",
            "GET",
            "/example1/example2/../..",
            HOST,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        ("get-slash", "GET", "//", HOST, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "get-slash-dot-slash",
            "GET",
            "/./",
            HOST,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-slashes",
            "GET",
            "//example//",
            HOST,
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
        (
            "get-slash-pointless-dot",
            "GET",
            "/./example",
            HOST,
            "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
        ),
        (
            "get-unreserved",
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            HOST,
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
    ] {
        // The host is not resolved, so a name without a suffix will do.
        let sent = signed("service", "https://example.amazonaws.com", request(method, path, &[], b"")).await;
        assert_eq!(sent.headers["x-amz-date"], "20150830T123600Z");
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={headers}, Signature={signature}"
        );
        assert_eq!(sent.headers["authorization"].to_str().unwrap(), expected, "{name}");
        assert_eq!(sent.path_and_query, path);
    }
}

#[actix_web::test]
async fn the_body_and_its_type_are_signed_as_in_the_test_suite() {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let sent =
        signed("service", "https://example.amazonaws.com", request("POST", "/", &headers, b"Param1=value1"))
            .await;
    let value = sent.headers["authorization"].to_str().unwrap();
    assert!(value.contains("SignedHeaders=content-type;host;x-amz-date, "), "{value}");
    // post-x-www-form-urlencoded
    assert!(value.ends_with("=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"), "{value}");
    assert_eq!(body_of(&sent), "Param1=value1");
}

#[actix_web::test]
async fn a_session_token_is_sent_and_signed() {
    let credential = read(&format!("{SETTINGS}service = 'service'\nsession_token = 'dummy-session'"));
    let surroundings = Surroundings::at("https://example.amazonaws.com", TIME);
    let callers = [("x-amz-security-token", "callers")];
    let sent = sent(&credential, &surroundings, request("GET", "/", &callers, b"")).await.unwrap();
    assert_eq!(sent.headers.get_all("x-amz-security-token").iter().collect::<Vec<_>>(), ["dummy-session"]);
    assert!(sent.headers["authorization"].to_str().unwrap().contains("host;x-amz-date;x-amz-security-token"));
}

#[actix_web::test]
async fn s3_gets_the_hash_of_the_body_and_its_path_is_encoded_once() {
    let sent = signed(
        "s3",
        "https://examplebucket.s3.amazonaws.com",
        request("PUT", "/a%20b/%2F/../c", &[], b"data"),
    )
    .await;
    assert_eq!(
        sent.headers["x-amz-content-sha256"],
        "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"
    );
    let (canonical, names) = canonical::request(
        &sent,
        "https://examplebucket.s3.amazonaws.com/a%20b/%2F/../c?b=2&a=1&a=&x=a+b",
        "hash",
        true,
    )
    .unwrap();
    assert_eq!(names, "host;x-amz-content-sha256;x-amz-date");
    let mut lines = canonical.lines();
    assert_eq!(lines.next(), Some("PUT"));
    assert_eq!(lines.next(), Some("/a%20b///../c"));
    assert_eq!(lines.next(), Some("a=&a=1&b=2&x=a%20b"));
}

#[actix_web::test]
async fn an_escape_in_a_path_is_encoded_twice_for_other_services() {
    let sent = request("GET", "/", &[], b"");
    let (canonical, _) = canonical::request(&sent, "https://h.test:8443/base/a%2Fb", "hash", false).unwrap();
    assert_eq!(canonical, "GET\n/base/a%252Fb\n\nhost:h.test:8443\n\nhost\nhash");
}
