//! New connections: the address asked for once, that very address dialled, TLS for the URL's name.

use std::{cell::Cell, io, net::SocketAddr, rc::Rc, sync::Arc};

use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use crate::{
    RelayError, ResolveError, UpstreamSettings,
    body::SendBody,
    connection::{Socket, Transport, Watch, later},
};

/// How much of one connection's bytes is held in each direction.
const BUFFER: usize = 64 * 1024;

/// A connection on which HTTP/1.1 can be spoken, not yet driven.
pub(crate) struct Dialled {
    pub(crate) sender: SendRequest<SendBody>,
    pub(crate) connection: Connection<TokioIo<Socket>, SendBody>,
    pub(crate) watch: Rc<Watch>,
    pub(crate) address: SocketAddr,
}

/// Makes a connection, within the settings' limit and before `end`. The address is noted before it is dialled.
pub(crate) async fn dial(
    settings: &UpstreamSettings,
    end: Instant,
    note: &Cell<Option<SocketAddr>>,
) -> Result<Dialled, RelayError> {
    let limit = later(Instant::now(), settings.connect_timeout).min(end);
    let timeout = RelayError::ConnectTimeout { after: settings.connect_timeout };
    let (transport, address) = timeout_at(limit, open(settings, note)).await.unwrap_or(Err(timeout))?;
    let watch = Watch::new(settings.idle_timeout, settings.max_idle_time);
    let socket = TokioIo::new(Socket::new(transport, Rc::clone(&watch)));
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(BUFFER)
        .handshake(socket)
        .await
        .map_err(|error| RelayError::Connect(Box::new(error)))?;
    Ok(Dialled { sender, connection, watch, address })
}

async fn open(
    settings: &UpstreamSettings,
    note: &Cell<Option<SocketAddr>>,
) -> Result<(Transport, SocketAddr), RelayError> {
    let host = settings.url.host().trim_matches(['[', ']']);
    let addresses = settings.resolver.resolve(host, settings.url.port()).await?;
    let (stream, address) = first_to_connect(&addresses, note).await?;
    if !settings.url.is_https() {
        return Ok((Transport::Plain(stream), address));
    }
    let tls = settings.tls.as_ref().ok_or_else(|| RelayError::Tls(io::Error::other("TLS is not set up")))?;
    let stream = shake_hands(host, tls, stream).await.map_err(RelayError::Tls)?;
    Ok((Transport::Tls(Box::new(stream)), address))
}

async fn first_to_connect(
    addresses: &[SocketAddr],
    note: &Cell<Option<SocketAddr>>,
) -> Result<(TcpStream, SocketAddr), RelayError> {
    let mut failure = RelayError::Resolve(ResolveError::NotFound);
    for &address in addresses {
        note.set(Some(address));
        // Without TCP_NODELAY a body that spans packets waits 40 ms for the peer's delayed acknowledgement.
        let stream = TcpStream::connect(address).await;
        match stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok((stream, address)),
            Err(error) => failure = RelayError::Connect(Box::new(error)),
        }
    }
    Err(failure)
}

async fn shake_hands(
    host: &str,
    config: &Arc<ClientConfig>,
    stream: TcpStream,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await
}
