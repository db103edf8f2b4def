//! Takes a request's body in as a whole, for credentials that sign or read it.

use actix_web::dev::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use relay::{Outgoing, OutgoingBody};

use super::CredentialError;

/// The largest body that is taken in, in bytes, however much a target may get.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Replaces a streamed body by its bytes.
pub(super) async fn buffer(request: &mut Outgoing) -> Result<(), CredentialError> {
    if let OutgoingBody::Stream { payload, length, limit } = &mut request.body {
        let limit = LARGEST.min(*limit);
        if length.is_some_and(|length| length > limit) {
            return Err(CredentialError::BodyTooLarge { limit });
        }
        request.body = OutgoingBody::Full(read(payload, limit).await?);
    }
    Ok(())
}

async fn read(payload: &mut Payload, limit: u64) -> Result<Bytes, CredentialError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(CredentialError::Body)?;
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(CredentialError::BodyTooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The bytes of a body that has been taken in.
pub(super) fn bytes(request: &Outgoing) -> Result<&[u8], CredentialError> {
    match &request.body {
        OutgoingBody::Empty => Ok(&[]),
        OutgoingBody::Full(body) => Ok(body),
        OutgoingBody::Stream { .. } => {
            Err(CredentialError::Unusable { reason: "the body has not been taken in" })
        }
    }
}

/// Whether the body is `application/x-www-form-urlencoded`, by any of its `Content-Type`s.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_TYPE).iter().any(|value| {
        let media_type =
            value.as_bytes().split(|&byte| byte == b';' || byte == b',').next().unwrap_or_default();
        media_type.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    })
}

/// Refuses a body that is compressed, since it cannot be read.
pub(super) fn refuse_encoded(headers: &HeaderMap) -> Result<(), CredentialError> {
    let is_plain = |coding: &[u8]| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(|value| is_plain(value.as_bytes().trim_ascii())) {
        return Ok(());
    }
    Err(CredentialError::Request { reason: "its body is compressed" })
}
