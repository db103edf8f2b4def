//! From a caller's request to the one that its target gets.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context as TaskContext, Poll},
};

use actix_web::{HttpRequest, dev::Payload, error::PayloadError, web::Bytes};
use futures_util::Stream;
use http::{HeaderValue, header::ACCEPT_ENCODING};
use relay::{Outgoing, OutgoingBody, hygiene};

use super::DoorError;
use crate::{
    caller::Caller,
    passthrough::{
        path::{self, Asked},
        target::Target,
    },
};

/// Refuses what this caller may not ask of this target; nothing has been sent then.
pub(super) fn check(
    request: &HttpRequest,
    asked: &Asked<'_>,
    target: &Target,
    caller: &Caller,
) -> Result<(), DoorError> {
    let method = request.method().as_str();
    if matches!(method, "TRACE" | "CONNECT") {
        return Err(DoorError::Method);
    }
    path::check(asked.tail, asked.query)?;
    if !caller.may_use(&target.name) {
        return Err(DoorError::Caller);
    }
    if !target.require.iter().all(|authority| caller.authorities.contains(authority)) {
        return Err(DoorError::Authority);
    }
    if !target.allow.allows(method, asked.tail) {
        return Err(DoorError::NotAllowed);
    }
    Ok(())
}

/// What the target gets, still without its credential.
pub(super) fn outgoing(
    request: &HttpRequest,
    payload: Payload,
    asked: &Asked<'_>,
    target: &Target,
    caller: &Caller,
) -> Result<Outgoing, DoorError> {
    let limit = target.max_request_body;
    let path_and_query = path_and_query(asked, target, caller)?;
    // Without what the caller shows to this proxy, which is not for the target.
    let mut outgoing = Outgoing::from_caller_without_authorization(request, payload, path_and_query, limit);
    match &outgoing.body {
        OutgoingBody::Stream { length: Some(length), .. } if *length > limit => {
            return Err(DoorError::RequestTooLarge { limit });
        }
        _ => {}
    }
    target.request_headers.apply(&mut outgoing.headers, &caller.claims)?;
    if target.compress {
        // So that there is text to be looked through for secrets, and then to be compressed.
        outgoing.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(outgoing)
}

/// The path that stands behind that of the target's URL, and the query as it came.
fn path_and_query(asked: &Asked<'_>, target: &Target, caller: &Caller) -> Result<String, DoorError> {
    let query = asked.query.map_or(0, |query| query.len() + 1);
    // Exact for most: what is as long as its memory is passed on without another piece of it.
    let mut path = String::with_capacity(asked.tail.len().max(1) + query);
    match &target.rewrite {
        Some(rewrite) => rewrite.write(&caller.claims, asked.tail, &mut path)?,
        None => path.push_str(asked.tail),
    }
    if path.is_empty() && target.url.path().is_empty() {
        path.push('/');
    }
    if let Some(query) = asked.query {
        path.push('?');
        path.push_str(query);
    }
    Ok(path)
}

/// Whether the caller and the target want a WebSocket.
pub(super) fn is_websocket(request: &HttpRequest, target: &Target) -> bool {
    target.websocket && request.method() == "GET" && hygiene::wants_websocket(request.headers())
}

/// Has the bytes of a streamed body counted.
pub(super) fn count(body: OutgoingBody, bytes: Rc<Cell<u64>>) -> OutgoingBody {
    match body {
        OutgoingBody::Stream { payload, length, limit } => {
            let counted: BoxedPayloadStream = Box::pin(Counted { payload, bytes });
            OutgoingBody::Stream { payload: Payload::Stream { payload: counted }, length, limit }
        }
        other => other,
    }
}

type BoxedPayloadStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// A caller's body, with its bytes counted.
struct Counted {
    payload: Payload,
    bytes: Rc<Cell<u64>>,
}

impl Stream for Counted {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.payload).poll_next(context);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.bytes.set(self.bytes.get().saturating_add(chunk.len() as u64));
        }
        polled
    }
}

/// The same request once more, when its body is here; for credentials that can be renewed.
pub(super) fn copy(outgoing: &Outgoing) -> Option<Outgoing> {
    let body = match &outgoing.body {
        OutgoingBody::Empty => OutgoingBody::Empty,
        OutgoingBody::Full(bytes) => OutgoingBody::Full(bytes.clone()),
        OutgoingBody::Stream { .. } => return None,
    };
    Some(Outgoing {
        method: outgoing.method.clone(),
        path_and_query: outgoing.path_and_query.clone(),
        headers: outgoing.headers.clone(),
        body,
    })
}
