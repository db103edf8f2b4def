//! What an operator is told of a target's token endpoint.

use super::*;

#[actix_web::test]
async fn a_token_endpoint_that_fails_makes_the_proxy_unready() {
    let target = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let endpoint = Upstream::answering("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n").await;
    let credential = format!(
        "credential = {{ kind = 'oauth2_client_credentials', token_url = '{}/token', client_id = 'id', \
         client_secret = 'dummy-client-secret' }}",
        endpoint.url()
    );
    let proxy = Proxy::shop(&target, &credential);
    assert!(proxy.services.readiness.reasons().is_empty());
    assert_eq!(proxy.get("/proxy/shop/x").await.status, 502);
    let reasons = proxy.services.readiness.reasons();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(
        reasons[0].starts_with("targets.shop.credential: the token endpoint answered 503"),
        "{reasons:?}"
    );
    let metrics = proxy.services.metrics.render(&proxy.services.bulkheads).unwrap();
    let counted = "provider_proxy_credential_refreshes_total{outcome=\"failure\",target=\"shop\"} 1";
    assert!(String::from_utf8(metrics).unwrap().lines().any(|line| line == counted));
    proxy.stop().await;
}
