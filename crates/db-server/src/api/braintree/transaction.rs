//! `/braintree/mozilla/transaction/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{super::Id, Shown, listed_plainly, show_charge};
use crate::{
    caller::{Caller, Read},
    domain::{
        Domain,
        braintree::PROVIDER,
        charge::{self, Charge},
    },
    error::ApiError,
    page::Query,
    store::{id::ProviderChargeId, provider_charge::ProviderChargeFilter},
};

/// `GET` of the list; filter `transaction__buyer__uuid`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter =
        ProviderChargeFilter { provider: Some(PROVIDER), buyer_uuid: query.text("transaction__buyer__uuid") };
    let page = query.finish_plain()?;
    let list = charge::list(&domain, filter, page.rows()).await?;
    listed_plainly(&request, &page, list.rows.iter().map(show).collect(), list.total)
}

/// `GET` of one.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<ProviderChargeId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&charge::get(&domain, PROVIDER, id).await?).found(&request))
}

fn show(charge: &Charge) -> Shown {
    let row = &charge.row;
    Shown::of_row(row.id.0, row.counter, show_charge(row, charge.currency.as_deref()))
}
