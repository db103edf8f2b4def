//! The OpenAPI 3.1 description of every route, as it is served at `/openapi.json` and kept in `docs/openapi.json`.
//!
//! It is built here and not derived: requests are read field by field and answers are made as JSON, so that no type
//! says it all. Tests hold it against the routes, and the running servers against it.

mod answer;
mod braintree;
mod buyers;
mod errors;
mod events;
mod field;
mod implementations;
mod ledger;
mod operation;
mod payments;
mod paymethods;
mod people;
mod products;
mod reference;
mod reference_payments;
mod sellers;
mod services;
mod subscriptions;
mod supervision;
mod transactions;
mod webhooks;

use std::sync::LazyLock;

use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathsBuilder, RefOr,
    Schema, SecurityRequirement,
    security::{Http, HttpAuthScheme, SecurityScheme},
    tag::TagBuilder,
};

use self::operation::Operation;

const ABOUT: &str = "\
Bodies are JSON. Every path ends in `/`, and answers without it too.

A resource carries `resource_pk`, `resource_uri`, `created`, `modified` and `counter`, which grows by one at each save.
One resource refers to another by its `resource_uri`. Amounts are decimal strings with the decimals of their currency.

Two headers belong to every request and are not repeated below: `Transaction-Id`, of at most 255 visible characters, is
written to every log line of the request, and `X-Request-Id` is taken from the request or made, and is in every answer.

A method that a path lacks is 405 with `{\"detail\": \"…\"}`, and `Allow` says which it has.";

const ABOUT_OAUTH: &str = "\
OAuth 1.0a without a user (RFC 5849), HMAC-SHA1 or HMAC-SHA256, in the `Authorization` header. The consumer key is the \
client's name. The timestamp may be 300 s off; each nonce is good once. A token may be there and is not looked at.";

const ABOUT_BEARER: &str = "\
An API key of a client that does not speak OAuth 1, or a token of `/login/`. What has the form of a token (three parts) \
and has expired is told so.";

/// The routes and schemas of one kind of resource.
struct Part {
    tag: &'static str,
    about: &'static str,
    schemas: Vec<(&'static str, RefOr<Schema>)>,
    operations: Vec<Operation>,
}

fn parts() -> Vec<Part> {
    vec![
        services::part(),
        people::part(),
        supervision::part(),
        buyers::part(),
        sellers::part(),
        products::part(),
        transactions::part(),
        paymethods::part(),
        payments::part(),
        subscriptions::part(),
        ledger::part(),
        webhooks::part(),
        events::part(),
        reference::part(),
        reference_payments::part(),
        braintree::part(),
        implementations::part(),
    ]
}

/// The whole document.
#[must_use]
pub fn document() -> OpenApi {
    let mut components = components();
    let mut paths = PathsBuilder::new();
    let mut tags = Vec::new();
    for part in parts() {
        let tag = TagBuilder::new().name(part.tag).description(Some(part.about));
        tags.push(tag.build());
        for (name, schema) in part.schemas {
            components = components.schema(name, schema);
        }
        for operation in part.operations {
            paths = operation.add(paths, part.tag);
        }
    }
    let nothing: [&str; 0] = [];
    let callers = ["oauth1", "bearer"].map(|scheme| SecurityRequirement::new(scheme, nothing));
    OpenApiBuilder::new()
        .info(info())
        .paths(paths)
        .components(Some(components.build()))
        .security(Some(callers))
        .tags(Some(tags))
        .build()
}

/// The document as it is served and kept: indented JSON with a line feed at its end.
#[must_use]
pub fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        // A document of strings and numbers always has a JSON form.
        document().to_pretty_json().map(|text| text + "\n").unwrap_or_default()
    });
    &JSON
}

fn info() -> utoipa::openapi::Info {
    let license = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0"));
    InfoBuilder::new()
        .title("Solitude, db-server")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license.build()))
        .build()
}

fn components() -> ComponentsBuilder {
    let scheme = |scheme, about: &str| {
        let mut http = Http::new(scheme);
        http.description = Some(about.to_owned());
        SecurityScheme::Http(http)
    };
    let mut components = Components::new();
    components.add_security_scheme("oauth1", scheme(HttpAuthScheme::OAuth, ABOUT_OAUTH));
    components.add_security_scheme("bearer", scheme(HttpAuthScheme::Bearer, ABOUT_BEARER));
    let mut components = ComponentsBuilder::from(components).responses_from_iter(answer::shared());
    for (name, schema) in errors::schemas() {
        components = components.schema(name, schema);
    }
    components
}

#[cfg(test)]
mod tests;
