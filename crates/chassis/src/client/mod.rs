//! An HTTP client that cannot be led astray: no redirects, short limits, errors that say whether anything was sent.

#[cfg(fuzzing)]
pub mod canned;
mod connector;
mod error;

use std::{path::PathBuf, rc::Rc, sync::Arc, time::Duration};

use actix_web::http::{
    Method, StatusCode,
    header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue},
};
use awc::error::PayloadError;
use bytes::Bytes;

pub use error::{ClientError, ExchangeError};

pub use crate::tls::Identity;
use crate::{
    logging,
    server::access_log::{REQUEST_ID, TRANSACTION_ID},
    tls,
};

/// The limits of a client, and whom it trusts.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// How long a connection may take, name look-up included; the TLS handshake may then take as long again.
    pub connect_timeout: Duration,
    /// How long the whole exchange may take, to the answer's last byte.
    pub total_timeout: Duration,
    /// The largest answer, in bytes.
    pub max_response_body: usize,
    /// The authorities that it trusts, as PEM; the system's when absent.
    pub ca: Option<PathBuf>,
    /// What it presents to a server that asks.
    pub identity: Option<Identity>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(10),
            max_response_body: 2 * 1024 * 1024,
            ca: None,
            identity: None,
        }
    }
}

/// A request to send.
#[derive(Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// The headers, besides `Host`, `Content-Length` and the request's id.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

/// A complete answer. A redirect is given as it is; it is never followed.
#[derive(Debug)]
pub struct Incoming {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// The client of one worker thread; it cannot be shared between threads.
#[derive(Clone)]
pub struct HttpClient {
    inner: awc::Client,
    limits: Rc<ClientSettings>,
}

impl HttpClient {
    /// Makes a client.
    ///
    /// # Errors
    /// [`ClientError`] when a certificate or key cannot be used.
    pub fn new(settings: &ClientSettings) -> Result<Self, ClientError> {
        let tls = tls::client_config(settings.ca.as_deref(), settings.identity.as_ref())?;
        let connector = connector::connector(settings.connect_timeout, Arc::new(tls));
        // The whole exchange is timed in `send`; awc's own limit ends with the answer's head.
        let inner =
            awc::Client::builder().connector(connector).disable_redirects().disable_timeout().finish();
        Ok(Self { inner, limits: Rc::new(settings.clone()) })
    }

    /// Sends a request and waits for the whole answer. The id of the request that is being handled goes with it.
    ///
    /// # Errors
    /// [`ExchangeError`]; [`ExchangeError::was_sent`] says whether the other side may have acted.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Incoming, ExchangeError> {
        #[cfg(fuzzing)]
        if let Some(incoming) = canned::answer(&outgoing) {
            return Ok(incoming);
        }
        let after = self.limits.total_timeout;
        tokio::time::timeout(after, self.exchange(outgoing))
            .await
            .unwrap_or(Err(ExchangeError::Timeout { after }))
    }

    async fn exchange(&self, outgoing: Outgoing) -> Result<Incoming, ExchangeError> {
        let mut request = self.inner.request(outgoing.method, outgoing.url).no_decompress();
        for header in outgoing.headers {
            request = request.append_header(header);
        }
        if let Some(context) = logging::context() {
            request = request.insert_header((REQUEST_ID, context.request_id.as_str()));
            if let Some(id) = &context.transaction_id {
                request = request.insert_header((TRANSACTION_ID, id.as_str()));
            }
        }
        let mut response = request.send_body(outgoing.body).await?;
        let limit = self.limits.max_response_body;
        let body = response.body().limit(limit).await.map_err(|error| match error {
            PayloadError::Overflow => ExchangeError::ResponseTooLarge { limit },
            other => ExchangeError::Protocol(Box::new(other)),
        })?;
        refuse_truncated(response.headers(), body.len())?;
        Ok(Incoming { status: response.status(), headers: response.headers().clone(), body })
    }
}

/// awc ends a body without complaint when the connection closes before its declared length.
fn refuse_truncated(headers: &HeaderMap, received: usize) -> Result<(), ExchangeError> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match declared {
        Some(declared) if declared != received => Err(ExchangeError::Truncated { declared, received }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
