//! Forwards one HTTP exchange to an upstream, streaming both ways, for the doors of both halves.

mod body;
mod connection;
mod decoder;
mod dial;
mod error;
mod exchange;
mod head;
pub mod hygiene;
pub mod path;
mod pool;
mod resolve;
mod respond;
mod sending;
mod tunnel;
mod upstream;
mod wire;

pub use body::IncomingBody;
pub use error::{RelayError, ResolveError};
pub use exchange::{Frame, Incoming, Outgoing, OutgoingBody, method};
pub use hygiene::{end_to_end, from_caller};
pub use resolve::{Resolve, SystemResolver};
pub use respond::respond;
pub use tunnel::{Switched, Transferred, Upgrade};
pub use upstream::{Upstream, UpstreamSettings};
