//! What `GET /services/status/` says on both servers.

use serde::{Deserialize, Serialize};

/// The health of one server, as in Solitude's status service.
///
/// On `db-server` every flag must be true for HTTP 200. On `provider-proxy` only `settings` is ever true: it says
/// that neither a database nor a cache is configured there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServiceStatus {
    /// The cache answers.
    pub cache: bool,
    /// The database answers.
    pub db: bool,
    /// `provider-proxy` can be reached.
    pub proxies: bool,
    /// The settings are sound: encryption keys round-trip, or no database is configured on the proxy.
    pub settings: bool,
}
