//! What PayPal answers instead of a result: `{name, message, debug_id, details, links}`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::issues::{self, Class};
use super::state::random_id;

/// A refused request.
#[derive(Debug, Error)]
#[error("{}", .0.issue)]
pub(super) struct Refusal(Box<Fault>);

#[derive(Debug)]
struct Fault {
    class: Class,
    issue: String,
    description: String,
    place: Option<Place>,
    links: Vec<Value>,
}

/// Where in the request the fault lies.
#[derive(Debug, Serialize)]
struct Place {
    field: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
    location: &'static str,
}

impl Refusal {
    /// A refusal by the code of its issue; one that is not listed is a 422 of that name.
    pub(super) fn issue(issue: &str) -> Self {
        let (class, description) = issues::find(issue);
        Self(Box::new(Fault {
            class,
            issue: issue.to_owned(),
            description: description.to_owned(),
            place: None,
            links: Vec::new(),
        }))
    }

    /// A field of the body that is missing, by its JSON pointer.
    pub(super) fn missing(pointer: &str) -> Self {
        Self::issue("MISSING_REQUIRED_PARAMETER").at(pointer, "")
    }

    /// A field of the body that does not do.
    pub(super) fn invalid(pointer: &str, value: &str) -> Self {
        Self::issue("INVALID_PARAMETER_VALUE").at(pointer, value)
    }

    /// Something named in the path that is not there.
    pub(super) fn not_found(id: &str) -> Self {
        Self::issue("INVALID_RESOURCE_ID").located("id", id, "path")
    }

    /// With the place in the body.
    pub(super) fn at(self, pointer: &str, value: &str) -> Self {
        self.located(pointer, value, "body")
    }

    pub(super) fn located(mut self, field: &str, value: &str, location: &'static str) -> Self {
        self.0.place = Some(Place { field: field.to_owned(), value: value.to_owned(), location });
        self
    }

    /// With a page that may help.
    pub(super) fn linked(mut self, rel: &str, href: &str) -> Self {
        self.0.links.push(json!({"href": href, "rel": rel, "method": "GET"}));
        self
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.0.class.status()
    }

    fn error_response(&self) -> HttpResponse {
        let Fault { class, issue, description, place, links } = &*self.0;
        let debug_id = random_id(13).to_lowercase();
        let mut detail = json!({"issue": issue, "description": description});
        if let (Some(Ok(Value::Object(written))), Value::Object(fields)) =
            (place.as_ref().map(serde_json::to_value), &mut detail)
        {
            fields.extend(written);
        }
        let mut links = links.clone();
        links.push(json!({
            "href": format!("https://developer.paypal.com/api/rest/reference/orders/v2/errors/#{issue}"),
            "rel": "information_link",
            "method": "GET",
        }));
        let mut body = json!({
            "name": class.name(), "message": class.message(), "debug_id": debug_id, "links": links,
        });
        // An error of PayPal's own, or of who asks, has no details.
        if !matches!(class, Class::Internal | Class::Unauthenticated) {
            body["details"] = json!([detail]);
        }
        HttpResponse::build(self.status_code()).insert_header(("Paypal-Debug-Id", debug_id)).json(body)
    }
}
