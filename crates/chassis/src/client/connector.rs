//! awc's connector with `TCP_NODELAY`, our limits and our trust roots.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use actix_tls::connect::{ConnectError, ConnectInfo, Connection, Connector as TcpConnector, Resolver};
use actix_web::{dev::Service, http::Uri, rt::net::TcpStream};
use awc::Connector;
use futures_util::future::LocalBoxFuture;
use rustls::ClientConfig;

/// A connector for one client. It speaks HTTP/1.1: the TLS configuration offers no other protocol. The timeout holds for each of connecting and the TLS handshake.
pub(super) fn connector(
    timeout: Duration,
    tls: Arc<ClientConfig>,
) -> Connector<
    impl Service<ConnectInfo<Uri>, Response = Connection<Uri, TcpStream>, Error = ConnectError> + Clone,
> {
    Connector::new()
        .connector(NoDelay(TcpConnector::new(Resolver::default()).service()))
        .timeout(timeout)
        .handshake_timeout(timeout)
        .rustls_0_23(tls)
}

/// Sets `TCP_NODELAY` on each new connection. Without it a body that spans packets waits 40 ms for the peer's delayed
/// acknowledgement.
#[derive(Clone)]
struct NoDelay<S>(S);

impl<S> Service<ConnectInfo<Uri>> for NoDelay<S>
where
    S: Service<ConnectInfo<Uri>, Response = Connection<Uri, TcpStream>, Error = ConnectError>,
    S::Future: 'static,
{
    type Response = Connection<Uri, TcpStream>;
    type Error = ConnectError;
    type Future = LocalBoxFuture<'static, Result<Self::Response, ConnectError>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        self.0.poll_ready(context)
    }

    fn call(&self, request: ConnectInfo<Uri>) -> Self::Future {
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connection = connecting.await?;
            connection.io_ref().set_nodelay(true).map_err(ConnectError::Io)?;
            Ok(connection)
        })
    }
}
