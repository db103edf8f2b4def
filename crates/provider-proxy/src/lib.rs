//! The half with the provider credentials: signs, sends and verifies, and has no database.
//!
//! `db-server` asks for named operations in the words of [`wire`]; each provider's connector turns them into that
//! provider's protocol. A caller chooses an operation and its fields, and never a URL, a header or a credential.

pub mod admin;
pub mod audit;
pub mod caller;
pub mod config;
pub mod credentials;
pub mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod metrics;
pub mod passthrough;
pub mod policy;
pub mod providers;
pub mod readiness;
pub mod refusal;
pub mod reload;
pub mod server;
pub mod services;
pub mod shape;
pub mod webhooks;

pub use config::Settings;
pub use server::{Application, StartError};
