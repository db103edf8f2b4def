//! The relay over real sockets.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

mod failures;
mod faithful;
mod framing;
mod http2;
mod pooling;
mod support;
mod tls;
mod unchanged;
mod websocket;
