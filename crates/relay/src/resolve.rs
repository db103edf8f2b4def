//! From a host's name to the addresses that may be dialled.

use std::net::SocketAddr;

use futures_util::future::LocalBoxFuture;

use crate::error::ResolveError;

/// Finds the addresses of a host. What it returns is dialled as it is: whoever must not reach some addresses refuses
/// them here. Literal addresses are asked about like names.
pub trait Resolve {
    /// The addresses of a host, in the order in which they are tried. An IPv6 literal comes without its brackets.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>>;
}

/// The system's resolver, with nothing refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
        Box::pin(async move {
            let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
            if addresses.is_empty() { Err(ResolveError::NotFound) } else { Ok(addresses) }
        })
    }
}
