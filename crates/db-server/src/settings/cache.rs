//! `[cache]` and `[limits]`.

use std::{num::NonZeroU32, time::Duration};

use chassis::{
    environment::Environment,
    settings::{SecretString, Section, Value},
};

use super::{positive, secret};
use crate::cache::RedisSettings;

/// So many requests in so much time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// How many.
    pub requests: NonZeroU32,
    /// In which time.
    pub per: Duration,
}

impl Value for Rate {
    /// `"100/s"`, `"6000/m"`, `"100000/h"`.
    fn read(value: &toml::Value, _: &Environment) -> Result<Self, String> {
        let expected = || "expected a rate such as \"100/s\", \"6000/m\", \"100000/h\"".to_owned();
        let (requests, unit) = value.as_str().and_then(|text| text.split_once('/')).ok_or_else(expected)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return Err(expected()),
        };
        let digits = requests.bytes().all(|byte| byte.is_ascii_digit());
        let requests = requests.parse().ok().filter(|_| digits).ok_or_else(expected)?;
        Ok(Self { requests, per: Duration::from_secs(seconds) })
    }

    fn placeholder() -> Self {
        Self { requests: NonZeroU32::MIN, per: Duration::from_secs(1) }
    }
}

/// The Redis, when there is one.
pub(super) fn redis(section: &Section) -> Option<RedisSettings> {
    let url: Option<SecretString> = secret(section, "url", section.optional("url"));
    let pool_size = section.or("pool_size", 10_u32);
    if pool_size == 0 {
        section.fault("pool_size", "expected at least 1");
    }
    let timeout = positive(section, "timeout", Duration::from_millis(500));
    let ca = section.optional("ca");
    if ca.is_some() && !section.has("url") {
        section.fault("url", "missing; the authorities are of no use without it");
    }
    let settings = RedisSettings { url: url?, ca, pool_size, timeout };
    if let Err(message) = settings.check_url() {
        section.fault("url", message);
    }
    Some(settings)
}

/// How often each client may call.
pub(super) fn per_client(section: &Section) -> Option<Rate> {
    section.optional("per_client")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Option<(u32, u64)> {
        let value = toml::Value::String(text.to_owned());
        let rate = Rate::read(&value, &Environment::default()).ok()?;
        Some((rate.requests.get(), rate.per.as_secs()))
    }

    #[test]
    fn a_rate_is_a_number_in_a_second_a_minute_or_an_hour() {
        assert_eq!(rate("100/s"), Some((100, 1)));
        assert_eq!(rate("1/m"), Some((1, 60)));
        assert_eq!(rate("5/h"), Some((5, 3_600)));
        for wrong in ["", "100", "0/s", "+1/s", "-1/s", "1.5/s", "1/d", "1/ s", "/s", "4294967296/s"] {
            assert_eq!(rate(wrong), None, "{wrong}");
        }
    }
}
