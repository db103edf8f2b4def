//! `/generic/product/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use chassis::settings::ExposeSecret;
use serde_json::{Value, json};

use super::{Id, READ_ONLY, Shown, listed};
use crate::{
    caller::{Caller, Read, Write},
    crypt::EncryptionKeys,
    domain::{
        Domain,
        product::{self, Product},
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    store::{
        Listed,
        code::Access,
        id::{ProductId, SellerId},
        product::{NewProduct, ProductChanges, ProductFilter},
    },
    uri::Kind,
};

/// `POST`: creates a product.
///
/// # Errors
/// [`ApiError`].
pub async fn create(_: Caller<Write>, domain: Data<Domain>, form: Form) -> Result<HttpResponse, ApiError> {
    let new = read_whole(form, &domain.keys)?;
    Ok(show(&product::create(&domain, new).await?).created())
}

/// `GET` of the list; filters `external_id`, `public_id`, `seller`, `seller__uuid`, `seller__active`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = ProductFilter {
        external_id: query.text("external_id"),
        public_id: query.text("public_id"),
        seller_id: query.reference("seller", Kind::Seller),
        seller_uuid: query.text("seller__uuid"),
        seller_active: query.boolean("seller__active"),
    };
    let page = query.finish()?;
    let list = match filter.only_public_id() {
        // There is one at most, and it is asked for with every purchase.
        Some(public_id) if page.rows().offset == 0 => {
            let rows: Vec<_> = product::by_public_id(&domain, public_id).await?.into_iter().collect();
            Listed { total: i64::try_from(rows.len()).unwrap_or_default(), rows }
        }
        _ => product::list(&domain, filter, page.rows()).await?,
    };
    listed(&request, &page, Kind::Product.list_path(), list.rows.iter().map(show).collect(), list.total)
}

/// `GET` of one product.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<ProductId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&product::get(&domain, id).await?).found(&request))
}

/// `PATCH`: changes the fields that are given.
///
/// # Errors
/// [`ApiError`].
pub async fn patch(
    _: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<ProductId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let changes = read_changes(form, &domain.keys)?;
    Ok(show(&product::update(&domain, id, expected, changes).await?).changed())
}

/// `PUT`: sets every field.
///
/// # Errors
/// [`ApiError`].
pub async fn put(
    _: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<ProductId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let whole = read_whole(form, &domain.keys)?;
    let changes = ProductChanges {
        seller_id: Some(whole.seller_id),
        external_id: Some(whole.external_id),
        public_id: Some(whole.public_id),
        secret: Some(whole.secret),
        access: Some(whole.access),
    };
    Ok(show(&product::update(&domain, id, expected, changes).await?).changed())
}

fn read_whole(mut form: Form, keys: &EncryptionKeys) -> Result<NewProduct, FieldErrors> {
    let seller = form.reference("seller", Kind::Seller);
    let seller_id = form.required("seller", seller).unwrap_or(SellerId(0));
    let external_id = form.id("external_id");
    let external_id = form.required("external_id", external_id).unwrap_or_default();
    let public_id = form.id("public_id");
    let public_id = form.required("public_id", public_id).unwrap_or_default();
    let secret = form.text("secret").flatten().map(|secret| keys.encrypt(&secret));
    let access = form.choice("access", Access::from_code);
    let access = form.not_null("access", access).unwrap_or_default();
    finish(form).map(|()| NewProduct { seller_id, external_id, public_id, secret, access })
}

fn read_changes(mut form: Form, keys: &EncryptionKeys) -> Result<ProductChanges, FieldErrors> {
    let seller = form.reference("seller", Kind::Seller);
    let seller_id = form.not_null("seller", seller);
    let external_id = form.id("external_id");
    let external_id = form.not_null("external_id", external_id);
    let public_id = form.id("public_id");
    let public_id = form.not_null("public_id", public_id);
    let secret = form.text("secret").map(|secret| secret.map(|secret| keys.encrypt(&secret)));
    let access = form.choice("access", Access::from_code);
    let access = form.not_null("access", access);
    finish(form).map(|()| ProductChanges { seller_id, external_id, public_id, secret, access })
}

fn finish(mut form: Form) -> Result<(), FieldErrors> {
    form.ignore(&READ_ONLY);
    form.ignore(&["seller_uuids"]);
    form.finish()
}

fn show(product: &Product) -> Shown {
    Shown::of_more(product.row.id.0, product.row.counter, show_body(product))
}

/// The product without its version.
pub(super) fn show_body(product: &Product) -> Value {
    let row = &product.row;
    json!({
        "resource_pk": row.id.0,
        "resource_uri": Kind::Product.uri(row.id),
        "seller": Kind::Seller.uri(row.seller_id),
        "external_id": row.external_id,
        "public_id": row.public_id,
        "secret": product.secret.as_ref().map(ExposeSecret::expose_secret),
        "access": row.access.code(),
        "seller_uuids": {
            "bango": product.seller_uuids.bango,
            "reference": product.seller_uuids.reference,
        },
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> EncryptionKeys {
        EncryptionKeys::parse(&[EncryptionKeys::generate()]).unwrap()
    }

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    const WHOLE: &str =
        r#"{"seller": "/generic/seller/3/", "external_id": "e", "public_id": "p", "secret": "hush"}"#;

    #[test]
    fn a_secret_is_encrypted_before_it_goes_anywhere() {
        let keys = keys();
        let secret = read_whole(form(WHOLE), &keys).unwrap().secret.unwrap();
        assert!(!secret.as_str().contains("hush"));
        assert_eq!(keys.decrypt(&secret).unwrap().expose_secret(), "hush");
    }

    #[test]
    fn a_product_is_for_purchases_unless_the_client_says_otherwise() {
        let product = read_whole(form(WHOLE), &keys()).unwrap();
        assert_eq!((product.seller_id, product.access), (SellerId(3), Access::Purchase));
    }

    #[test]
    fn seller_external_id_and_public_id_are_required() {
        let errors = read_whole(form("{}"), &keys()).unwrap_err();
        for field in ["seller", "external_id", "public_id"] {
            assert!(errors.has(field), "{field}");
        }
    }

    #[test]
    fn a_secret_may_be_taken_away_and_is_otherwise_kept() {
        assert_eq!(read_changes(form(r#"{"secret": null}"#), &keys()).unwrap().secret, Some(None));
        assert_eq!(read_changes(form("{}"), &keys()).unwrap().secret, None);
    }

    #[test]
    fn an_unknown_access_is_refused() {
        assert!(read_changes(form(r#"{"access": 3}"#), &keys()).unwrap_err().has("access"));
    }
}
