//! The name is resolved once for a connection, and what has been judged is what is dialled.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::LocalBoxFuture;
use relay::ResolveError;

use super::*;

/// Answers the first question with one list of addresses, and every later one with another.
#[derive(Clone)]
struct Rebinding {
    first: &'static str,
    later: &'static str,
    asked: Arc<AtomicUsize>,
}

impl Rebinding {
    fn new(first: &'static str, later: &'static str) -> Self {
        Self { first, later, asked: Arc::default() }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Rebinding {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
        assert_eq!(host, "shop.test");
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = if before == 0 { self.first } else { self.later };
        let addresses = answer.split(' ').map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect();
        Box::pin(async { Ok(addresses) })
    }
}

/// What a caller gets of a target with a name that is resolved so, on the port of a local server.
async fn asked(resolver: &Rebinding, port: u16, keys: &str) -> Answered {
    let resolver = resolver.clone();
    let scheme = if keys.contains("private") { "http" } else { "https" };
    let settings = format!(
        "passthrough.enabled = true\n[targets.shop]\nurl = '{scheme}://shop.test:{port}'\nallow = ['* /**']\n\
         connect_timeout = '300ms'\n{keys}"
    );
    let proxy = Proxy::start_with(&settings, move || Rc::new(resolver.clone()));
    let answer = proxy.get("/proxy/shop/a").await;
    proxy.stop().await;
    answer
}

#[actix_web::test]
async fn a_name_that_leads_inside_is_not_dialled() {
    let local = Upstream::answering(ok("")).await;
    for answer in [
        "127.0.0.1",
        "::ffff:127.0.0.1",
        "8.8.8.8 127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "64:ff9b::7f00:1",
    ] {
        let resolver = Rebinding::new(answer, answer);
        let got = asked(&resolver, local.address.port(), "").await;
        assert_eq!(got.own(), (502, "egress".into()), "{answer}");
        assert!(!String::from_utf8(got.body()).unwrap().contains("shop.test"));
        assert_eq!(resolver.asked(), 1);
    }
    assert_eq!(local.connections(), 0);
}

#[actix_web::test]
async fn a_name_that_is_rebound_after_it_was_judged_leads_nowhere_else() {
    // Public when it is judged, and this machine from then on. The public one was the 6bone's and is routed nowhere
    // (RFC 3701); whoever asked for the name again would reach the local server.
    let local = Upstream::answering(ok("inside")).await;
    let resolver = Rebinding::new("3ffe::1", "127.0.0.1");
    let got = asked(&resolver, local.address.port(), "").await;
    assert_eq!(got.own(), (500, "connect".into()));
    assert_eq!((resolver.asked(), local.connections()), (1, 0));
}

#[actix_web::test]
async fn the_address_that_was_judged_is_the_one_that_is_dialled() {
    let local = Upstream::answering(ok("inside")).await;
    let resolver = Rebinding::new("127.0.0.1", "169.254.169.254");
    let got = asked(&resolver, local.address.port(), "private = true").await;
    assert_eq!(got.status, 200);
    let received = local.only();
    // The name stays the name: in Host, as in the certificate's check.
    assert_eq!(received.header("host"), [format!("shop.test:{}", local.address.port())]);
    assert_eq!(resolver.asked(), 1);
}

#[actix_web::test]
async fn every_new_connection_is_judged_anew() {
    let local =
        Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    let resolver = Rebinding::new("127.0.0.1", "169.254.169.254");
    let shared = resolver.clone();
    let settings = shop(&format!("http://shop.test:{}", local.address.port()), "");
    let proxy = Proxy::start_with(&settings, move || Rc::new(shared.clone()));
    assert_eq!(proxy.get("/proxy/shop/a").await.status, 200);
    assert_eq!(proxy.get("/proxy/shop/a").await.own(), (502, "egress".into()));
    assert_eq!((resolver.asked(), local.connections()), (2, 1));
    proxy.stop().await;
}
