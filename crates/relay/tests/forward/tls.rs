//! TLS: the certificate is checked against the URL's name, whatever address is dialled.

use std::{fs, net::SocketAddr, path::PathBuf, rc::Rc, sync::Arc};

use chassis::{
    base_url::BaseUrl,
    server::TlsSettings,
    tls::{self, Identity, ServerTls},
};
use futures_util::{FutureExt as _, future::LocalBoxFuture};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use relay::{RelayError, Resolve, ResolveError, Upstream};
use rustls::ServerConfig;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use tokio_rustls::TlsAcceptor;

use crate::support::{get, settings};

pub(crate) struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let path = |end| self.folder.path().join(format!("{name}.{end}"));
        let identity = Identity { certificate: path("pem"), key: path("key") };
        fs::write(&identity.certificate, certificate.pem()).unwrap();
        fs::write(&identity.key, key.serialize_pem()).unwrap();
        identity
    }
}

/// The TLS of a server with this certificate, which demands one of this authority in turn, or none.
pub(crate) fn presents(identity: Identity, client_ca: Option<PathBuf>) -> ServerConfig {
    let settings = TlsSettings { identity, client_ca, crl: Vec::new() };
    ServerTls::open(&settings).unwrap().config().unwrap()
}

/// Speaks TLS as `name`, to clients of the authority only, and says yes to everything.
async fn server(authority: &Authority, name: &str) -> SocketAddr {
    let config = presents(authority.identity(name), Some(authority.ca()));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    actix_web::rt::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                stream.flush().await.unwrap();
                // Held open until the client closes.
                actix_web::rt::spawn(async move {
                    drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
                });
            }
        }
    });
    address
}

struct Always(SocketAddr);

impl Resolve for Always {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
        _: u16,
    ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
        async { Ok(vec![self.0]) }.boxed_local()
    }
}

fn upstream(name: &str, address: SocketAddr, ca: &Authority, identity: Option<&Identity>) -> Upstream {
    let mut settings = settings(address);
    settings.url = BaseUrl::parse(&format!("https://{name}")).unwrap();
    settings.tls = Some(Arc::new(tls::client_config(Some(&ca.ca()), identity).unwrap()));
    settings.resolver = Rc::new(Always(address));
    Upstream::new(settings)
}

#[actix_web::test]
async fn the_upstream_is_believed_only_with_the_right_name_from_the_right_authority() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let address = server(&authority, "provider.test").await;
    let client = authority.identity("client");
    let answer = upstream("provider.test", address, &authority, Some(&client)).send(get("/")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.address), (200, address));
    for (name, ca) in [("other.test", &authority), ("127.0.0.1", &authority), ("provider.test", &stranger)] {
        let error = upstream(name, address, ca, Some(&client)).send(get("/")).await.err().unwrap();
        assert!(matches!(error, RelayError::Tls(_)), "{name}: {error:?}");
        assert!(!error.was_sent());
    }
}

#[actix_web::test]
async fn an_upstream_that_asks_for_a_certificate_answers_only_with_one() {
    let authority = Authority::new();
    let address = server(&authority, "provider.test").await;
    assert!(upstream("provider.test", address, &authority, None).send(get("/")).await.is_err());
}

#[actix_web::test]
async fn without_a_tls_configuration_nothing_is_sent_to_an_https_url() {
    let authority = Authority::new();
    let address = server(&authority, "provider.test").await;
    let mut settings = settings(address);
    settings.url = BaseUrl::parse("https://provider.test").unwrap();
    settings.resolver = Rc::new(Always(address));
    let error = Upstream::new(settings).send(get("/")).await.err().unwrap();
    assert!(matches!(error, RelayError::Tls(_)), "{error:?}");
    assert!(!error.was_sent());
}
