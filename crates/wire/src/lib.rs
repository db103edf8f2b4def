//! The contract between `db-server` and `provider-proxy`: request and response types, and nothing else.
//!
//! This crate is all that the two halves share. It does no I/O and knows no provider's protocol: it says what the
//! data half may ask of the credential half, and what it can be told in return.

pub mod delivery;
pub mod error;
pub mod identity;
pub mod money;
pub mod operation;
pub mod passthrough;
pub mod payment;
pub mod reference;
pub mod reply;
pub mod status;

pub use error::{ErrorKind, ProxyFailure};
pub use money::{Currency, Money, MoneyError};
pub use operation::{Operation, operation_path};
pub use reply::{ProviderAnswer, Reply};
