//! What a provider is said to have posted: its headers, its body, and the checks that all providers' webhooks need.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use thiserror::Error;
use wire::payment::{Provider, VerifyWebhook};

use crate::{
    error::ProxyError,
    shape::{self, ShapeError},
};

/// How far the time at which a webhook says it was signed may be from ours, before or after.
pub(crate) const TOLERANCE: Duration = Duration::from_secs(300);

/// A webhook, not yet believed.
pub(crate) struct Posted<'request> {
    request: &'request VerifyWebhook,
    /// Byte for byte as it arrived.
    pub(crate) body: Vec<u8>,
}

/// Why a webhook must not be believed; shows nothing of it.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum WebhookError {
    /// A header that it needs is not there.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// Two readers of the same webhook could disagree.
    #[error("there is more than one {0}")]
    Repeated(&'static str),
    /// A part of the signature is not what it must look like.
    #[error("the {0} is malformed")]
    Malformed(&'static str),
    /// It was signed too long ago: it may be a repeated one.
    #[error("the webhook was signed more than {TOLERANCE:?} ago")]
    Old,
    /// It tells of something that happened before its provider's last try to deliver it.
    #[error("the webhook is about something longer than {0:?} ago")]
    Outdated(Duration),
    /// It says that it will be signed.
    #[error("the webhook was signed more than {TOLERANCE:?} ahead of our clock")]
    Future,
    /// It was signed with another key, or changed afterwards.
    #[error("signature mismatch")]
    Mismatch,
    /// Nobody here knows the key that it says it was signed with.
    #[error("the webhook is signed with an unknown key")]
    UnknownKey,
    /// It is signed, and not what such a webhook is.
    #[error("the webhook is signed and cannot be read: {0}")]
    Unreadable(ShapeError),
}

impl WebhookError {
    /// The error of a provider.
    pub(crate) fn of(self, provider: Provider) -> ProxyError {
        ProxyError::InvalidSignature { target: provider.name(), source: Box::new(self) }
    }
}

impl<'request> Posted<'request> {
    /// Decodes the body.
    ///
    /// # Errors
    /// [`ShapeError`] when it is no base64.
    pub(crate) fn new(request: &'request VerifyWebhook) -> Result<Self, ShapeError> {
        let body = BASE64.decode(request.body.as_bytes());
        let body = body.map_err(|_| ShapeError::field("body", "not base64 (RFC 4648, section 4)"))?;
        Ok(Self { request, body })
    }

    /// The only header of a name in lower case.
    ///
    /// # Errors
    /// [`WebhookError::Missing`], [`WebhookError::Repeated`].
    pub(crate) fn header(&self, name: &'static str) -> Result<&'request str, WebhookError> {
        let mut values = self.request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (Some(header), None) => Ok(&header.value),
            (None, _) => Err(WebhookError::Missing(name)),
            (Some(_), Some(_)) => Err(WebhookError::Repeated(name)),
        }
    }

    /// The body as JSON, to be read only once the signature is known to be good.
    ///
    /// # Errors
    /// [`WebhookError::Unreadable`].
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, WebhookError> {
        shape::from_slice(&self.body).map_err(WebhookError::Unreadable)
    }
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock(fn() -> SystemTime);

impl Default for WallClock {
    fn default() -> Self {
        Self(SystemTime::now)
    }
}

impl WallClock {
    /// A clock of a test's own.
    #[cfg(test)]
    pub(crate) const fn of(now: fn() -> SystemTime) -> Self {
        Self(now)
    }

    /// The time itself.
    pub(crate) fn now(self) -> SystemTime {
        (self.0)()
    }

    /// Seconds since the epoch.
    pub(crate) fn unix_seconds(self) -> i64 {
        let since = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    /// Whether a webhook that was signed at these seconds since the epoch is neither too old nor ahead of our time.
    ///
    /// # Errors
    /// [`WebhookError::Old`], [`WebhookError::Future`].
    pub(crate) fn check(self, signed_at: i64) -> Result<(), WebhookError> {
        let now = self.unix_seconds();
        if now.abs_diff(signed_at) <= TOLERANCE.as_secs() {
            Ok(())
        } else if signed_at < now {
            Err(WebhookError::Old)
        } else {
            Err(WebhookError::Future)
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::payment::Header;

    use super::*;

    fn webhook(headers: &[(&str, &str)], body: &str) -> VerifyWebhook {
        let headers = headers
            .iter()
            .map(|(name, value)| Header { name: (*name).to_owned(), value: (*value).to_owned() })
            .collect();
        VerifyWebhook { headers, body: body.to_owned() }
    }

    #[test]
    fn a_time_is_good_for_five_minutes_before_and_after() {
        let clock = WallClock::of(|| UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        for (offset, expected) in [
            (0, Ok(())),
            (-300, Ok(())),
            (300, Ok(())),
            (-301, Err(WebhookError::Old)),
            (301, Err(WebhookError::Future)),
        ] {
            assert_eq!(clock.check(1_700_000_000 + offset), expected, "{offset}");
        }
        assert_eq!(clock.check(i64::MAX), Err(WebhookError::Future));
        assert_eq!(clock.check(i64::MIN), Err(WebhookError::Old));
    }

    #[test]
    fn a_header_that_is_needed_is_there_once() {
        let request = webhook(&[("x-one", "1"), ("x-two", "1"), ("X-Two", "2")], "");
        let posted = Posted::new(&request).unwrap();
        assert_eq!(posted.header("x-one"), Ok("1"));
        assert_eq!(posted.header("x-two"), Err(WebhookError::Repeated("x-two")));
        assert_eq!(posted.header("x-none"), Err(WebhookError::Missing("x-none")));
    }

    #[test]
    fn a_body_is_base64_with_its_padding_and_nothing_else() {
        assert_eq!(Posted::new(&webhook(&[], "AAECAw==")).unwrap().body, [0, 1, 2, 3]);
        for wrong in ["AAECAw", "AAEC Aw==", "!", "AAECAx=="] {
            assert!(Posted::new(&webhook(&[], wrong)).is_err(), "{wrong}");
        }
    }
}
