//! The envelope of every answer of `provider-proxy` on `/v1`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ProxyFailure;

/// Either what the operation gave, or the provider's refusal, or the proxy's own error: `{"result": …}`,
/// `{"refused": {"status", "body"}}` or `{"error": {…}}`, so that a reader can always tell which it was.
///
/// The HTTP status is the provider's own for the first two, and [`crate::ErrorKind::http_status`] for the third.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply<T> {
    /// The provider did it.
    Result(T),
    /// The provider answered with anything but a 2xx; its status and body are data.
    Refused(ProviderAnswer),
    /// There is no answer from the provider.
    Error(ProxyFailure),
}

/// A provider's answer that is not a 2xx, unchanged.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ProviderAnswer {
    /// The provider's HTTP status.
    pub status: u16,
    /// The provider's body: its JSON where it was JSON, else its text as one JSON string.
    pub body: Value,
    /// When the provider asks to be called again: seconds or an HTTP date (RFC 9110, 10.2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
}
