//! `/provider/NAME/RESOURCE/[UUID/]`: other implementations of the reference provider's API, passed through as they are.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{Method, StatusCode},
    web::{Bytes, Data},
};
use serde_json::{Map, Value, json};
use wire::ProviderAnswer;

use crate::{
    caller::{Caller, Read, Write},
    domain::{DomainError, detached::detached},
    error::ApiError,
    form::Form,
    page::Query,
    proxy_client::{Passed, ProxyClient, ProxyError},
};

/// What is asked for: an implementation's resource, or one of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    name: String,
    resource: String,
    uuid: Option<String>,
}

/// What cannot be one is not found.
impl FromRequest for Place {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let part = |name: &str| request.match_info().get(name);
        ready(Self::read(part("name"), part("resource"), part("uuid")).ok_or(DomainError::NotFound.into()))
    }
}

impl Place {
    fn read(name: Option<&str>, resource: Option<&str>, uuid: Option<&str>) -> Option<Self> {
        let parts = [name, resource, uuid];
        if parts.into_iter().flatten().any(|part| !is_segment(part)) {
            return None;
        }
        Some(Self { name: name?.to_owned(), resource: resource?.to_owned(), uuid: uuid.map(str::to_owned) })
    }

    /// The path at the implementation.
    fn path(&self) -> String {
        let uuid = self.uuid.as_ref().map(|uuid| format!("/{uuid}")).unwrap_or_default();
        format!("/{}{uuid}", self.resource)
    }

    /// Our own path of one of them.
    fn uri(&self, id: &Value) -> Option<String> {
        let id = match id {
            Value::String(text) if is_segment(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some(format!("/provider/{}/{}/{id}/", self.name, self.resource))
    }

    /// Its objects have our paths, and their keys are also their ids.
    fn show(&self, body: Value) -> Value {
        match body {
            Value::Array(items) => items.into_iter().map(|item| self.show(item)).collect(),
            Value::Object(fields) => Value::Object(self.show_object(fields)),
            other => other,
        }
    }

    fn show_object(&self, mut fields: Map<String, Value>) -> Map<String, Value> {
        if let Some(objects) = fields.remove("objects") {
            fields.insert("objects".to_owned(), self.show(objects));
        }
        if let Some(pk) = fields.get("resource_pk").cloned() {
            if let Some(uri) = self.uri(&pk) {
                fields.insert("resource_uri".to_owned(), json!(uri));
            }
            fields.insert("id".to_owned(), pk);
        }
        fields
    }
}

/// A segment of a path that nobody can read in another way.
fn is_segment(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    (1..=255).contains(&text.len()) && text.bytes().all(plain) && text.bytes().any(|byte| byte != b'.')
}

/// `GET`.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    place: Place,
    proxy: Data<ProxyClient>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let query = query.passed_on()?;
    answer(&place, proxy.pass(Method::GET, &place.name, &place.path(), &query, Bytes::new()).await?)
}

/// `POST`.
///
/// # Errors
/// [`ApiError`].
pub async fn post(
    _: Caller<Write>,
    place: Place,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    change(Method::POST, place, proxy, form).await
}

/// `PUT`.
///
/// # Errors
/// [`ApiError`].
pub async fn put(
    _: Caller<Write>,
    place: Place,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    change(Method::PUT, place, proxy, form).await
}

/// `DELETE`.
///
/// # Errors
/// [`ApiError`].
pub async fn delete(
    _: Caller<Write>,
    place: Place,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    change(Method::DELETE, place, proxy, form).await
}

/// What is asked for is asked for, also when the client hangs up.
async fn change(
    method: Method,
    place: Place,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let fields = form.passed_on()?;
    let body = if fields.is_empty() && method == Method::DELETE {
        Bytes::new()
    } else {
        Value::Object(fields).to_string().into()
    };
    let asked = place.clone();
    let passed = detached(async move {
        proxy.pass(method, &asked.name, &asked.path(), "", body).await.map_err(ApiError::from)
    });
    answer(&place, passed.await?)
}

fn answer(place: &Place, passed: Option<Passed>) -> Result<HttpResponse, ApiError> {
    let Passed { status, body, retry_after } = passed.ok_or(DomainError::NotFound)?;
    if !status.is_success() {
        let body = body.unwrap_or_default();
        return Err(ProxyError::Refused(ProviderAnswer { status: status.as_u16(), body, retry_after }).into());
    }
    Ok(match body {
        Some(body) if status != StatusCode::NO_CONTENT => HttpResponse::build(status).json(place.show(body)),
        _ => HttpResponse::build(status).finish(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place::read(Some("boku"), Some("sellers"), None).unwrap()
    }

    #[test]
    fn a_place_has_parts_that_lead_nowhere_else() {
        let one = Place::read(Some("boku"), Some("sellers"), Some("s-1.a")).unwrap();
        assert_eq!((place().path(), one.path()), ("/sellers".into(), "/sellers/s-1.a".into()));
        for part in ["", ".", "..", "a/b", "a%2Fb", "a\\b", "é", "a b", "a?b", "a#b", "a\0"] {
            assert_eq!(Place::read(Some("boku"), Some("sellers"), Some(part)), None, "{part:?}");
            assert_eq!(Place::read(Some("boku"), Some(part), None), None, "{part:?}");
            assert_eq!(Place::read(Some(part), Some("sellers"), None), None, "{part:?}");
        }
    }

    #[test]
    fn every_object_has_our_path_and_its_key_as_its_id() {
        let remote = |pk: &str| json!({"resource_pk": pk, "resource_uri": "/sellers/x", "name": "n"});
        let ours = |pk: &str| {
            json!({"resource_pk": pk, "id": pk, "name": "n",
                   "resource_uri": format!("/provider/boku/sellers/{pk}/")})
        };
        assert_eq!(place().show(remote("a")), ours("a"));
        assert_eq!(place().show(json!([remote("a"), remote("b")])), json!([ours("a"), ours("b")]));
        let list = json!({"meta": {"total": 1}, "objects": [remote("a")]});
        assert_eq!(place().show(list), json!({"meta": {"total": 1}, "objects": [ours("a")]}));
        assert_eq!(place().show(json!({"ok": true})), json!({"ok": true}));
    }

    #[test]
    fn a_key_that_is_no_segment_gives_no_path() {
        let shown = place().show(json!({"resource_pk": "../admin", "resource_uri": "/sellers/x"}));
        assert_eq!(shown["resource_uri"], "/sellers/x");
        assert_eq!(shown["id"], "../admin");
    }
}
