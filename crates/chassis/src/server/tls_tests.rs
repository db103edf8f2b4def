//! TLS while its files change, over real sockets.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::{ServerHandle, ServiceRequest},
    http::{Method, StatusCode, header::CONNECTION},
    rt::task::spawn_blocking,
    web::{self, ServiceConfig},
};
use bytes::Bytes;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, Stream, pki_types::ServerName};

use super::*;
use crate::{
    client::{ClientSettings, ExchangeError, HttpClient, Incoming, Outgoing},
    tls::{Identity, SubjectName, authority::Authority},
};

/// A server whose one route says for which names the client's certificate is good.
struct Running {
    url: String,
    handle: ServerHandle,
    tls: Arc<ServerTls>,
}

async fn names(request: HttpRequest) -> String {
    let Some(peer) = request.conn_data::<Peer>() else { return "nobody".to_owned() };
    let is = |name: &&str| peer.is(&SubjectName::parse(name).unwrap());
    ["client.test", "other.test", "192.0.2.7", "common.test"]
        .into_iter()
        .filter(is)
        .collect::<Vec<_>>()
        .join(" ")
}

fn start(tls: TlsSettings) -> Running {
    start_with(tls, |_: &mut ServiceConfig| {})
}

fn start_with(tls: TlsSettings, more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Running {
    let settings = ServerSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        workers: 1,
        max_request_body: 8,
        drain: Duration::from_secs(30),
        address_file: None,
        tls: Some(tls),
    };
    let bound = bind(&settings, move |routes: &mut ServiceConfig| {
        more(routes);
        routes.service(resource("/names/").route(web::get().to(names)));
    })
    .unwrap();
    let url = format!("https://localhost:{}/names/", bound.address().port());
    let (handle, tls) = (bound.handle(), bound.tls().unwrap());
    actix_web::rt::spawn(bound.run());
    Running { url, handle, tls }
}

/// TLS with the certificate `server`, without or with a demand for client certificates.
fn tls(authority: &Authority, demanding: bool) -> TlsSettings {
    let identity = authority.issue("server", &["localhost"], 1, 2080);
    let client_ca = demanding.then(|| authority.path("ca.pem"));
    let crl = if demanding { vec![authority.path("crl.pem")] } else { Vec::new() };
    TlsSettings { identity, client_ca, crl }
}

fn client(authority: &Authority, identity: Option<Identity>) -> HttpClient {
    let ca = Some(authority.path("ca.pem"));
    HttpClient::new(&ClientSettings { ca, identity, ..ClientSettings::default() }).unwrap()
}

async fn get(client: &HttpClient, url: &str) -> Result<Incoming, ExchangeError> {
    let (method, url) = (Method::GET, url.to_owned());
    client.send(Outgoing { method, url, headers: Vec::new(), body: Bytes::new() }).await
}

/// The year that [`Authority::issue`] was given, in the middle of which a certificate ends.
fn ends_in(year: u64) -> std::ops::Range<SystemTime> {
    let begin = |year: u64| UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_556_952);
    begin(year)..begin(year + 1)
}

#[actix_web::test]
async fn a_new_certificate_is_served_and_no_request_fails_meanwhile() {
    let authority = Authority::new();
    let server = start(tls(&authority, false));
    assert!(ends_in(2080).contains(&server.tls.expiry()));
    let kept_open = client(&authority, None);
    for year in 2050..2080_u64 {
        authority.issue("server", &["localhost"], year, i32::try_from(year).unwrap());
        server.tls.refresh(false);
        assert!(ends_in(year).contains(&server.tls.expiry()), "{year}");
        let new = client(&authority, None);
        for client in [&kept_open, &new] {
            assert_eq!(get(client, &server.url).await.unwrap().body, "nobody");
        }
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_bad_file_changes_nothing_until_it_is_mended() {
    let authority = Authority::new();
    let settings = tls(&authority, true);
    let (certificate, key) = (settings.identity.certificate.clone(), settings.identity.key.clone());
    let server = start(settings);
    let known = authority.issue("client", &["client.test"], 2, 2080);
    let served = server.tls.expiry();
    let others = authority.issue("others", &["localhost"], 3, 2060);
    let good = |name: &str| fs::read(authority.path(name)).unwrap();
    for (path, bad) in [
        (certificate.clone(), b"no certificate".to_vec()),
        // Another certificate than the key is for.
        (certificate.clone(), good("others.pem")),
        (key.clone(), Vec::new()),
        (authority.path("ca.pem"), Vec::new()),
        (authority.path("crl.pem"), b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n".to_vec()),
    ] {
        let before = fs::read(&path).unwrap();
        let client_before = client(&authority, Some(known.clone()));
        fs::write(&path, bad).unwrap();
        server.tls.refresh(false);
        assert_eq!(server.tls.expiry(), served, "{}", path.display());
        assert_eq!(get(&client_before, &server.url).await.unwrap().body, "client.test");
        fs::write(&path, before).unwrap();
    }
    fs::copy(&others.certificate, &certificate).unwrap();
    fs::copy(&others.key, &key).unwrap();
    server.tls.refresh(false);
    assert!(ends_in(2060).contains(&server.tls.expiry()));
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn files_that_have_not_changed_are_not_read_again_unless_asked() {
    let authority = Authority::new();
    let server = start(tls(&authority, false));
    let first = server.tls.generation();
    server.tls.refresh(false);
    assert_eq!(server.tls.generation(), first);
    server.tls.refresh(true);
    assert_ne!(server.tls.generation(), first);
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_certificate_that_is_revoked_is_refused_on_connections_old_and_new() {
    let authority = Authority::new();
    let server = start(tls(&authority, true));
    let revoked = client(&authority, Some(authority.issue("client", &["client.test"], 2, 2080)));
    let other = client(&authority, Some(authority.issue("other", &["other.test"], 3, 2080)));
    assert_eq!(get(&revoked, &server.url).await.unwrap().body, "client.test");
    assert_eq!(get(&other, &server.url).await.unwrap().body, "other.test");
    authority.revoke(&[2]);
    server.tls.refresh(false);
    // An answer, so on the connection that was open; a new one does not get that far.
    let answer = get(&revoked, &server.url).await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.headers.get(CONNECTION).unwrap(), "close");
    assert!(get(&revoked, &server.url).await.is_err());
    assert_eq!(get(&other, &server.url).await.unwrap().body, "other.test");
    authority.revoke(&[]);
    server.tls.refresh(false);
    assert_eq!(get(&revoked, &server.url).await.unwrap().body, "client.test");
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn an_authority_that_is_dropped_ends_the_connections_of_its_clients() {
    let (authority, successor) = (Authority::new(), Authority::new());
    let settings = TlsSettings { crl: Vec::new(), ..tls(&authority, true) };
    let server = start(settings);
    let client = client(&authority, Some(authority.issue("client", &["client.test"], 2, 2080)));
    assert_eq!(get(&client, &server.url).await.unwrap().status, StatusCode::OK);
    fs::copy(successor.path("ca.pem"), authority.path("ca.pem")).unwrap();
    server.tls.refresh(false);
    assert_eq!(get(&client, &server.url).await.unwrap().status, StatusCode::FORBIDDEN);
    assert!(get(&client, &server.url).await.is_err());
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_service_may_answer_in_its_own_words() {
    let authority = Authority::new();
    let server = start_with(tls(&authority, true), |routes: &mut ServiceConfig| {
        let answer = |request: &ServiceRequest| HttpResponse::Unauthorized().body(request.path().to_owned());
        routes.app_data(OnDistrust(answer));
    });
    let client = client(&authority, Some(authority.issue("client", &["client.test"], 2, 2080)));
    assert_eq!(get(&client, &server.url).await.unwrap().status, StatusCode::OK);
    authority.revoke(&[2]);
    server.tls.refresh(false);
    let answer = get(&client, &server.url).await.unwrap();
    assert_eq!((answer.status, answer.body.as_ref()), (StatusCode::UNAUTHORIZED, b"/names/".as_slice()));
    assert_eq!(answer.headers.get(CONNECTION).unwrap(), "close");
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_client_is_whom_its_alternative_names_say() {
    let authority = Authority::new();
    let server = start(tls(&authority, true));
    for (names, expected) in [
        (&["client.test"][..], "client.test"),
        (&["other.test", "192.0.2.7"], "other.test 192.0.2.7"),
        (&["unknown.test"], ""),
    ] {
        let client = client(&authority, Some(authority.issue("client", names, 2, 2080)));
        assert_eq!(get(&client, &server.url).await.unwrap().body, expected, "{names:?}");
    }
    server.handle.stop(false).await;
}

/// How the second of two handshakes of one client went.
fn second_handshake(config: Arc<ClientConfig>, address: SocketAddr) -> HandshakeKind {
    let mut kind = HandshakeKind::Full;
    for _ in 0..2 {
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = ClientConnection::new(Arc::clone(&config), name).unwrap();
        let mut socket = TcpStream::connect(address).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        stream.write_all(b"GET /names/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        kind = connection.handshake_kind().unwrap();
    }
    kind
}

#[actix_web::test]
async fn a_session_is_resumed_only_where_no_client_certificate_is_demanded() {
    for (demanding, expected) in [(false, HandshakeKind::Resumed), (true, HandshakeKind::Full)] {
        let authority = Authority::new();
        let server = start(tls(&authority, demanding));
        let identity = authority.issue("client", &["client.test"], 2, 2080);
        let config = crate::tls::client_config(Some(&authority.path("ca.pem")), Some(&identity)).unwrap();
        let port = server.url.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let kind = spawn_blocking(move || second_handshake(Arc::new(config), address)).await.unwrap();
        assert_eq!(kind, expected);
        server.handle.stop(false).await;
    }
}

#[test]
fn the_earliest_end_of_the_chain_counts() {
    let authority = Authority::new();
    let long = authority.issue("long", &["localhost"], 1, 2080);
    let short = authority.issue("short", &["localhost"], 2, 2040);
    let chain =
        fs::read_to_string(&long.certificate).unwrap() + &fs::read_to_string(&short.certificate).unwrap();
    fs::write(&long.certificate, chain).unwrap();
    let tls = ServerTls::open(&TlsSettings { identity: long, client_ca: None, crl: Vec::new() }).unwrap();
    assert!(ends_in(2040).contains(&tls.expiry()));
}

#[test]
fn a_revocation_list_that_is_none_is_told_by_its_file() {
    let authority = Authority::new();
    let settings = TlsSettings { crl: vec![authority.path("absent.pem")], ..tls(&authority, true) };
    let error = ServerTls::open(&settings).unwrap_err().to_string();
    assert!(error.contains("absent.pem"), "{error}");
}
