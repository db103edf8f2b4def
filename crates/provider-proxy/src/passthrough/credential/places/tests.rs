//! Whatever a caller sends in the place of a credential is gone, and nothing else is.

use super::*;
use crate::passthrough::credential::tests::{EXAMPLES, read, request};

/// Ways to write a name that some server or other takes for it.
fn disguises(name: &str) -> Vec<String> {
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let twice = encoded.replace('%', "%25");
    vec![
        name.to_owned(),
        name.to_ascii_uppercase(),
        encoded.clone(),
        encoded.to_ascii_uppercase(),
        twice,
        format!("%20{name}"),
        format!("{name}+"),
        format!("{name}[]"),
        format!("{name}%5B0%5D"),
        format!("{name}%00"),
        name.replace('_', "."),
        name.replace('_', "%20"),
    ]
}

#[test]
fn every_kind_removes_every_place_in_every_disguise_however_often() {
    for settings in EXAMPLES {
        let credential = read(settings);
        let own = if settings.contains("'query'") { "api.key" } else { "access_token" };
        for name in
            ["access_token", "oauth_signature", "oauth_anything", "X-Amz-Signature", "X-Amz-Credential", own]
        {
            for name in disguises(name) {
                let path = format!("/p?{name}=1&keep=a%2fb&{name}&keep=%zz&x=1;{name}=2&{name}=%26");
                let mut request = request("GET", &path, &[], b"");
                credential.strip(&mut request);
                assert_eq!(request.path_and_query, "/p?keep=a%2fb&keep=%zz&x=1", "{settings}: {name}");
            }
        }
    }
}

#[test]
fn every_kind_removes_the_headers_that_are_credentials_and_its_own() {
    for settings in EXAMPLES {
        let credential = read(settings);
        let mut headers = vec![
            ("authorization", "Bearer callers"),
            ("authorization", "Basic callers"),
            ("proxy-authorization", "callers"),
            ("cookie", "session=callers"),
            ("x-amz-date", "callers"),
            ("x-amz-security-token", "callers"),
            ("x-amz-content-sha256", "callers"),
            ("x-other", "stays"),
            ("x-amz-target", "stays"),
        ];
        let own: &[&str] = match credential.name() {
            "header" => &["x-api-key", "x_api_key", "x-api_key"],
            "jwt" => &["x-token", "x_token"],
            "hmac_body" => &["x-signature", "x_signature", "x-time"],
            _ => &[],
        };
        headers.extend(own.iter().map(|name| (*name, "callers")));
        let mut request = request("GET", "/", &headers, b"");
        credential.strip(&mut request);
        let mut left: Vec<_> = request.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["x-amz-target", "x-other"], "{settings}");
    }
}

#[test]
fn odd_queries_without_a_credential_pass_byte_for_byte() {
    let credential = read(EXAMPLES[4]);
    for path in [
        "/",
        "/?",
        "/?&&",
        "/?a=1&a=1&b",
        "/?%zz=%&=&==;;",
        "/?token=access_token&myoauth_token=1&access_tokens=2&xapi.key=3",
        "/access_token=1?q=access_token%3D1",
        "/?a=%26access_token=1",
        "/?q=caf%C3%A9+%E2%82%AC&Q=x%00",
        "/?a?access_token2=1",
    ] {
        let mut request = request("GET", path, &[], b"");
        credential.strip(&mut request);
        assert_eq!(request.path_and_query, path);
    }
}

#[test]
fn a_query_of_nothing_but_credentials_disappears() {
    let mut request = request("GET", "/p?access_token=1&oauth_nonce=2", &[], b"");
    read(EXAMPLES[0]).strip(&mut request);
    assert_eq!(request.path_and_query, "/p");
}

#[test]
fn what_stays_keeps_its_separators() {
    for (before, after) in [
        ("&a&access_token&b&", "&a&b&"),
        ("access_token;a&b", "a&b"),
        ("a;access_token&b", "a&b"),
        ("a&&access_token", "a&"),
    ] {
        let places = Places::of_every_credential();
        assert_eq!(places.without_parameters(before.as_bytes()).unwrap(), after.as_bytes(), "{before}");
    }
}
