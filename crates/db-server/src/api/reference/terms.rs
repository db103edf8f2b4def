//! `/provider/reference/terms/ID/`, where ID is the seller's link.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::{Value, json};
use wire::reference::{Terms, TermsFields};

use super::{
    super::{Id, READ_ONLY},
    Shown,
};
use crate::{
    caller::{Caller, Read, Write},
    domain::{
        Domain,
        detached::detached,
        reference::{self, Linked},
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    proxy_client::ProxyClient,
    store::{id::ReferenceSellerId, reference::ReferenceSellerRow},
    uri::Kind,
};

/// `GET`: the terms as the provider has them for the seller.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<ReferenceSellerId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&reference::get_terms(&domain, &proxy, id).await?).found(&request))
}

/// `PUT`: records the seller's agreement.
///
/// # Errors
/// [`ApiError`].
pub async fn put(
    _: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<ReferenceSellerId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let fields = read(form)?;
    let linked =
        detached(async move { reference::update_terms(&domain, &proxy, id, expected, fields).await });
    Ok(show(&linked.await?).changed())
}

fn read(mut form: Form) -> Result<TermsFields, FieldErrors> {
    let agreement = form.date("agreement");
    let agreement = form.required("agreement", agreement);
    form.ignore(&READ_ONLY);
    form.ignore(&["id", "seller", "reference"]);
    form.finish().map(|()| TermsFields { agreement })
}

fn show(linked: &Linked<ReferenceSellerRow, Terms>) -> Shown {
    let row = &linked.row;
    let uri = Kind::ReferenceTerms.uri(row.id);
    let body = json!({
        "id": row.id.0,
        "resource_pk": row.id.0,
        "resource_uri": uri,
        "seller": Kind::Seller.uri(row.seller_id),
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
        "reference": show_terms(&linked.remote, &uri),
    });
    Shown::of_more(row.id.0, row.counter, body)
}

fn show_terms(terms: &Terms, uri: &str) -> Value {
    let mut object = terms.fields.clone();
    object.insert("text".into(), json!(terms.text));
    object.insert("agreement".into(), json!(terms.agreement));
    if object.contains_key("resource_uri") {
        object.insert("resource_uri".into(), json!(uri));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreement_is_a_date() {
        let read = |text: &str| read(Form::parse(text.as_bytes()).unwrap());
        assert_eq!(read(r#"{"agreement": "2014-01-01"}"#).unwrap().agreement.as_deref(), Some("2014-01-01"));
        for text in ["{}", r#"{"agreement": null}"#, r#"{"agreement": true}"#, r#"{"agreement": "2014"}"#] {
            assert!(read(text).unwrap_err().has("agreement"), "{text}");
        }
    }

    #[test]
    fn the_providers_path_is_not_shown() {
        let terms = json!({"text": "Terms", "agreement": null, "resource_uri": "/terms/u1"});
        let shown = show_terms(&serde_json::from_value(terms).unwrap(), "/provider/reference/terms/1/");
        assert_eq!(
            shown,
            json!({"text": "Terms", "agreement": null, "resource_uri": "/provider/reference/terms/1/"})
        );
    }
}
