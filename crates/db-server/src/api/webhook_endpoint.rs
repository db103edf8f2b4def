//! `/webhook-endpoints/`: who is told of events, for administrators.
//!
//! An endpoint is registered by the name that it has in provider-proxy's settings. Its URL and its secrets are there
//! alone.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::json;

use super::{Id, READ_ONLY, Shown, listed};
use crate::{
    caller::{Admin, Caller},
    domain::{
        Domain,
        webhook_endpoint::{self, AFTER, Change, EVENT, Registration, Replay},
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::{ALL, FieldError, FieldErrors},
    form::Form,
    page::Query,
    store::{
        id::{PaymentEventId, WebhookEndpointId},
        webhook_endpoint::WebhookEndpointRow,
    },
    uri::Kind,
};

/// How many types of events an endpoint can name.
const MOST_TYPES: usize = 32;

/// `POST`: registers an endpoint.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    caller: Caller<Admin>,
    domain: Data<Domain>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let new = read_new(form)?;
    let row = webhook_endpoint::create(&domain, new, &caller.actor()).await?;
    Ok(show(&row).created())
}

/// `GET` of the list.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Admin>,
    request: HttpRequest,
    domain: Data<Domain>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let page = query.finish()?;
    let list = webhook_endpoint::list(&domain, page.rows()).await?;
    let shown = list.rows.iter().map(show).collect();
    listed(&request, &page, Kind::WebhookEndpoint.list_path(), shown, list.total)
}

/// `GET` of one endpoint.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Admin>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<WebhookEndpointId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&webhook_endpoint::get(&domain, id).await?).found(&request))
}

/// `PATCH`: enables or disables it, or changes the types of events.
///
/// # Errors
/// [`ApiError`].
pub async fn patch(
    caller: Caller<Admin>,
    domain: Data<Domain>,
    Id(id): Id<WebhookEndpointId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let change = read_change(form)?;
    let row = webhook_endpoint::change(&domain, id, expected, change, &caller.actor()).await?;
    Ok(show(&row).changed())
}

/// `DELETE`: it is told no more.
///
/// # Errors
/// [`ApiError`].
pub async fn delete(
    caller: Caller<Admin>,
    domain: Data<Domain>,
    Id(id): Id<WebhookEndpointId>,
) -> Result<HttpResponse, ApiError> {
    webhook_endpoint::delete(&domain, id, &caller.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /webhook-endpoints/ID/replay/`: has it told again.
///
/// # Errors
/// [`ApiError`].
pub async fn replay(
    caller: Caller<Admin>,
    domain: Data<Domain>,
    Id(id): Id<WebhookEndpointId>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let replay = read_replay(form)?;
    let row = webhook_endpoint::replay(&domain, id, replay, &caller.actor()).await?;
    Ok(show(&row).changed())
}

fn read_new(mut form: Form) -> Result<Registration, FieldErrors> {
    let name = form.id("name");
    let name = form.required("name", name).unwrap_or_default();
    let given = form.boolean("enabled");
    let enabled = form.not_null("enabled", given).unwrap_or(true);
    let kinds = read_types(&mut form).unwrap_or_default();
    let after = form.position(AFTER).flatten().map(PaymentEventId);
    form.finish().map(|()| Registration { name, enabled, kinds, after })
}

fn read_change(mut form: Form) -> Result<Change, FieldErrors> {
    form.ignore(&READ_ONLY);
    let given = form.boolean("enabled");
    let enabled = form.not_null("enabled", given);
    let kinds = read_types(&mut form);
    form.finish().map(|()| Change { enabled, kinds })
}

fn read_replay(mut form: Form) -> Result<Replay, FieldErrors> {
    let (after, event) = (form.position(AFTER).flatten(), form.position(EVENT).flatten());
    let replay = match (after, event) {
        (Some(after), None) => Replay::After(PaymentEventId(after)),
        (None, Some(event)) => Replay::Event(PaymentEventId(event)),
        _ => {
            if !form.has_error(AFTER) && !form.has_error(EVENT) {
                form.error(ALL, FieldError::invalid("Give either after or event."));
            }
            Replay::After(PaymentEventId(0))
        }
    };
    form.finish().map(|()| replay)
}

/// The types as they stand in events; none for all.
fn read_types(form: &mut Form) -> Option<Vec<String>> {
    let given = form.words("types", MOST_TYPES);
    let kinds = form.not_null("types", given)?;
    let is_kind = |kind: &String| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let parts: Vec<_> = kind.split('.').collect();
        parts.len() > 1 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(plain))
    };
    if !kinds.iter().all(is_kind) {
        form.error("types", FieldError::invalid("Enter types of events, such as payment.captured."));
    }
    Some(kinds)
}

/// With how its deliveries stand, which no counter tells.
fn show(row: &WebhookEndpointRow) -> Shown {
    let body = json!({
        "resource_pk": row.id.0,
        "resource_uri": Kind::WebhookEndpoint.uri(row.id),
        "name": row.name,
        "enabled": row.enabled,
        "disabled_reason": row.disabled_reason,
        "types": row.kinds,
        "position": row.position.0,
        "failures": row.failures,
        "failing_since": row.failing_since,
        "next_attempt": row.next_attempt,
        "last_error": row.last_error,
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    });
    Shown::of_more(row.id.0, row.counter, body)
}
