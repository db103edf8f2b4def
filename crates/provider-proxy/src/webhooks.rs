//! Webhooks out: messages of db-server's, signed here and posted to endpoints that this host's settings name.
//!
//! db-server chooses an endpoint by its name, and the message. Where that leads, and the secrets that sign, are known
//! here alone: a db-server that somebody broke into can reach no other address through this.

mod deliver;
mod error;
mod settings;
mod signature;

pub use deliver::Deliverer;
pub use error::DeliveryError;
pub use settings::{WebhookEndpoint, WebhookSettings};
pub use signature::SigningKey;

#[cfg(test)]
mod tests;
