//! Every kind of credential through the door: what reaches the target, and that it does not come back.

use std::{cell::Cell, rc::Rc};

use super::{Proxy, head, ok, shop, upstream::Upstream};

const SOAP: &str = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>\
    <GetPackage xmlns='com.bango.webservices.mozillaexporter'><request><username/><password/></request></GetPackage>\
    </s:Body></s:Envelope>";

/// A kind's settings, a body to send, and what of the credential the target must get.
const SECRETS: [(&str, &str, &str); 6] = [
    ("kind = 'bearer', token = 'dummy-secret-1'", "", "Bearer dummy-secret-1"),
    (
        "kind = 'basic', username = 'user', password = 'dummy-secret-1'",
        "",
        "Basic dXNlcjpkdW1teS1zZWNyZXQtMQ==",
    ),
    ("kind = 'header', name = 'X-Key', value = 'dummy-secret-1'", "", "dummy-secret-1"),
    ("kind = 'query', name = 'key', value = 'dummy secret/1'", "", "key=dummy%20secret%2F1"),
    ("kind = 'jwt', key = 'dummy-shared-secret-of-enough-length'", "", "Bearer eyJ"),
    (
        "kind = 'soap_login', username = 'user', password = 'dummy<secret>1'",
        SOAP,
        "<password>dummy&lt;secret&gt;1</password>",
    ),
];

fn post(headers: &[&str], body: &str) -> String {
    let length = format!("Content-Length: {}", body.len());
    let headers = [headers, &[length.as_str(), "Content-Type: text/xml"]].concat();
    head("POST", "/proxy/shop/a", &headers) + body
}

#[actix_web::test]
async fn a_target_that_echoes_gives_no_kind_of_credential_away() {
    for (settings, body, expected) in SECRETS {
        let target = Upstream::with(|received| {
            let echo = format!("{}{}", received.head, String::from_utf8_lossy(&received.body));
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: message/http\r\nContent-Length: {}\r\n\r\n{echo}",
                echo.len()
            )
            .into_bytes()
        })
        .await;
        let proxy = Proxy::shop(&target, &format!("credential = {{ {settings} }}"));
        let got = proxy.send(post(&["Authorization: Bearer callers", "X-Key: callers"], body)).await;
        let received = target.only();
        let received = format!("{}{}", received.head, String::from_utf8_lossy(&received.body));
        assert!(received.contains(expected), "{settings}: {received}");
        assert!(!received.contains("Bearer callers"), "{settings}: {received}");
        assert_eq!(got.own(), (502, "leak".into()), "{settings}");
        assert!(!format!("{got:?}").contains("secret"), "{got:?}");
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn a_credential_that_cannot_be_made_sends_nothing() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let token_url = format!(
        "kind = 'oauth2_client_credentials', token_url = 'http://{dead}/', client_id = 'i', client_secret = 'dummy-secret'"
    );
    for (settings, body, status, kind) in [
        (
            "kind = 'jwt', key = 'dummy-shared-secret-of-enough-length', claims = { a = '{claims.missing}' }",
            "",
            502,
            "credential",
        ),
        (token_url.as_str(), "", 502, "credential"),
        ("kind = 'soap_login', username = 'user', password = 'dummy-secret'", "<a/>", 400, "invalid_request"),
        (
            "kind = 'hmac_body', secret = 'dummy-secret', header = 'X-Signature'",
            "12345",
            413,
            "request_too_large",
        ),
    ] {
        let target = Upstream::answering(ok("never")).await;
        let proxy = Proxy::shop(&target, &format!("max_request_body = 4\ncredential = {{ {settings} }}"));
        let got = proxy.send(post(&[], body)).await;
        assert_eq!(got.own(), (status, kind.into()), "{settings}");
        assert_eq!(target.connections(), 0, "{settings}");
        assert!(!format!("{got:?}").contains("dummy"), "{got:?}");
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn a_token_that_the_target_refuses_is_replaced_once() {
    let minted = Rc::new(Cell::new(0));
    let counted = Rc::clone(&minted);
    let endpoint = Upstream::with(move |_| {
        counted.set(counted.get() + 1);
        let body = format!(
            "{{\"access_token\": \"dummy-access-{}\", \"token_type\": \"Bearer\", \"expires_in\": 600}}",
            counted.get()
        );
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    })
    .await;
    let target = Upstream::with(|received| match received.header("authorization")[..] {
        ["Bearer dummy-access-1"] => b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
        _ => ok("fine").into_bytes(),
    })
    .await;
    let credential = format!(
        "credential = {{ kind = 'oauth2_client_credentials', token_url = '{}/token', client_id = 'i', client_secret = 'dummy-secret' }}",
        endpoint.url()
    );
    let proxy = Proxy::start(&shop(&target.url(), &credential));
    let form = ["Content-Length: 19", "Content-Type: application/x-www-form-urlencoded"];
    for _ in 0..2 {
        let got = proxy.send(head("POST", "/proxy/shop/a", &form) + "a=1&access_token=no").await;
        assert_eq!((got.status, got.body()), (200, b"fine".to_vec()));
    }
    let sent: Vec<String> =
        target.received().iter().map(|received| received.header("authorization").join(",")).collect();
    assert_eq!(sent, ["Bearer dummy-access-1", "Bearer dummy-access-2", "Bearer dummy-access-2"]);
    assert!(target.received().iter().all(|received| received.body == b"a=1"));
    assert_eq!(minted.get(), 2);
    proxy.stop().await;
}

#[actix_web::test]
async fn a_target_without_a_credential_gets_none_of_the_callers() {
    let target = Upstream::answering(ok("fine")).await;
    let proxy = Proxy::shop(&target, "");
    let headers = ["Authorization: Bearer callers", "Cookie: a=callers", "X-Kept: kept"];
    let got = proxy.ask("GET", "/proxy/shop/a?access_token=callers&b=kept", &headers).await;
    assert_eq!(got.status, 200);
    let received = target.only();
    assert!(!received.head.contains("callers"), "{}", received.head);
    assert_eq!((received.line(), received.header("x-kept")), ("GET /a?b=kept HTTP/1.1", vec!["kept"]));
    proxy.stop().await;
}
