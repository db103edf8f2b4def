//! What is not let through, and that nothing of it reaches a target.

use super::*;

/// The proxy's own answer to each request, without a single connection to the target.
async fn refused(settings: &str, cases: &[(&str, &str, u16, &str)]) {
    let target = Upstream::answering(ok("secret garden")).await;
    let proxy = Proxy::start(&settings.replace("URL", &target.url()));
    for (method, path, status, kind) in cases {
        let answer = proxy.ask(method, path, &[]).await;
        assert_eq!(answer.own(), (*status, (*kind).to_owned()), "{method} {path}");
    }
    assert_eq!(target.connections(), 0);
    proxy.stop().await;
}

const SHOP: &str = "[targets.shop]\nurl = 'URL'\nprivate = true\n";

#[actix_web::test]
async fn the_whole_door_is_closed_by_default() {
    let target = Upstream::answering(ok("")).await;
    for settings in [SHOP.to_owned(), format!("passthrough.enabled = false\n{SHOP}allow = ['* /**']")] {
        let proxy = Proxy::start(&settings.replace("URL", &target.url()));
        for path in ["/proxy/shop/a", "/proxy/nobody", "/proxy", "/proxy/"] {
            let answer = proxy.get(path).await;
            assert_eq!((answer.status, answer.header("x-proxy-error")), (501, vec!["disabled"]), "{path}");
            assert_eq!(answer.body(), b"The proxy is disabled.", "{path}");
            assert!(answer.header("content-type")[0].starts_with("text/plain"));
        }
        proxy.stop().await;
    }
    assert_eq!(target.connections(), 0);
}

#[actix_web::test]
async fn an_unknown_target_is_404_and_a_closed_one_501() {
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "enabled = false");
    for path in [
        "/proxy",
        "/proxy/",
        "/proxy/nobody",
        "/proxy/nobody/x",
        "/proxy/SHOP/x",
        "/proxy/sho%70/x",
        "/proxy//shop/x",
    ] {
        assert_eq!(proxy.get(path).await.own(), (404, "unknown_target".into()), "{path}");
    }
    let closed = proxy.get("/proxy/shop/x").await;
    assert_eq!((closed.status, closed.body()), (501, b"The proxy is disabled.".to_vec()));
    assert_eq!(closed.header("x-proxy-error"), ["disabled"]);
    assert_eq!(target.connections(), 0);
    proxy.stop().await;
}

#[actix_web::test]
async fn without_allow_nothing_is_allowed() {
    let settings = format!("passthrough.enabled = true\n{SHOP}");
    refused(
        &settings,
        &[("GET", "/proxy/shop", 403, "not_allowed"), ("POST", "/proxy/shop/a", 403, "not_allowed")],
    )
    .await;
}

#[actix_web::test]
async fn only_what_is_allowed_passes() {
    let settings =
        format!("passthrough.enabled = true\n{SHOP}allow = ['GET /v1/charges/*', 'POST /v1/charges']");
    refused(
        &settings,
        &[
            ("GET", "/proxy/shop/v1/charges", 403, "not_allowed"),
            ("POST", "/proxy/shop/v1/charges/x", 403, "not_allowed"),
            ("DELETE", "/proxy/shop/v1/charges/x", 403, "not_allowed"),
            ("GET", "/proxy/shop/v1/charges/x/refund", 403, "not_allowed"),
            ("GET", "/proxy/shop/v1/charges/x%2Frefund", 403, "not_allowed"),
            ("GET", "/proxy/shop/v1/balance?x=/v1/charges/y", 403, "not_allowed"),
        ],
    )
    .await;
}

#[actix_web::test]
async fn what_is_allowed_reaches_the_target_in_whatever_encoding() {
    let target = Upstream::answering(ok("")).await;
    let settings = format!("passthrough.enabled = true\n{SHOP}allow = ['GET /v1/charges/*']");
    let proxy = Proxy::start(&settings.replace("URL", &target.url()));
    assert_eq!(proxy.get("/proxy/shop/v1/%63harges/x%20y").await.status, 200);
    assert_eq!(target.only().line(), "GET /v1/%63harges/x%20y HTTP/1.1");
    proxy.stop().await;
}

#[actix_web::test]
async fn a_path_that_could_lead_elsewhere_is_refused_before_anything_is_dialled() {
    let settings = format!("passthrough.enabled = true\n{SHOP}allow = ['* /**']");
    let paths = [
        "http://evil.test/proxy/shop/a",
        "http://user:word@evil.test/proxy/shop/a",
        "/proxy/shop//evil.test/a",
        "/proxy/shop/http://evil.test/a",
        "/proxy/shop/a//b",
        "/proxy/shop/../a",
        "/proxy/shop/a/..",
        "/proxy/shop/./a",
        "/proxy/shop/%2e%2e/a",
        "/proxy/shop/.%2E/a",
        "/proxy/shop/%2E./a",
        "/proxy/shop/%252e%252e/a",
        "/proxy/shop/a%2F..%2F..%2Fb",
        "/proxy/shop/..%5Ca",
        "/proxy/shop/..;/a",
        "/proxy/shop/a%5Cb",
        "/proxy/shop/%c0%ae%c0%ae/a",
        "/proxy/shop/a%00",
        "/proxy/shop/a%0d%0aX-Evil:%201",
        "/proxy/shop/a%1fb",
        "/proxy/shop/a%zz",
        "/%70roxy/shop/a",
    ];
    refused(&settings, &paths.map(|path| ("GET", path, 400, "path"))).await;
}

#[actix_web::test]
async fn bytes_that_are_no_path_at_all_are_a_4xx_before_anything_is_dialled() {
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "");
    for path in [
        "/proxy/shop/a\\b",
        "/proxy/shop/\u{e9}",
        "/proxy/shop/a\tb",
        "/proxy/shop/a\u{0}b",
        "/proxy/shop/a\u{7f}",
    ] {
        let answer = proxy.get(path).await;
        assert!((400..500).contains(&answer.status), "{path:?}: {answer:?}");
    }
    assert_eq!(target.connections(), 0);
    proxy.stop().await;
}

#[actix_web::test]
async fn a_fragment_goes_nowhere() {
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "");
    proxy.get("/proxy/shop/a#@evil.test/b").await;
    for received in target.received() {
        assert_eq!(received.line(), "GET /a HTTP/1.1");
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn trace_and_connect_are_refused() {
    let settings = format!("passthrough.enabled = true\n{SHOP}allow = ['* /**']");
    refused(
        &settings,
        &[("TRACE", "/proxy/shop/a", 405, "method"), ("CONNECT", "/proxy/shop/a", 405, "method")],
    )
    .await;
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "");
    let answer = proxy.ask("TRACE", "/proxy/shop/a", &[]).await;
    assert_eq!(answer.header("allow").len(), 1);
    assert!((400..500).contains(&proxy.ask("CONNECT", "evil.test:443", &[]).await.status));
    assert_eq!(target.connections(), 0);
    proxy.stop().await;
}

#[actix_web::test]
async fn a_caller_needs_every_authority_that_the_target_requires() {
    let settings = format!(
        "passthrough.enabled = true\n{SHOP}allow = ['* /**']\nrequire = ['ROLE_ANONYMOUS', 'ROLE_WRITE']"
    );
    refused(&settings, &[("GET", "/proxy/shop/a", 403, "caller")]).await;
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "require = ['ROLE_ANONYMOUS']");
    assert_eq!(proxy.get("/proxy/shop/a").await.status, 200);
    proxy.stop().await;
}

#[actix_web::test]
async fn a_claim_that_the_target_needs_and_the_caller_lacks_refuses_the_request() {
    for keys in ["rewrite = '/shops/{claims.sub}/{tail}'", "request_headers.set.x-shop = '{claims.sub}'"] {
        let settings = format!("passthrough.enabled = true\n{SHOP}allow = ['* /**']\n{keys}");
        refused(&settings, &[("GET", "/proxy/shop/a", 403, "caller")]).await;
    }
}

#[actix_web::test]
async fn a_body_that_is_declared_too_large_is_refused_before_anything_is_dialled() {
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "max_request_body = 10");
    let answer = proxy.send(head("POST", "/proxy/shop/a", &["Content-Length: 11"]) + "12345678901").await;
    assert_eq!(answer.own(), (413, "request_too_large".into()));
    assert_eq!(target.connections(), 0);
    let answer = proxy.send(head("POST", "/proxy/shop/a", &["Content-Length: 10"]) + "1234567890").await;
    assert_eq!(answer.status, 200);
    proxy.stop().await;
}

#[actix_web::test]
async fn a_target_gets_no_more_requests_than_it_may_have() {
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "rate = { per_second = 1 }");
    assert_eq!(proxy.get("/proxy/shop/a").await.status, 200);
    let answer = proxy.get("/proxy/shop/a").await;
    assert_eq!(answer.own(), (429, "rate_limited".into()));
    assert_eq!(answer.header("retry-after"), ["1"]);
    assert_eq!(target.received().len(), 1);
    proxy.stop().await;
}
