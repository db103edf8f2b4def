//! Makes the requests: their path, their credentials and their XML.

use actix_web::http::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use bytes::Bytes;
use chassis::{
    base_url::BaseUrl,
    client::{ClientError, Outgoing},
};
use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use wire::payment::{Outcome, Provider};

use super::{
    BraintreeSettings,
    error::Refused,
    table::{self, Meaning},
    xml::{Element, Written},
};
use crate::{
    credentials::Withheld,
    error::ProxyError,
    providers::exchange::{Exchange, Received, Unintelligible},
    shape::ShapeError,
};

const XML: HeaderValue = HeaderValue::from_static("application/xml");

const VERSION: HeaderName = HeaderName::from_static("x-apiversion");

/// The longest id that Braintree gives or takes.
const LONGEST_ID: usize = 64;

/// Speaks to Braintree on behalf of one worker.
pub(super) struct Client {
    exchange: Exchange,
    url: BaseUrl,
    merchant_id: String,
    authorization: SecretString,
    api_version: String,
}

/// One request, without its body.
pub(super) struct Call {
    method: Method,
    path: String,
}

impl Call {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into() }
    }

    pub(super) fn post(path: impl Into<String>) -> Self {
        Self { method: Method::POST, path: path.into() }
    }

    pub(super) fn put(path: impl Into<String>) -> Self {
        Self { method: Method::PUT, path: path.into() }
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, path: path.into() }
    }
}

impl Client {
    pub(super) fn new(settings: &BraintreeSettings) -> Result<Self, ClientError> {
        let (public, private) = (settings.public_key.expose_secret(), settings.private_key.expose_secret());
        let pair = BASE64.encode(format!("{public}:{private}").as_bytes());
        let mut withheld = Withheld::default();
        // The public key alone opens nothing: it stands in every webhook, and in the answer to the question for an
        // address of webhooks.
        withheld.add(&pair);
        settings.secrets().for_each(|secret| withheld.add_secret(&secret));
        Ok(Self {
            exchange: Exchange::new(Provider::Braintree, &settings.client, withheld)?,
            url: settings.url.clone(),
            merchant_id: settings.merchant_id.clone(),
            authorization: format!("Basic {pair}").into(),
            api_version: settings.api_version.clone(),
        })
    }

    pub(super) const fn withheld(&self) -> &Withheld {
        self.exchange.withheld()
    }

    /// Sends a request that may change something, and maps the document that comes back.
    ///
    /// A refusal of the request is [`Outcome::Rejected`]; a document that says so is for `map` to read.
    pub(super) async fn change<T>(
        &self,
        call: Call,
        body: Option<Written>,
        map: impl FnOnce(&Received, &Element) -> Result<Outcome<T>, Unintelligible>,
    ) -> Result<Outcome<T>, ProxyError> {
        let outgoing = self.outgoing(call, body)?;
        self.exchange.change(outgoing, |received| outcome(received, map)).await
    }

    /// Sends a request that may change something, and whose answer has no document.
    pub(super) async fn change_without_answer<T>(
        &self,
        call: Call,
        map: impl FnOnce(Meaning, &Received) -> Result<Outcome<T>, Unintelligible>,
    ) -> Result<Outcome<T>, ProxyError> {
        let outgoing = self.outgoing(call, None)?;
        self.exchange.change(outgoing, |received| map(table::meaning(received.status), received)).await
    }

    /// Sends a request that changes nothing; none when there is no such object.
    pub(super) async fn read(
        &self,
        call: Call,
        body: Option<Written>,
    ) -> Result<Option<Element>, ProxyError> {
        let outgoing = self.outgoing(call, body)?;
        let read = |received: &Received| match table::meaning(received.status) {
            Meaning::Body => Ok(Some(document(received)?)),
            Meaning::NotFound => Ok(None),
            Meaning::Refused | Meaning::Unknown => Err(status_of(received)),
        };
        self.exchange.read(outgoing, read).await
    }

    /// Sends a request that changes nothing, and whose refusal is an outcome.
    pub(super) async fn ask<T>(
        &self,
        call: Call,
        body: Option<Written>,
        map: impl FnOnce(&Received, &Element) -> Result<Outcome<T>, Unintelligible>,
    ) -> Result<Outcome<T>, ProxyError> {
        let outgoing = self.outgoing(call, body)?;
        self.exchange.read(outgoing, |received| outcome(received, map)).await
    }

    fn outgoing(&self, call: Call, body: Option<Written>) -> Result<Outgoing, ProxyError> {
        let target = Provider::Braintree.name();
        let unsendable = |error| ProxyError::Unsendable { target, source: Box::new(error) };
        let mut authorization =
            HeaderValue::from_str(self.authorization.expose_secret()).map_err(unsendable)?;
        authorization.set_sensitive(true);
        let version = HeaderValue::from_str(&self.api_version).map_err(unsendable)?;
        let mut headers = vec![(AUTHORIZATION, authorization), (ACCEPT, XML), (VERSION, version)];
        if body.is_some() {
            headers.push((CONTENT_TYPE, XML));
        }
        Ok(Outgoing {
            method: call.method,
            url: self.url.join(&format!("/merchants/{}/{}", self.merchant_id, call.path)),
            headers,
            body: body.map(|body| Bytes::from(body.finish())).unwrap_or_default(),
        })
    }
}

fn outcome<T>(
    received: &Received,
    map: impl FnOnce(&Received, &Element) -> Result<Outcome<T>, Unintelligible>,
) -> Result<Outcome<T>, Unintelligible> {
    match table::meaning(received.status) {
        Meaning::Body => map(received, &document(received)?),
        Meaning::Refused => Ok(refused(received)),
        Meaning::NotFound => Ok(not_found(received)),
        Meaning::Unknown => Err(status_of(received)),
    }
}

/// The outcome when Braintree does not take a request as a whole; its own body is no use to anybody.
pub(super) fn refused<T>(received: &Received) -> Outcome<T> {
    let message = match received.status.as_u16() {
        401 => "Braintree does not know our keys.",
        403 => "Our keys may not do this at Braintree.",
        426 => "Braintree does not speak this version of its API any more.",
        429 => "Braintree takes no more requests now.",
        _ => "Braintree does not take the request.",
    };
    received.rejected(message, Vec::new())
}

pub(super) fn not_found<T>(received: &Received) -> Outcome<T> {
    received.rejected("Braintree has no such object.", Vec::new())
}

fn status_of(received: &Received) -> Unintelligible {
    Unintelligible::field(".", format!("status {}", received.status.as_u16()))
}

/// The document, if it says that it is one: an error page of something on the way may be well-formed XML.
pub(super) fn document(received: &Received) -> Result<Element, Unintelligible> {
    let kind = received.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !matches!(kind, "application/xml" | "text/xml") {
        return Err(Unintelligible::field(".", "not declared as XML"));
    }
    Ok(Element::parse(&received.body)?)
}

/// Reads what is either the object that was asked for or an `api-error-response`.
pub(super) fn object_or_rejection<T>(
    received: &Received,
    document: &Element,
    read: impl FnOnce(&Element) -> Result<T, Unintelligible>,
) -> Result<Outcome<T>, Unintelligible> {
    match Refused::read(document) {
        Some(refused) => Ok(refused.rejected(received)),
        None => Ok(Outcome::Succeeded { result: read(document)? }),
    }
}

/// An id of Braintree's as one segment of a path; nothing that could lead elsewhere.
///
/// # Errors
/// [`ProxyError::InvalidRequest`]; nothing was sent.
pub(super) fn segment<'id>(field: &'static str, id: &'id str) -> Result<&'id str, ProxyError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(is_plain) {
        let message = "expected letters, digits, - and _, and no more than 64 of them";
        return Err(invalid(ShapeError::field(field, message)));
    }
    Ok(id)
}

/// A request that is not sent.
pub(super) fn invalid(source: ShapeError) -> ProxyError {
    ProxyError::InvalidRequest { target: Provider::Braintree.name(), source }
}
