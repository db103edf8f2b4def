//! The HTTP API: a handler reads the request, asks the domain once, and shows what came of it.

pub mod braintree;
pub mod buyer;
pub mod event;
pub mod failures;
pub mod implementation;
pub mod ledger;
pub mod login;
mod money;
pub mod notice;
pub mod payment;
pub mod paymethod;
pub mod pin;
pub mod product;
pub mod reference;
pub mod request;
pub mod seller;
pub mod service_settings;
pub mod status;
pub mod subscription;
pub mod transaction;
pub mod webhook;
pub mod webhook_endpoint;

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, http::StatusCode, http::header::ETAG};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    domain::{DomainError, attempt::Standing},
    error::ApiError,
    etag::{self, Digest, ETag, IfMatch},
    page::{PageRequest, Query},
    uri,
};

/// The fields of an answer that a client may send back with a change; they are not for it to set.
const READ_ONLY: [&str; 5] = ["resource_pk", "resource_uri", "created", "modified", "counter"];

/// The primary key in a path. What cannot be one is not found.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<T: From<i64>> FromRequest for Id<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(uri::parse_id);
        ready(id.map(|id| Self(T::from(id))).ok_or(DomainError::NotFound.into()))
    }
}

/// The condition on a change.
impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::read(request.headers())))
    }
}

/// The query of a list.
impl FromRequest for Query {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::parse(request.query_string())))
    }
}

/// A resource as it is shown, and its version.
pub(crate) struct Shown<B = Value> {
    tag: ETag,
    body: B,
    /// The version of the body, for the tag of a list that it is in.
    version: Digest,
}

impl<B: Serialize> Shown<B> {
    /// A resource that is shown from its row alone.
    fn of_row(pk: i64, counter: i64, body: B) -> Self {
        let version = Digest::new().number(pk).number(counter);
        Self { tag: ETag::of_row(pk, counter), body, version }
    }

    /// A resource that is shown with more than its row; its version depends on all that is shown.
    fn of_more(pk: i64, counter: i64, body: B) -> Self {
        let rest = Digest::new().bytes(&serde_json::to_vec(&body).unwrap_or_default());
        let version = rest.number(pk).number(counter);
        Self { tag: ETag::of_row_and(pk, counter, rest), body, version }
    }

    /// 200; or 304 when the client has this version.
    fn found(self, request: &HttpRequest) -> HttpResponse {
        if etag::is_known(request.headers(), &self.tag) {
            return HttpResponse::NotModified().insert_header((ETAG, self.tag.to_string())).finish();
        }
        self.answer(StatusCode::OK)
    }

    /// 200 after a change.
    fn changed(self) -> HttpResponse {
        self.answer(StatusCode::OK)
    }

    /// 201.
    fn created(self) -> HttpResponse {
        self.answer(StatusCode::CREATED)
    }

    fn answer(self, status: StatusCode) -> HttpResponse {
        HttpResponse::build(status).insert_header((ETAG, self.tag.to_string())).json(self.body)
    }
}

/// What a provider has made: 201; or 202 when the payer must do something first, with `action`, or when the provider
/// will say later.
fn concluded(mut shown: Shown, standing: &Standing) -> HttpResponse {
    match standing {
        Standing::Done => shown.created(),
        Standing::RequiresAction(action) => {
            shown.body["action"] = json!(action);
            shown.answer(StatusCode::ACCEPTED)
        }
        Standing::Pending | Standing::Declined(_) => shown.answer(StatusCode::ACCEPTED),
    }
}

/// One page of a list; 304 when the client has this version, 404 when there is no such page.
fn listed<B: Serialize>(
    request: &HttpRequest,
    page: &PageRequest,
    path: &str,
    shown: Vec<Shown<B>>,
    total: i64,
) -> Result<HttpResponse, ApiError> {
    let tag = list_tag(request, &shown, total);
    let objects = shown.into_iter().map(|shown| shown.body).collect();
    let list = page.answer(path, objects, total).ok_or(DomainError::NotFound)?;
    Ok(list_answer(request, &tag, list))
}

/// The same as a plain array, as the lists below `/braintree/mozilla/` are.
fn listed_plainly<B: Serialize>(
    request: &HttpRequest,
    page: &PageRequest,
    shown: Vec<Shown<B>>,
    total: i64,
) -> Result<HttpResponse, ApiError> {
    let tag = list_tag(request, &shown, total);
    let objects = shown.into_iter().map(|shown| shown.body).collect();
    let list = page.answer("", objects, total).ok_or(DomainError::NotFound)?;
    Ok(list_answer(request, &tag, list.objects))
}

fn list_tag<B>(request: &HttpRequest, shown: &[Shown<B>], total: i64) -> ETag {
    let start = Digest::new().bytes(request.query_string().as_bytes()).number(total);
    ETag::of_list(shown.iter().fold(start, |digest, shown| digest.bytes(&shown.version.to_bytes())))
}

fn list_answer(request: &HttpRequest, tag: &ETag, list: impl Serialize) -> HttpResponse {
    if etag::is_known(request.headers(), tag) {
        return HttpResponse::NotModified().insert_header((ETAG, tag.to_string())).finish();
    }
    HttpResponse::Ok().insert_header((ETAG, tag.to_string())).json(list)
}
