//! New connections: the address asked for once, that very address dialled, TLS for the URL's name.

use std::{cell::Cell, io, net::SocketAddr, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use crate::{
    RelayError, ResolveError, UpstreamSettings,
    connection::{Transport, Watch, later},
    wire::Wire,
};

/// Makes a connection, within the settings' limit and before `end`. The address is noted before it is dialled.
pub(crate) async fn dial(
    settings: &UpstreamSettings,
    end: Instant,
    note: &Cell<Option<SocketAddr>>,
) -> Result<Box<Wire>, RelayError> {
    let limit = later(Instant::now(), settings.connect_timeout).min(end);
    let timeout = RelayError::ConnectTimeout { after: settings.connect_timeout };
    let (transport, address) = timeout_at(limit, open(settings, note)).await.unwrap_or(Err(timeout))?;
    let watch = Watch::new(settings.idle_timeout, settings.max_idle_time);
    Ok(Wire::new(transport, address, watch))
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
