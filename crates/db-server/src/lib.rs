//! The half of Solitude with the database: sellers, products, transactions; no provider credential.

pub mod api;
pub mod caller;
pub mod crypt;
pub mod database;
pub mod domain;
pub mod error;
pub mod etag;
pub mod field_errors;
pub mod form;
mod nonces;
pub mod page;
pub mod proxy_client;
pub mod refusal;
pub mod schema;
pub mod server;
pub mod settings;
pub mod store;
pub mod uri;

pub use server::{Application, StartError};
