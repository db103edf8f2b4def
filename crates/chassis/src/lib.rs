//! What both services need and no domain word: settings, logging, an HTTP server shell and a hardened HTTP client.

pub mod base_url;
pub mod card_number;
pub mod client;
pub mod crash;
pub mod environment;
pub mod exit;
pub mod logging;
pub mod process;
pub mod server;
pub mod settings;
pub mod tls;
