//! The id under which one attempt to move money is known everywhere.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::{Uuid, Version};

/// Our id of one attempt: a UUID of version 7 (RFC 9562), so that it says when it was made.
///
/// It is the provider's idempotency key or merchant reference: whoever asks again with the same id can not move money
/// twice.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub struct AttemptId(Uuid);

/// A UUID of another version than 7, or no UUID at all.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not a UUID of version 7")]
pub struct AttemptError;

impl AttemptId {
    /// The id of a new attempt.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The UUID itself.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl Default for AttemptId {
    fn default() -> Self {
        Self::new()
    }
}

impl TryFrom<Uuid> for AttemptId {
    type Error = AttemptError;

    fn try_from(uuid: Uuid) -> Result<Self, AttemptError> {
        if uuid.get_version() == Some(Version::SortRand) { Ok(Self(uuid)) } else { Err(AttemptError) }
    }
}

impl From<AttemptId> for Uuid {
    fn from(attempt: AttemptId) -> Self {
        attempt.0
    }
}

impl FromStr for AttemptId {
    type Err = AttemptError;

    fn from_str(text: &str) -> Result<Self, AttemptError> {
        Uuid::parse_str(text).map_err(|_| AttemptError)?.try_into()
    }
}

/// With hyphens, in lower case: 36 characters.
impl fmt::Display for AttemptId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_7_is_an_attempt() {
        let attempt = AttemptId::new();
        assert_eq!(attempt.to_string().parse(), Ok(attempt));
        assert_eq!(Uuid::nil().to_string().parse::<AttemptId>(), Err(AttemptError));
        assert_eq!("f47ac10b-58cc-4372-a567-0e02b2c3d479".parse::<AttemptId>(), Err(AttemptError));
        assert_eq!("no uuid".parse::<AttemptId>(), Err(AttemptError));
    }

    #[test]
    fn an_attempt_travels_as_its_text() {
        let attempt = AttemptId::new();
        assert_eq!(serde_json::to_value(attempt).unwrap(), attempt.to_string());
    }
}
