//! The client at the other end of a TLS connection, by the certificate that it has presented.

use std::{
    any::Any,
    cell::{Cell, OnceCell},
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{Extensions, ServiceRequest, ServiceResponse},
    http::{ConnectionType, StatusCode},
    middleware::Next,
    rt::net::TcpStream,
};
use rustls::pki_types::CertificateDer;

use super::reply;
use crate::tls::{ServerTls, SubjectName};

/// How long a certificate is believed on one connection while the files stay as they are: it may have ended meanwhile.
const BELIEVED: Duration = Duration::from_secs(60);

/// The client of one connection; [`actix_web::HttpRequest::conn_data`] has it where client certificates are demanded.
pub struct Peer {
    chain: Vec<CertificateDer<'static>>,
    tls: Arc<ServerTls>,
    /// By which reading of the files it was found good, and when.
    checked: Cell<Option<(u64, Instant)>>,
    known_as: OnceCell<Option<usize>>,
}

impl Peer {
    /// Whether its certificate is made out to this name or address.
    #[must_use]
    pub fn is(&self, name: &SubjectName) -> bool {
        self.chain.first().is_some_and(|certificate| name.is_in(certificate))
    }

    /// Which entry of a list that never changes the client is, found out once for each connection.
    pub fn known_as(&self, find: impl FnOnce(&Self) -> Option<usize>) -> Option<usize> {
        *self.known_as.get_or_init(|| find(self))
    }

    fn is_trusted(&self) -> bool {
        if let Some((generation, at)) = self.checked.get()
            && generation == self.tls.generation()
            && at.elapsed() < BELIEVED
        {
            return true;
        }
        let trusted_by = self.tls.trusts(&self.chain);
        self.checked.set(trusted_by.map(|generation| (generation, Instant::now())));
        trusted_by.is_some()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Peer").finish_non_exhaustive()
    }
}

/// What a service answers on a connection whose certificate is not trusted any more, as `app_data`; without it that is
/// [`super::detail`].
#[derive(Clone, Copy)]
pub struct OnDistrust(pub fn(&ServiceRequest) -> HttpResponse);

/// Keeps the client's certificate with each new connection.
pub(super) fn remember(tls: Arc<ServerTls>) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync {
    move |connection, data| {
        let stream = connection.downcast_ref::<TlsStream<TcpStream>>();
        if let Some(chain) = stream.and_then(|stream| stream.get_ref().1.peer_certificates()) {
            let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
            let (checked, known_as) = (Cell::new(None), OnceCell::new());
            data.insert(Peer { chain, tls: Arc::clone(&tls), checked, known_as });
        }
    }
}

/// Runs the request, unless its connection's certificate has ended or been revoked since; then the connection ends.
pub(super) async fn only_trusted(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.conn_data::<Peer>().is_none_or(Peer::is_trusted) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let mut response = match request.app_data::<OnDistrust>() {
        Some(OnDistrust(answer)) => answer(&request),
        None => reply::detail(StatusCode::FORBIDDEN, "The client certificate is not trusted."),
    };
    response.head_mut().set_connection_type(ConnectionType::Close);
    Ok(request.into_response(response))
}
