//! One exchange with a provider, and the one place that decides what its failures mean.
//!
//! Before anything was sent every failure is an error. Afterwards the provider may have acted: an operation that changes
//! something then has an unknown outcome, and one that only reads has none.

use actix_web::http::{
    StatusCode,
    header::{HeaderMap, HttpDate, RETRY_AFTER},
};
use bytes::Bytes;
use chassis::client::{ClientError, ClientSettings, HttpClient, Outgoing};
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use wire::{
    ErrorKind,
    payment::{FieldError, Outcome, Provider, Rejection},
};

use crate::{
    credentials::Withheld,
    error::ProxyError,
    shape::{self, ShapeError},
};

/// Exchanges of one connector, on one worker thread.
pub(crate) struct Exchange {
    http: HttpClient,
    target: &'static str,
    withheld: Withheld,
}

/// A complete 2xx or 4xx of the provider, without any credential of ours.
#[derive(Debug)]
pub(crate) struct Received {
    /// The status: success or client error, never another.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
}

/// An answer that is not what the provider's protocol allows; names a field and never a value.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Unintelligible(pub(crate) ShapeError);

impl Unintelligible {
    /// A fault of one field of the answer.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        Self(ShapeError::field(field, message))
    }
}

impl From<ShapeError> for Unintelligible {
    fn from(error: ShapeError) -> Self {
        Self(error)
    }
}

impl Exchange {
    /// Makes the exchanges of a connector; `withheld` is taken out of every answer.
    ///
    /// # Errors
    /// [`ClientError`] when the certificate authority cannot be read.
    pub(crate) fn new(
        provider: Provider,
        settings: &ClientSettings,
        withheld: Withheld,
    ) -> Result<Self, ClientError> {
        Ok(Self { http: HttpClient::new(settings)?, target: provider.name(), withheld })
    }

    /// What no answer may hold.
    pub(crate) const fn withheld(&self) -> &Withheld {
        &self.withheld
    }

    /// Sends a request that may change something at the provider, and maps its answer.
    ///
    /// # Errors
    /// [`ProxyError`] when nothing was sent; afterwards there is always an outcome, if only an unknown one.
    pub(crate) async fn change<T>(
        &self,
        outgoing: Outgoing,
        map: impl FnOnce(&Received) -> Result<Outcome<T>, Unintelligible>,
    ) -> Result<Outcome<T>, ProxyError> {
        let received = self.send(outgoing).await;
        unless_unknown(received.and_then(|received| map(&received).map_err(|error| self.unexpected(error))))
    }

    /// Sends a request that changes nothing, and maps its answer.
    ///
    /// # Errors
    /// [`ProxyError`] when there is no answer, or none that can be read.
    pub(crate) async fn read<T>(
        &self,
        outgoing: Outgoing,
        map: impl FnOnce(&Received) -> Result<T, Unintelligible>,
    ) -> Result<T, ProxyError> {
        let received = self.send(outgoing).await?;
        map(&received).map_err(|error| self.unexpected(error))
    }

    /// Sends a request once, without following where a redirect leads. Credentials in its sensitive headers are taken
    /// out of the answer as well.
    async fn send(&self, outgoing: Outgoing) -> Result<Received, ProxyError> {
        let target = self.target;
        let mut withheld = self.withheld.clone();
        let sensitive = outgoing.headers.iter().filter(|(_, value)| value.is_sensitive());
        for text in sensitive.filter_map(|(_, value)| value.to_str().ok()) {
            withheld.add(text.rsplit(' ').next().unwrap_or(text));
        }
        let sent = self.http.send(outgoing).await;
        let incoming = sent.map_err(|source| ProxyError::Exchange { target, source })?;
        let status = incoming.status;
        if !status.is_success() {
            log::warn!("{target}: response status: {}", status.as_u16());
        }
        if !status.is_success() && !status.is_client_error() {
            return Err(ProxyError::UnexpectedStatus { target, status: status.as_u16() });
        }
        Ok(Received { status, headers: incoming.headers, body: withheld.clean_bytes(incoming.body) })
    }

    fn unexpected(&self, error: Unintelligible) -> ProxyError {
        ProxyError::UnexpectedAnswer { target: self.target, source: error.0 }
    }
}

/// The outcome of something that changes, or an unknown one where the provider may have acted.
///
/// # Errors
/// [`ProxyError`] when nothing was sent, or the answer is about another amount.
pub(crate) fn unless_unknown<T>(result: Result<Outcome<T>, ProxyError>) -> Result<Outcome<T>, ProxyError> {
    result.or_else(|error| {
        let failure = error.failure();
        // An answer about another amount is to be looked at by a person, whatever else is known.
        if !failure.kind.outcome_is_unknown() || failure.kind == ErrorKind::Integrity {
            return Err(error);
        }
        log::error!("{}", crate::server::chain(&error));
        Ok(Outcome::Unknown { reason: failure.message })
    })
}

/// For a further step of an operation whose earlier step has changed something: whatever fails now, the outcome of
/// the whole is unknown, even if nothing was sent for this step.
pub(crate) fn after_a_change<T>(result: Result<Outcome<T>, ProxyError>) -> Outcome<T> {
    result.unwrap_or_else(|error| {
        log::error!("{}", crate::server::chain(&error));
        Outcome::Unknown { reason: error.failure().message }
    })
}

/// The outcome for a nonce that cannot be one of the provider's. A payer's browser chose it, so that it is no fault of
/// db-server's: it is rejected as the provider would reject one that it does not know, and nothing was sent.
pub(crate) fn no_such_nonce<T>() -> Outcome<T> {
    let message = "There is no such payment method.".to_owned();
    let error = FieldError {
        field: Some("nonce".to_owned()),
        code: "resource_missing".to_owned(),
        message: message.clone(),
    };
    Outcome::Rejected {
        rejection: Rejection { status: 400, message, errors: vec![error], retry_after: None },
    }
}

impl Received {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`Unintelligible`].
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Unintelligible> {
        Ok(shape::from_slice(&self.body)?)
    }

    /// Reads the body as whatever JSON.
    ///
    /// # Errors
    /// [`Unintelligible`].
    pub(crate) fn value(&self) -> Result<Value, Unintelligible> {
        self.json()
    }

    /// The outcome of a request that the provider did not take, with its own words for why.
    pub(crate) fn rejected<T>(&self, message: impl Into<String>, errors: Vec<FieldError>) -> Outcome<T> {
        Outcome::Rejected {
            rejection: Rejection {
                status: self.status.as_u16(),
                message: message.into(),
                errors,
                retry_after: self.retry_after(),
            },
        }
    }

    /// When the provider asks to be called again. Only what the header may hold is passed on: seconds or a date.
    pub(crate) fn retry_after(&self) -> Option<String> {
        retry_after(&self.headers)
    }
}

/// `Retry-After`, if it holds what it may (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let known = text.parse::<u32>().is_ok() || text.parse::<HttpDate>().is_ok();
    known.then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
