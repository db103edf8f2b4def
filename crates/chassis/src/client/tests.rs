//! Each way in which an exchange can fail, over real sockets.

use std::{fs, io::Write as _, net::TcpListener as StdListener, path::Path};

use actix_web::web::{self, ServiceConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use super::*;
use crate::{
    logging::{RequestContext, in_context},
    server::{self, Bound, ServerSettings, TlsSettings},
};

fn get(url: String) -> Outgoing {
    Outgoing { method: Method::GET, url, headers: Vec::new(), body: Bytes::new() }
}

fn client(total: Duration) -> HttpClient {
    // Plain HTTP needs no authority, but a machine without any must still run these tests.
    let authority = Authority::new();
    let settings = ClientSettings {
        total_timeout: total,
        max_response_body: 16,
        ca: Some(authority.path("ca.pem")),
        ..ClientSettings::default()
    };
    HttpClient::new(&settings).unwrap()
}

/// Accepts one connection, reads the request's first bytes, then does as told with the connection.
async fn peer(answer: &'static str, hold: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    actix_web::rt::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
        let mut stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        if hold {
            std::future::pending::<()>().await;
        }
    });
    url
}

#[actix_web::test]
async fn a_refused_connection_sent_nothing() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = client(Duration::from_secs(10)).send(get(url)).await.unwrap_err();
    assert!(matches!(error, ExchangeError::Connect(_)), "{error:?}");
    assert!(!error.was_sent());
}

#[actix_web::test]
async fn a_connection_that_closes_instead_of_answering_may_have_been_heard() {
    let error = client(Duration::from_secs(10)).send(get(peer("", false).await)).await.unwrap_err();
    assert!(matches!(error, ExchangeError::Protocol(_)), "{error:?}");
    assert!(error.was_sent());
}

#[actix_web::test]
async fn an_answer_that_is_cut_short_may_have_been_heard() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    let error = client(Duration::from_secs(10)).send(get(peer(half, false).await)).await.unwrap_err();
    assert!(matches!(error, ExchangeError::Truncated { declared: 10, received: 4 }), "{error:?}");
    assert!(error.was_sent());
}

#[actix_web::test]
async fn what_is_not_http_is_a_protocol_error() {
    let error =
        client(Duration::from_secs(10)).send(get(peer("SSH-2.0\r\n\r\n", false).await)).await.unwrap_err();
    assert!(matches!(error, ExchangeError::Protocol(_)), "{error:?}");
}

#[actix_web::test]
async fn silence_is_a_timeout_before_the_head_and_within_the_body() {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"] {
        let error = client(Duration::from_millis(200)).send(get(peer(answer, true).await)).await.unwrap_err();
        assert!(matches!(error, ExchangeError::Timeout { .. }), "{error:?}");
        assert!(error.was_sent());
    }
}

#[actix_web::test]
async fn an_answer_past_the_limit_is_refused() {
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n12345678901234567";
    let error = client(Duration::from_secs(10)).send(get(peer(long, true).await)).await.unwrap_err();
    assert!(matches!(error, ExchangeError::ResponseTooLarge { limit: 16 }), "{error:?}");
}

#[actix_web::test]
async fn a_redirect_is_given_as_it_is_and_never_followed() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let incoming = client(Duration::from_secs(10)).send(get(peer(redirect, true).await)).await.unwrap();
    assert_eq!(incoming.status, StatusCode::FOUND);
}

#[actix_web::test]
async fn the_request_id_goes_on_to_the_next_hop() {
    let bound = serve(None);
    let url = format!("{}/request-id", bound.url());
    let handle = bound.handle();
    actix_web::rt::spawn(bound.run());
    let context = Arc::new(RequestContext::new("the-id".into(), Some("the-transaction".into())));
    let authority = Authority::new();
    let settings = ClientSettings { ca: Some(authority.path("ca.pem")), ..ClientSettings::default() };
    let client = HttpClient::new(&settings).unwrap();
    let incoming = in_context(context, client.send(get(url))).await.unwrap();
    assert_eq!(incoming.body, "the-id the-transaction");
    handle.stop(false).await;
}

#[actix_web::test]
async fn tls_is_believed_only_from_the_authority_that_is_named_and_for_the_right_name() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let bound = serve(Some(TlsSettings {
        identity: authority.identity("localhost"),
        client_ca: None,
        crl: Vec::new(),
    }));
    let (port, handle) = (bound.address().port(), bound.handle());
    actix_web::rt::spawn(bound.run());

    let trusting = |ca: &Authority| {
        let settings = ClientSettings { ca: Some(ca.path("ca.pem")), ..ClientSettings::default() };
        HttpClient::new(&settings).unwrap()
    };
    let right = trusting(&authority).send(get(format!("https://localhost:{port}/"))).await.unwrap();
    assert_eq!(right.status, StatusCode::NOT_FOUND);
    for (client, host) in [(trusting(&stranger), "localhost"), (trusting(&authority), "127.0.0.1")] {
        let error = client.send(get(format!("https://{host}:{port}/"))).await.unwrap_err();
        assert!(matches!(error, ExchangeError::Tls(_)), "{host}: {error:?}");
        assert!(!error.was_sent());
    }
    handle.stop(false).await;
}

#[actix_web::test]
async fn a_server_with_an_authority_for_clients_serves_only_its_clients() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let tls = TlsSettings {
        identity: authority.identity("localhost"),
        client_ca: Some(authority.path("ca.pem")),
        crl: Vec::new(),
    };
    let bound = serve(Some(tls));
    let (url, handle) = (format!("https://localhost:{}/", bound.address().port()), bound.handle());
    actix_web::rt::spawn(bound.run());

    let with = |identity| {
        let settings =
            ClientSettings { ca: Some(authority.path("ca.pem")), identity, ..ClientSettings::default() };
        HttpClient::new(&settings).unwrap()
    };
    let known = with(Some(authority.identity("db-server"))).send(get(url.clone())).await.unwrap();
    assert_eq!(known.status, StatusCode::NOT_FOUND);
    assert!(with(None).send(get(url.clone())).await.is_err());
    assert!(with(Some(stranger.identity("db-server"))).send(get(url)).await.is_err());
    handle.stop(false).await;
}

fn serve(tls: Option<TlsSettings>) -> Bound {
    let settings = ServerSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        workers: 1,
        max_request_body: 1024,
        drain: Duration::from_secs(30),
        address_file: None,
        tls,
    };
    server::bind(&settings, |routes: &mut ServiceConfig| {
        routes.route("/request-id", web::get().to(request_ids));
    })
    .unwrap()
}

async fn request_ids(request: actix_web::HttpRequest) -> String {
    let header = |name| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
    format!("{} {}", header("x-request-id"), header("transaction-id"))
}

/// A certificate authority of one test, in a folder of its own.
struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::join(self.folder.path(), name)
    }

    fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let paths = Identity {
            certificate: self.path(&format!("{name}.pem")),
            key: self.path(&format!("{name}.key.pem")),
        };
        fs::write(&paths.certificate, certificate.pem()).unwrap();
        fs::write(&paths.key, key.serialize_pem()).unwrap();
        paths
    }
}
