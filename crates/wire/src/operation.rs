//! The named operations: the only things that `db-server` can ask for.

use serde::{Serialize, de::DeserializeOwned};

/// One named operation of one provider: `POST /v1/{PROVIDER}/{NAME}` with a `Request`, answered by a
/// [`crate::Reply`] of `Answer`.
pub trait Operation {
    /// The provider's name, as in `[providers.NAME]` of the proxy's settings.
    const PROVIDER: &'static str;
    /// The operation's name, in snake case.
    const NAME: &'static str;
    /// What is asked.
    type Request: Serialize + DeserializeOwned;
    /// What a success gives.
    type Answer: Serialize + DeserializeOwned;
}

/// The path of an operation on `provider-proxy`.
#[must_use]
pub fn operation_path<O: Operation>() -> String {
    format!("/v1/{}/{}", O::PROVIDER, O::NAME)
}
