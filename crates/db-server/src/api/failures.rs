//! `/services/failures/`: what has gone wrong lately, for whoever watches the shop.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::json;

use super::{Shown, listed};
use crate::{
    caller::{Caller, Read},
    domain::{Domain, failure},
    error::ApiError,
    page::Query,
    store::failure::{FailedStatus, FailedTransaction},
    uri::Kind,
};

/// `GET`: the latest failed transaction of each product.
///
/// # Errors
/// [`ApiError`].
pub async fn transactions(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let page = query.finish()?;
    let list = failure::transactions(&domain, page.rows()).await?;
    let shown = list.rows.iter().map(show_transaction).collect();
    listed(&request, &page, "/services/failures/transactions/", shown, list.total)
}

/// `GET`: the checks of products at Bango that found errors, newest first.
///
/// # Errors
/// [`ApiError`].
pub async fn statuses(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let page = query.finish()?;
    let list = failure::statuses(&domain, page.rows()).await?;
    let shown = list.rows.iter().map(show_status).collect();
    listed(&request, &page, "/services/failures/statuses/", shown, list.total)
}

fn show_transaction(row: &FailedTransaction) -> Shown {
    let body = json!({
        "id": row.id.0,
        "uid_support": row.uid_support,
        "uid_pay": row.uid_pay,
        "uuid": row.uuid,
        "uri": Kind::Transaction.uri(row.id),
        "product_id": row.product_id.0,
    });
    Shown::of_row(row.id.0, row.counter, body)
}

fn show_status(row: &FailedStatus) -> Shown {
    let body = json!({
        "id": row.id,
        "status": row.status,
        "errors": row.errors,
        "product_id": row.product_id.0,
        "created": row.created,
        "modified": row.modified,
    });
    Shown::of_row(row.id, row.counter, body)
}
