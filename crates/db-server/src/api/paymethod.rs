//! `/paymethods/`: stored means of payment, at whichever provider.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::{Value, json};
use wire::payment::{Provider, Token};

use super::{Id, Shown, concluded, listed};
use crate::{
    caller::{Caller, Read, Write},
    domain::{
        Domain,
        detached::detached,
        paymethod::{self, NewPaymethod, Paymethod},
    },
    error::ApiError,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    proxy_client::ProxyClient,
    store::{
        id::{BuyerId, PaymentMethodId},
        payment_method::{PaymentMethodFilter, PaymentMethodRow},
    },
    uri::Kind,
};

/// `POST`: has the provider keep a means of payment.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let (new, actor) = (read_new(form)?, caller.actor());
    let stored = detached(async move { paymethod::store(&domain, &proxy, new, &actor).await }).await?;
    Ok(concluded(show(&stored.row), &stored.standing))
}

/// `GET` of the list; filters `provider`, `buyer`, `buyer__uuid`, `active`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = PaymentMethodFilter {
        provider: query.word::<Provider>("provider").map(Into::into),
        buyer_id: query.reference("buyer", Kind::Buyer),
        buyer_uuid: query.text("buyer__uuid"),
        active: query.boolean("active"),
        ..PaymentMethodFilter::default()
    };
    let page = query.finish()?;
    let list = paymethod::list(&domain, filter, page.rows()).await?;
    listed(&request, &page, Kind::Paymethod.list_path(), list.rows.iter().map(show).collect(), list.total)
}

/// `GET` of one means of payment.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<PaymentMethodId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&paymethod::get(&domain, id).await?).found(&request))
}

/// `DELETE`: has the provider forget it.
///
/// # Errors
/// [`ApiError`].
pub async fn delete(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<PaymentMethodId>,
) -> Result<HttpResponse, ApiError> {
    let actor = caller.actor();
    detached(async move { paymethod::delete(&domain, &proxy, id, &actor).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn read_new(mut form: Form) -> Result<NewPaymethod, FieldErrors> {
    let provider = form.word::<Provider>("provider");
    let provider = form.required("provider", provider).unwrap_or(Provider::Reference);
    let buyer = form.reference("buyer", Kind::Buyer);
    let buyer_id = form.required("buyer", buyer).unwrap_or(BuyerId(0));
    let nonce = form.token("nonce");
    let nonce = form.required("nonce", nonce).unwrap_or_else(|| Token::from(""));
    form.finish().map(|()| NewPaymethod { provider, buyer_id, nonce })
}

/// The provider's token is never shown.
fn show(paymethod: &Paymethod) -> Shown {
    let row = &paymethod.row;
    let body = json!({
        "resource_pk": row.id.0,
        "resource_uri": Kind::Paymethod.uri(row.id),
        "provider": row.provider.name(),
        "type": row.kind.name(),
        "brand": row.brand,
        "last4": row.last4,
        "expiry": expiry(row),
        "active": row.active,
        "buyer": Kind::Buyer.uri(paymethod.buyer_id),
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    });
    Shown::of_row(row.id.0, row.counter, body)
}

/// Year and month, as ISO 8601 has them.
fn expiry(row: &PaymentMethodRow) -> Value {
    match (row.expiry_year, row.expiry_month) {
        (Some(year), Some(month)) => format!("{year:04}-{month:02}").into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NewPaymethod, FieldErrors> {
        read_new(Form::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_payment_method_needs_its_provider_its_buyer_and_a_nonce() {
        let new = read(r#"{"provider": "stripe", "buyer": "/generic/buyer/7/", "nonce": "dummy"}"#).unwrap();
        assert_eq!((new.provider, new.buyer_id, new.nonce.expose()), (Provider::Stripe, BuyerId(7), "dummy"));
        let errors = read("{}").unwrap_err();
        assert!(["provider", "buyer", "nonce"].iter().all(|field| errors.has(field)));
        for (field, body) in [
            ("provider", r#"{"provider": "bango", "buyer": "/generic/buyer/7/", "nonce": "x"}"#),
            ("provider", r#"{"provider": 5, "buyer": "/generic/buyer/7/", "nonce": "x"}"#),
            ("buyer", r#"{"provider": "stripe", "buyer": "/generic/seller/7/", "nonce": "x"}"#),
            ("nonce", r#"{"provider": "stripe", "buyer": "/generic/buyer/7/", "nonce": ""}"#),
            ("nonce", r#"{"provider": "stripe", "buyer": "/generic/buyer/7/", "nonce": "4111111111111111"}"#),
            ("token", r#"{"provider": "stripe", "buyer": "/generic/buyer/7/", "nonce": "x", "token": "t"}"#),
        ] {
            assert!(read(body).unwrap_err().has(field), "{body}");
        }
    }
}
