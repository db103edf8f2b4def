//! What passes, what does not, and that what passes leads where the target is.

use proptest::prelude::*;
use url::Url;

use super::*;

fn refusal(tail: &str) -> Option<PathError> {
    check(tail, None).err()
}

#[test]
fn an_ordinary_path_passes() {
    for tail in [
        "",
        "/",
        "/v1/charges",
        "/v1/charges/",
        "/v1/charges/ch_1:x@y;a=b,c(d)'e'*!$&+",
        "/.well-known/openid",
        "/a..b/..c/d../...",
        "/a%2Fb",
        "/a%2fb%2Fc",
        "/sites/https%3A%2F%2Fexample.test%2F",
        "/100%25",
        "/%C3%A9",
        "/a%20b%3Fc%23d",
        "/@scope/name",
        "/http:/x",
        "/%252F%2541",
    ] {
        assert_eq!(refusal(tail), None, "{tail}");
    }
}

#[test]
fn what_could_lead_elsewhere_is_refused_in_every_encoding() {
    use PathError::*;
    for (tail, expected) in [
        ("//evil.test/", EmptySegment),
        ("/a//b", EmptySegment),
        ("/a//", EmptySegment),
        ("/http://evil.test", EmptySegment),
        ("/..", DotSegment),
        ("/.", DotSegment),
        ("/a/../b", DotSegment),
        ("/a/./b", DotSegment),
        ("/%2e%2e/b", DotSegment),
        ("/%2e", DotSegment),
        ("/.%2E/b", DotSegment),
        ("/%2E./b", DotSegment),
        ("/%252e%252e/b", DotSegment),
        ("/%25252e%2525252e/b", DotSegment),
        ("/a%2F..%2Fb", DotSegment),
        ("/..%2Fb", DotSegment),
        ("/..%252Fb", DotSegment),
        ("/a%2f%2e%2e", DotSegment),
        ("/..;/b", DotSegment),
        ("/..;x=1/b", DotSegment),
        ("/%2e%2e%3b/b", DotSegment),
        ("/..%5Cb", Backslash),
        ("/a\\b", Backslash),
        ("/a%5cb", Backslash),
        ("/a%255c..%255cb", DotSegment),
        ("/%c0%ae%c0%ae/b", NotUtf8),
        ("/a%c0%afb", NotUtf8),
        ("/%e0%80%ae", NotUtf8),
        ("/%ff", NotUtf8),
        ("/a%00", Control),
        ("/a%0d%0aHost:%20evil.test", Control),
        ("/a%09", Control),
        ("/a%7F", Control),
        ("/a%C2%85b", Control),
        ("/a%", Escape),
        ("/a%4", Escape),
        ("/a%4g", Escape),
        ("/%u002e", Escape),
        ("/a b", Character),
        ("/a#b", Character),
        ("/a\"b", Character),
        ("/a<b>", Character),
        ("/a|b", Character),
        ("/a{b}", Character),
        ("/é", Character),
        ("/a\u{0}", Character),
        ("/a\tb", Character),
        ("/a?b", Character),
        ("@evil.test/", Prefix),
        (".evil.test/", Prefix),
        (":80/", Prefix),
    ] {
        assert_eq!(refusal(tail), Some(expected), "{tail:?}");
    }
}

#[test]
fn a_query_may_hold_anything_visible() {
    for query in ["", "a=b&a=c&a", "expand[]=x&y={z}|\"^`\\", "next=http://x/../y//z", "a=%00%2e%ff%", "?"] {
        assert_eq!(check("/", Some(query)), Ok(()), "{query}");
    }
    for query in ["a b", "a#b", "a\u{0}", "é", "a\r\nb"] {
        assert_eq!(check("/", Some(query)), Err(PathError::Query), "{query:?}");
    }
}

#[test]
fn a_request_line_is_split_at_the_targets_name_and_nothing_is_decoded() {
    let asked = |target, tail, query| Ok(Asked { target, tail, query });
    for (uri, expected) in [
        ("/proxy", asked("", "", None)),
        ("/proxy/", asked("", "", None)),
        ("/proxy/shop", asked("shop", "", None)),
        ("/proxy/shop?a=%41", asked("shop", "", Some("a=%41"))),
        ("/proxy/shop/", asked("shop", "/", None)),
        ("/proxy/shop/a%2Fb//c?", asked("shop", "/a%2Fb//c", Some(""))),
        ("/proxy//shop/a", asked("", "/shop/a", None)),
        ("/proxy/sh%6Fp/a", asked("sh%6Fp", "/a", None)),
        ("/proxy/user@evil.test/a", asked("user@evil.test", "/a", None)),
        ("/%70roxy/shop/a", Err(PathError::Prefix)),
        ("/proxyx/shop", Err(PathError::Prefix)),
        ("evil.test:443", Err(PathError::Prefix)),
    ] {
        assert_eq!(split(&uri.parse().unwrap()), expected, "{uri}");
    }
}

#[test]
fn a_whole_url_is_refused_in_a_request_line_and_http_2_has_none() {
    for uri in ["http://evil.test/proxy/shop/a", "http://user:x@evil.test/proxy/shop/a", "evil.test:443"] {
        let uri = uri.parse().unwrap();
        assert_eq!(refuse_absolute(Version::HTTP_10, &uri), Err(PathError::Absolute), "{uri}");
        assert_eq!(refuse_absolute(Version::HTTP_11, &uri), Err(PathError::Absolute), "{uri}");
        assert_eq!(refuse_absolute(Version::HTTP_2, &uri), Ok(()), "{uri}");
    }
    assert_eq!(refuse_absolute(Version::HTTP_11, &"/proxy/shop/a".parse().unwrap()), Ok(()));
}

/// Pieces out of which paths are made that try to leave.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "/",
        ".",
        "..",
        "%2e",
        "%2E",
        "%252e",
        "%2f",
        "%2F",
        "%5c",
        "\\",
        "@",
        ":",
        "//",
        "evil.test",
        "%",
        "%00",
        "%c0%ae",
        "?",
        "#",
        ";",
        "a",
        "v1",
        " ",
        "\t",
        "\r\n",
        "é",
        "%C3%A9",
        "[",
        "|",
        "http:",
        "user:x@",
        "%25",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

/// The outgoing URL has the target's host and port and a path below the base, unchanged, whatever reads it.
fn stays_below(base: &str, tail: &str, query: Option<&str>) {
    let url = match query {
        Some(query) => format!("{base}{tail}?{query}"),
        None => format!("{base}{tail}"),
    };
    let (outgoing, home) = (Url::parse(&url).unwrap(), Url::parse(base).unwrap());
    assert_eq!(outgoing.origin(), home.origin(), "{url}");
    assert_eq!((outgoing.username(), outgoing.password(), outgoing.fragment()), ("", None, None), "{url}");
    let base_path = home.path().trim_end_matches('/');
    let expected = format!("{base_path}{tail}");
    assert_eq!(outgoing.path(), if expected.is_empty() { "/" } else { &expected }, "{url}");
    let decoded = percent_decode(outgoing.path().as_bytes()).decode_utf8().unwrap().into_owned();
    assert!(!decoded.split(['/', '\\']).any(|part| part == ".."), "{url}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_accepted_leads_to_the_target(tail in prop_oneof![hostile(), ".*"], query in prop::option::of(hostile())) {
        for tail in [tail.clone(), format!("/{tail}")] {
            if check(&tail, query.as_deref()).is_ok() {
                stays_below("https://target.test:8443/base/v1", &tail, query.as_deref());
                stays_below("http://target.test", &tail, query.as_deref());
            }
        }
    }
}
