//! What goes on to the other end, and what does not.

use super::*;

fn caller(lines: &[(&str, &str)]) -> actix_header::HeaderMap {
    let pair = |&(name, value): &(&str, &str)| {
        let name = actix_header::HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, actix_header::HeaderValue::from_str(value).unwrap())
    };
    lines.iter().map(pair).collect()
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_list_is_sorted_so_that_it_can_be_searched() {
    assert!(NOT_FROM_CALLERS.is_sorted());
}

#[test]
fn what_was_meant_for_the_proxy_is_left_out_where_it_is_asked_for() {
    let headers = caller(&[("AUTHORIZATION", "Bearer x"), ("X-Kept", "1"), ("TE", "trailers")]);
    assert_eq!(names(&from_caller(&headers)), ["authorization", "te", "x-kept"]);
    assert_eq!(names(&from_caller_without_authorization(&headers)), ["te", "x-kept"]);
}

#[test]
fn what_a_caller_must_not_set_is_dropped_however_it_is_spelled() {
    for name in [
        "Host",
        "Via",
        "Forwarded",
        "Expect",
        "Upgrade",
        "Trailer",
        "Transfer-Encoding",
        "Content-Length",
        "Keep-Alive",
        "X-Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Anything",
        "X-Real-IP",
        "Proxy-Anything",
        "Proxy-Authorization",
        "X-Solitude-Service",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X_Forwarded_For",
        "x_solitude-service",
        "X_REAL_IP",
        "Transfer_Encoding",
        "Keep_Alive",
        "Content_Length",
        "X-Original-URL",
        "X-Rewrite-URL",
        "True-Client-IP",
    ] {
        let kept = from_caller(&caller(&[(name, "x"), ("X-Kept", "1")]));
        assert_eq!(names(&kept), ["x-kept"], "{name}");
    }
}

#[test]
fn what_only_looks_like_it_is_kept() {
    let lines = [
        ("accept", "x"),
        ("authorization", "x"),
        ("hosts", "x"),
        ("my_header", "x"),
        ("x-forward", "x"),
        ("x-http", "x"),
        ("x-proxy", "x"),
    ];
    assert_eq!(names(&from_caller(&caller(&lines))), lines.map(|(name, _)| name));
}

#[test]
fn what_the_connection_names_is_dropped_with_it() {
    let lines =
        [("Connection", "close , X-A;q=1"), ("connection", "x-b"), ("X-A", "1"), ("X-B", "2"), ("X-C", "3")];
    assert_eq!(names(&end_to_end(&caller(&lines))), ["x-c"]);
    let mut answer = HeaderMap::new();
    for (name, value) in lines {
        answer.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static(value));
    }
    keep_end_to_end(&mut answer);
    assert_eq!(names(&answer), ["x-c"]);
}

#[test]
fn a_door_that_adds_some_of_them_itself_keeps_the_rest_out() {
    let kept = end_to_end(&caller(&[("X-Forwarded-Proto", "https"), ("Keep-Alive", "5"), ("Via", "1.1 x")]));
    assert_eq!(names(&kept), ["via", "x-forwarded-proto"]);
}

#[test]
fn only_the_wish_for_trailers_is_left_of_te() {
    for (te, expected) in
        [("trailers", true), ("gzip, Trailers;q=0.5", true), ("gzip", false), ("trailersx", false)]
    {
        let kept = from_caller(&caller(&[("TE", te)]));
        assert_eq!(kept.get("te").map(HeaderValue::as_bytes), expected.then_some(&b"trailers"[..]), "{te}");
    }
}

#[test]
fn repeated_headers_keep_their_order() {
    let kept = from_caller(&caller(&[("Accept", "b"), ("X", "1"), ("Accept", "a"), ("Accept", "b")]));
    assert!(kept.get_all("accept").iter().eq(["b", "a", "b"]));
}
