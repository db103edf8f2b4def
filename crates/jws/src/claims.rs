//! Checks the claims that RFC 7519, section 4.1, registers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::VerifyError;

/// What a token's claims must be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What time it is.
    pub now: SystemTime,
    /// How far the clocks of both sides may be apart.
    pub leeway: Duration,
    /// Who must have signed: the claim `iss`.
    pub issuer: &'a str,
    /// Whom it must be for: the claim `aud`, or one of its list.
    pub audience: &'a str,
}

impl Expected<'_> {
    /// Checks `iss`, `aud` and `exp`, which must be there, and `nbf` and `iat` where they are. Times are whole seconds.
    ///
    /// # Errors
    /// [`VerifyError::Issuer`] and [`VerifyError::Audience`] before [`VerifyError::Expired`] and
    /// [`VerifyError::NotYetValid`]: only a token that was once good has expired. [`VerifyError::Malformed`] when one is
    /// missing or has a wrong type.
    pub fn check(&self, claims: &Map<String, Value>) -> Result<(), VerifyError> {
        let issuer = claims.get("iss").ok_or(VerifyError::Malformed)?;
        if issuer.as_str() != Some(self.issuer) {
            return Err(VerifyError::Issuer);
        }
        if !self.is_for_us(claims.get("aud").ok_or(VerifyError::Malformed)?) {
            return Err(VerifyError::Audience);
        }
        let now = seconds_since_the_epoch(self.now);
        let leeway = self.leeway.as_secs();
        let end = time(claims, "exp")?.ok_or(VerifyError::Malformed)?;
        if now >= end.saturating_add(leeway) {
            return Err(VerifyError::Expired);
        }
        for name in ["nbf", "iat"] {
            if time(claims, name)?.is_some_and(|begin| begin > now.saturating_add(leeway)) {
                return Err(VerifyError::NotYetValid);
            }
        }
        Ok(())
    }

    fn is_for_us(&self, audience: &Value) -> bool {
        match audience {
            Value::String(one) => one == self.audience,
            Value::Array(several) => several.iter().any(|one| one.as_str() == Some(self.audience)),
            _ => false,
        }
    }
}

fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, VerifyError> {
    claims.get(name).map(|value| value.as_u64().ok_or(VerifyError::Malformed)).transpose()
}

/// A clock before 1970 is taken for 1970.
fn seconds_since_the_epoch(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(claims: Value) -> Result<(), VerifyError> {
        let expected = Expected {
            now: UNIX_EPOCH + Duration::from_secs(1_000),
            leeway: Duration::from_secs(5),
            issuer: "us",
            audience: "them",
        };
        expected.check(claims.as_object().unwrap())
    }

    /// Good claims with one of them replaced, or taken away.
    fn with(name: &str, value: Option<Value>) -> Value {
        let mut claims = json!({"iss": "us", "aud": "them", "exp": 1_001, "iat": 1_000, "nbf": 1_000});
        let members = claims.as_object_mut().unwrap();
        match value {
            Some(value) => members.insert(name.to_owned(), value),
            None => members.remove(name),
        };
        claims
    }

    #[test]
    fn what_expired_is_told_apart_from_what_never_was_valid() {
        for (name, value, expected) in [
            ("iss", json!("other"), Err(VerifyError::Issuer)),
            ("iss", json!(["us"]), Err(VerifyError::Issuer)),
            ("aud", json!("other"), Err(VerifyError::Audience)),
            ("aud", json!([]), Err(VerifyError::Audience)),
            ("aud", json!(["other", "them"]), Ok(())),
            ("exp", json!(995), Err(VerifyError::Expired)),
            ("exp", json!(996), Ok(())),
            ("exp", json!(u64::MAX), Ok(())),
            ("exp", json!("1001"), Err(VerifyError::Malformed)),
            ("exp", json!(-1), Err(VerifyError::Malformed)),
            ("exp", json!(1e9), Err(VerifyError::Malformed)),
            ("nbf", json!(1_005), Ok(())),
            ("nbf", json!(1_006), Err(VerifyError::NotYetValid)),
            ("iat", json!(1_006), Err(VerifyError::NotYetValid)),
            ("iat", json!(null), Err(VerifyError::Malformed)),
        ] {
            assert_eq!(check(with(name, Some(value.clone()))), expected, "{name} {value}");
        }
    }

    #[test]
    fn an_end_an_issuer_and_an_audience_must_be_there() {
        for (name, expected) in [
            ("iss", Err(VerifyError::Malformed)),
            ("aud", Err(VerifyError::Malformed)),
            ("exp", Err(VerifyError::Malformed)),
            ("nbf", Ok(())),
            ("iat", Ok(())),
        ] {
            assert_eq!(check(with(name, None)), expected, "{name}");
        }
    }

    #[test]
    fn a_token_of_somebody_else_is_not_called_expired() {
        let mut claims = with("exp", Some(json!(1)));
        claims["iss"] = json!("other");
        assert_eq!(check(claims), Err(VerifyError::Issuer));
    }
}
