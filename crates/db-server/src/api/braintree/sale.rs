//! `/braintree/sale/`.

use actix_web::{HttpResponse, web::Data};
use serde_json::{Value, json};
use wire::payment::Provider;

use super::show_charge;
use crate::{
    api::{
        payment::{MaybeKeyed, answer},
        transaction,
    },
    caller::{Caller, Write},
    domain::{
        Domain,
        detached::detached,
        payment::{self, NewSale, SaleSource},
        transaction::Transaction,
    },
    error::ApiError,
    field_errors::{ALL, FieldError, FieldErrors},
    form::Form,
    proxy_client::ProxyClient,
    store::provider_charge::ProviderChargeRow,
    uri::Kind,
};

/// What a sale asks Braintree for, in its word.
const KIND: &str = "submit_for_settlement";
const ONE_OF_THEM: &str = "Give either a nonce or a paymethod.";

/// `POST {amount, product_id, nonce | paymethod}`: sells a product once, also when a client that gives an
/// `Idempotency-Key` sends it again.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    keyed: MaybeKeyed,
) -> Result<HttpResponse, ApiError> {
    let (once, form) = keyed.into_parts(&caller.actor());
    let new = read(form)?;
    let sold = detached(async move { payment::sell(&domain, &proxy, once, new, show).await });
    Ok(answer(sold.await?))
}

fn show(sold: &Transaction, charge: &ProviderChargeRow) -> Value {
    let charge = show_charge(charge, sold.row.currency.as_deref());
    json!({
        "braintree": {},
        "mozilla": {"generic": transaction::show_body(sold), "braintree": charge},
    })
}

pub(super) fn read(mut form: Form) -> Result<NewSale, FieldErrors> {
    let amount = form.decimal("amount");
    let amount = form.required("amount", amount).unwrap_or_default();
    let product_id = form.id("product_id");
    let product_id = form.required("product_id", product_id).unwrap_or_default();
    let nonce = form.token("nonce").flatten();
    let method = form.reference("paymethod", Kind::BraintreePaymentMethod).flatten();
    let source = match (nonce, method) {
        (Some(nonce), None) => Some(SaleSource::Nonce(nonce)),
        (None, Some(method)) => Some(SaleSource::PaymentMethod(method)),
        (Some(_), Some(_)) | (None, None) => None,
    };
    if source.is_none() && !form.has_error("nonce") && !form.has_error("paymethod") {
        form.error(ALL, FieldError::invalid(ONE_OF_THEM));
    }
    form.finish()?;
    // Without a source there was an error, so that this is never reached.
    let source = source.ok_or_else(|| FieldErrors::of(ALL, FieldError::invalid(ONE_OF_THEM)))?;
    Ok(NewSale { provider: Provider::Braintree, kind: KIND, amount, product_id, source })
}
