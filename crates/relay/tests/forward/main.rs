//! The relay over real sockets.

mod failures;
mod faithful;
mod framing;
mod pooling;
mod support;
mod tls;
mod unchanged;
mod websocket;
