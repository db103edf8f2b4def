//! The half of Solitude with the database: sellers, products, transactions; no provider credential.

pub mod api;
pub mod cache;
pub mod caller;
pub mod cleansed;
pub mod crypt;
pub mod database;
pub mod domain;
pub mod door;
pub mod email;
pub mod error;
pub mod etag;
pub mod field_errors;
pub mod form;
pub mod identity;
pub mod limit;
pub mod lookup;
pub mod openapi;
pub mod page;
pub mod password;
pub mod pin;
pub mod provider_errors;
pub mod proxy_client;
pub mod refusal;
pub mod report;
pub mod rotation;
pub mod routes;
pub mod schema;
pub mod server;
pub mod settings;
pub mod store;
pub mod uri;

pub use server::{Application, StartError};
