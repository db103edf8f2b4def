//! `ANY /proxy/`: one exchange with the target, streaming both ways.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header::CONTENT_TYPE},
    web::{Data, Payload},
};
use chassis::{base_url::BaseUrl, logging, server::detail};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use relay::{Outgoing, SystemResolver, Upstream, UpstreamSettings, path};

use super::Door;
use crate::{
    caller::{Authenticator, Visitor},
    error::ApiError,
    identity::Signer,
    settings::DoorSettings,
};

/// What is answered while the door leads nowhere; the text is the whole body.
const DISABLED: &str = "The proxy is disabled.";

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The connections of one worker thread to the target.
pub struct Upstreams {
    settings: DoorSettings,
    tls: Arc<rustls::ClientConfig>,
    /// To the target of the last request; another target takes its place.
    last: RefCell<Option<(BaseUrl, Upstream)>>,
}

impl Upstreams {
    /// None yet.
    #[must_use]
    pub const fn new(settings: DoorSettings, tls: Arc<rustls::ClientConfig>) -> Self {
        Self { settings, tls, last: RefCell::new(None) }
    }

    fn to(&self, url: BaseUrl) -> Upstream {
        let mut last = self.last.borrow_mut();
        match &*last {
            Some((of, upstream)) if *of == url => upstream.clone(),
            _ => {
                let upstream = Upstream::new(UpstreamSettings {
                    connect_timeout: self.settings.connect_timeout,
                    idle_timeout: self.settings.idle_timeout,
                    total_timeout: self.settings.timeout,
                    tls: Some(Arc::clone(&self.tls)),
                    resolver: Rc::new(SystemResolver),
                    ..UpstreamSettings::new(url.clone())
                });
                *last = Some((url, upstream.clone()));
                upstream
            }
        }
    }
}

/// What the door needs besides the request.
type Doorway = (Data<Door>, Data<Upstreams>, Data<Authenticator>, Data<Option<Arc<Signer>>>);

/// `ANY`: forwards to where the door leads. Nobody has to say who they are; who does, must prove it.
///
/// # Errors
/// [`ApiError`], as long as the target has not answered.
pub async fn forward(
    request: HttpRequest,
    payload: Payload,
    (door, upstreams, authenticator, signer): Doorway,
) -> Result<HttpResponse, ApiError> {
    let leads_to = door.leads_to().await?;
    let (Some(url), Some(signer)) = (leads_to, signer.as_ref().as_ref()) else { return Ok(disabled()) };
    if [Method::TRACE, Method::CONNECT].contains(request.method()) {
        return Ok(detail(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed."));
    }
    let path_and_query = asked(&request)?;
    let visitor = authenticator.at_door(&request).await?;
    let token = signer.token_to(door.audience(&url), &visitor.name, &visitor.authorities)?;
    let limit = upstreams.settings.max_request_body;
    let mut outgoing = Outgoing::from_caller(&request, payload.into_inner(), path_and_query, limit);
    say_whose(&mut outgoing.headers, &visitor, token.as_bytes());
    let incoming = upstreams.to(url).send(outgoing).await?;
    Ok(relay::respond(&request, incoming.status, incoming.headers, incoming.length, incoming.body))
}

fn disabled() -> HttpResponse {
    let text = (CONTENT_TYPE, "text/plain; charset=utf-8");
    HttpResponse::NotImplemented().insert_header(text).body(DISABLED)
}

/// The path below the door and the query, as they were sent.
fn asked(request: &HttpRequest) -> Result<String, ApiError> {
    let uri = request.uri();
    path::split(uri)?;
    let tail = uri.path().strip_prefix(path::PREFIX).unwrap_or_default();
    path::check(tail, uri.query())?;
    let tail = if tail.is_empty() { "/" } else { tail };
    Ok(match uri.query() {
        Some(query) => format!("{tail}?{query}"),
        None => tail.to_owned(),
    })
}

/// In the place of whatever the caller has sent to prove who it is. What it says about its way here is gone already.
fn say_whose(headers: &mut HeaderMap, visitor: &Visitor, authorization: &[u8]) {
    let mut set = |name: HeaderName, value: &[u8]| {
        headers.remove(&name);
        // Tokens and ids are visible ASCII; a host that is none is not passed on.
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    };
    set(AUTHORIZATION, authorization);
    set(FORWARDED_PROTO, visitor.scheme.as_bytes());
    set(FORWARDED_HOST, visitor.host.as_bytes());
    if let Some(context) = logging::context() {
        set(REQUEST_ID, context.request_id.as_bytes());
    }
}
