//! What became of something: by Braintree's ids, or by our attempt through its search for order ids.

use wire::payment::{AttemptId, Found, Healthy, Lookup, LookupBy, Outcome, Payment, Provider, Refunded};

use super::{
    Braintree,
    client::{self, Call},
    messages::{self, Parts},
    table,
    xml::{Element, Written},
};
use crate::{error::ProxyError, providers::exchange::Unintelligible};

pub(super) async fn lookup(braintree: &Braintree, request: &Lookup) -> Result<Found, ProxyError> {
    match &request.by {
        LookupBy::PaymentAttempt { of } => {
            let found = sale_of(braintree, *of).await?;
            Ok(found.map_or(Found::Nothing, |outcome| Found::Payment { outcome }))
        }
        LookupBy::Payment { reference } => {
            let found = payment(braintree, client::segment("reference", reference)?).await?;
            Ok(found.map_or(Found::Nothing, |outcome| Found::Payment { outcome }))
        }
        LookupBy::RefundAttempt { of, payment } => {
            client::segment("payment", payment)?;
            let found = refund_of(braintree, *of).await?;
            Ok(found.map_or(Found::Nothing, |outcome| Found::Refund { outcome }))
        }
        LookupBy::Refund { reference } => {
            let found = transaction(braintree, client::segment("reference", reference)?).await?;
            let refund = found.map(|found| messages::refunded(&found)).transpose().map_err(unexpected)?;
            Ok(refund.map_or(Found::Nothing, |outcome| Found::Refund { outcome }))
        }
    }
}

/// A transaction by Braintree's id.
pub(super) async fn transaction(braintree: &Braintree, id: &str) -> Result<Option<Element>, ProxyError> {
    let id = client::segment("reference", id)?;
    let found = braintree.client.read(Call::get(format!("transactions/{id}")), None).await?;
    match found {
        Some(found) if found.text("id") != Some(id) => {
            Err(unexpected(Unintelligible::field("id", "another transaction")))
        }
        found => Ok(found),
    }
}

/// A payment by Braintree's id, with what its parts and refunds come to.
pub(super) async fn payment(braintree: &Braintree, id: &str) -> Result<Option<Outcome<Payment>>, ProxyError> {
    match transaction(braintree, id).await? {
        Some(found) => complete(braintree, &found).await.map(Some),
        None => Ok(None),
    }
}

/// What an attempt to sell has made.
///
/// A sale that was refused as a duplicate of another of the same attempt says nothing about the attempt.
pub(super) async fn sale_of(
    braintree: &Braintree,
    attempt: AttemptId,
) -> Result<Option<Outcome<Payment>>, ProxyError> {
    let found = search(braintree, attempt).await?;
    let mut moved = Vec::new();
    let mut declined = None;
    for sale in found.iter().filter(|found| is_sale(found)) {
        match messages::payment(sale, Parts::default()).map_err(unexpected)? {
            Outcome::Declined { decline, .. } if decline.code == table::DUPLICATE => {}
            // The newest is first.
            outcome @ Outcome::Declined { .. } => declined = declined.or(Some(outcome)),
            _ => moved.push(sale),
        }
    }
    match moved.as_slice() {
        [] => Ok(declined),
        [sale] => complete(braintree, sale).await.map(Some),
        _ => {
            let ids: Vec<_> = moved.iter().filter_map(|sale| sale.text("id")).collect();
            log::error!("braintree: the attempt {attempt} has made several payments: {}", ids.join(", "));
            Err(unexpected(Unintelligible::field("order-id", "several payments were made by one attempt")))
        }
    }
}

/// A part of another sale may have its order id.
fn is_sale(transaction: &Element) -> bool {
    transaction.text("type") == Some("sale") && transaction.text("authorized-transaction-id").is_none()
}

async fn refund_of(
    braintree: &Braintree,
    attempt: AttemptId,
) -> Result<Option<Outcome<Refunded>>, ProxyError> {
    let found = search(braintree, attempt).await?;
    let mut refunds = Vec::new();
    for refund in found.iter().filter(|found| found.text("type") == Some("credit")) {
        refunds.push(messages::refunded(refund).map_err(unexpected)?);
    }
    let is_declined = |outcome: &Outcome<Refunded>| matches!(outcome, Outcome::Declined { .. });
    let moved = refunds.iter().filter(|outcome| !is_declined(outcome)).count();
    if moved > 1 {
        log::error!("braintree: the attempt {attempt} has made {moved} refunds");
        return Err(unexpected(Unintelligible::field(
            "order-id",
            "several refunds were made by one attempt",
        )));
    }
    let best = refunds.iter().position(|outcome| !is_declined(outcome)).unwrap_or(0);
    Ok(refunds.into_iter().nth(best))
}

/// The one of these transactions that an attempt has made.
pub(super) async fn made_by(
    braintree: &Braintree,
    ids: &[String],
    attempt: AttemptId,
) -> Result<Option<Element>, ProxyError> {
    let found = fetch(braintree, ids).await?;
    Ok(found.into_iter().find(|found| messages::is_of(found, attempt)))
}

async fn complete(braintree: &Braintree, sale: &Element) -> Result<Outcome<Payment>, ProxyError> {
    let parts = sale.items("partial-settlement-transaction-ids");
    let parts = fetch(braintree, &parts).await?;
    let mut refunds = sale.items("refund-ids");
    refunds.extend(parts.iter().flat_map(|part| part.items("refund-ids")));
    let refunds = fetch(braintree, &refunds).await?;
    let known = Parts {
        captured: Some(messages::sum(&parts).map_err(unexpected)?),
        settlement_declined: Some(messages::sum_not_settled(&parts).map_err(unexpected)?),
        refunded: Some(messages::sum(&refunds).map_err(unexpected)?),
    };
    messages::payment(sale, known).map_err(unexpected)
}

/// Braintree answers a search with ids first, and then with what they are of.
async fn search(braintree: &Braintree, attempt: AttemptId) -> Result<Vec<Element>, ProxyError> {
    let order_id = Written::new("order_id").text("is", &attempt.to_string());
    let ids = search_ids(braintree, Written::new("search").node(order_id)).await?;
    let mut found = fetch(braintree, &ids).await?;
    found.retain(|found| messages::is_of(found, attempt));
    Ok(found)
}

pub(super) async fn search_ids(braintree: &Braintree, search: Written) -> Result<Vec<String>, ProxyError> {
    let call = Call::post("transactions/advanced_search_ids");
    let results = required(braintree.client.read(call, Some(search)).await?, "search-results")?;
    match results.child("ids") {
        Some(_) => Ok(results.items("ids")),
        None => Err(unexpected(Unintelligible::field("ids", "missing"))),
    }
}

/// One page is fetched: no payment has more parts or refunds.
pub(super) async fn fetch(braintree: &Braintree, ids: &[String]) -> Result<Vec<Element>, ProxyError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let search = Written::new("search").list("ids", ids);
    let call = Call::post("transactions/advanced_search");
    let page = required(braintree.client.read(call, Some(search)).await?, "credit-card-transactions")?;
    let found: Vec<_> =
        page.children().iter().filter(|child| child.name() == "transaction").cloned().collect();
    if found.len() < ids.len() {
        // To leave one out could be to do it again.
        return Err(unexpected(Unintelligible::field("transaction", "fewer than were asked for")));
    }
    Ok(found)
}

/// Asks for a transaction that does not exist: that takes our keys, and changes nothing.
pub(super) async fn health(braintree: &Braintree) -> Result<Healthy, ProxyError> {
    let id = Written::new("id").text("is", "health");
    search_ids(braintree, Written::new("search").node(id)).await.map(|_| Healthy {})
}

fn required(found: Option<Element>, name: &str) -> Result<Element, ProxyError> {
    let found = found.filter(|found| found.name() == name);
    found.ok_or_else(|| unexpected(Unintelligible::field(".", format!("not {name}"))))
}

/// An answer that was read and makes no sense.
pub(super) fn unexpected(error: Unintelligible) -> ProxyError {
    ProxyError::UnexpectedAnswer { target: Provider::Braintree.name(), source: error.0 }
}
