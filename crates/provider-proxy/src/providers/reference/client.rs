//! Signs each request, sends it, and sorts what comes back into successes, refusals and errors.

use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::{
    StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use bytes::Bytes;
use chassis::{
    base_url::BaseUrl,
    client::{ClientError, HttpClient, Outgoing},
};
use oauth1::SignatureMethod;
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use serde_json::Value;
use uuid::Uuid;
use wire::ProviderAnswer;

use super::{config::ReferenceSettings, error::Error, messages::Call};
use crate::{credentials::Withheld, providers::exchange::retry_after, shape};

/// Speaks to the provider on behalf of one worker.
pub(super) struct Client {
    http: HttpClient,
    url: BaseUrl,
    signer: oauth1::Credentials,
    withheld: Withheld,
}

/// What the provider said.
pub(super) enum Received {
    /// A 2xx with a JSON body.
    Success {
        /// The provider's own status.
        status: u16,
        /// The body.
        body: Value,
    },
    /// A 4xx or 5xx: data for whoever asked.
    Refused(ProviderAnswer),
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How much is passed on of a body that is not JSON, in characters; error pages are no use beyond that.
const LONGEST_TEXT: usize = 4096;

impl Client {
    pub(super) fn new(settings: &ReferenceSettings) -> Result<Self, ClientError> {
        let consumer = &settings.consumer;
        let mut withheld = Withheld::default();
        withheld.add_consumer_key(consumer.key.expose_secret());
        withheld.add(consumer.secret.expose_secret());
        settings.notice_keys.iter().for_each(|key| withheld.add(key.expose_secret()));
        let signer = oauth1::Credentials {
            consumer_key: consumer.key.expose_secret().to_owned(),
            consumer_secret: consumer.secret.clone(),
            realm: Some(consumer.realm.clone()),
        };
        Ok(Self { http: HttpClient::new(&settings.client)?, url: settings.url.clone(), signer, withheld })
    }

    /// What no answer may hold.
    pub(super) const fn withheld(&self) -> &Withheld {
        &self.withheld
    }

    /// Sends one request. A redirect is not followed, and where it leads is not told.
    pub(super) async fn send(&self, call: Call) -> Result<Received, Error> {
        let url = self.url.join(&call.path);
        let authorization = self.sign(call.method.as_str(), &url)?;
        let mut withheld = self.withheld.clone();
        withhold_signature(&mut withheld, &authorization);
        let headers = headers(&authorization, call.body.is_some())?;
        let body = Bytes::from(call.body.unwrap_or_default());
        let incoming = self.http.send(Outgoing { method: call.method, url, headers, body }).await?;
        let status = incoming.status;
        if !status.is_success() {
            log::warn!("Warning response status: {}", status.as_u16());
        }
        if status.is_success() {
            let mut body: Value = shape::from_slice(&incoming.body).map_err(Error::Answer)?;
            withheld.clean_value(&mut body);
            Ok(Received::Success { status: status.as_u16(), body })
        } else if status.is_client_error() || status.is_server_error() {
            Ok(refused(status, &incoming.headers, &incoming.body, &withheld))
        } else {
            Err(Error::Status(status.as_u16()))
        }
    }

    /// The `Authorization` header for exactly the URL that is sent.
    fn sign(&self, method: &str, url: &str) -> Result<String, Error> {
        let unsendable = |error: Box<dyn std::error::Error + Send + Sync>| Error::Unsendable(error);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| unsendable(error.into()))?;
        let nonce = Uuid::new_v4().simple().to_string();
        // A JSON body is not part of the signature (RFC 5849, 3.4.1.3.1).
        oauth1::sign(&self.signer, method, url, &nonce, now.as_secs(), SignatureMethod::HmacSha1, &[])
            .map_err(|error| unsendable(error.into()))
    }
}

fn headers(authorization: &str, has_body: bool) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let mut authorization =
        HeaderValue::from_str(authorization).map_err(|error| Error::Unsendable(error.into()))?;
    authorization.set_sensitive(true);
    let mut headers = vec![(AUTHORIZATION, authorization), (ACCEPT, JSON)];
    if has_body {
        headers.push((CONTENT_TYPE, JSON));
    }
    Ok(headers)
}

/// Whoever has a signature can repeat its request until the timestamp is too old.
fn withhold_signature(withheld: &mut Withheld, authorization: &str) {
    let signature =
        authorization.split_once("oauth_signature=\"").and_then(|(_, rest)| rest.split('"').next());
    if let Some(signature) = signature {
        withheld.add(&percent_decode_str(signature).decode_utf8_lossy());
    }
}

fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8], withheld: &Withheld) -> Received {
    let body = match serde_json::from_slice(body) {
        Ok(mut value) => {
            withheld.clean_value(&mut value);
            value
        }
        Err(_) => {
            // Cleaned before it is cut, or half a secret could stay at the end.
            let text = withheld.clean(String::from_utf8_lossy(body).into_owned());
            Value::String(text.chars().take(LONGEST_TEXT).collect())
        }
    };
    Received::Refused(ProviderAnswer { status: status.as_u16(), body, retry_after: retry_after(headers) })
}

#[cfg(test)]
mod tests;
