//! What was taken and given back in a time: a search for transactions by when they were made.
//!
//! Source: `braintree/transaction_search.py` and `transaction_gateway.py` of the official Python SDK: a search gives the
//! ids of all that fits, newest first, and then their transactions are fetched fifty at a time.

use wire::payment::{ListMovements, Movements};

use super::{
    Braintree,
    client::{invalid, segment},
    lookup::{fetch, search_ids, unexpected},
    messages,
    xml::Written,
};
use crate::{
    error::ProxyError,
    providers::{
        exchange::Unintelligible,
        period::{self, Period},
    },
    shape::ShapeError,
};

/// How many transactions are fetched at once, as the SDKs do.
const PAGE: usize = 50;

/// How many ids a search gives at most: with as many, there may be more.
const MOST: usize = 50_000;

/// `list_movements`. A cursor is the id of the last transaction that was seen: what is made meanwhile comes before it.
pub(super) async fn list(braintree: &Braintree, request: &ListMovements) -> Result<Movements, ProxyError> {
    let period = Period::of(request).map_err(invalid)?;
    let after = request.cursor.as_deref().map(|cursor| segment("cursor", cursor)).transpose()?;
    let ids = search_ids(braintree, search(period)).await?;
    if ids.len() >= MOST {
        let problem = "more transactions than a search gives; ask for a shorter time";
        return Err(unexpected(Unintelligible::field("ids", problem)));
    }
    let begin = match after {
        Some(after) => {
            1 + ids.iter().position(|id| id == after).ok_or_else(|| {
                invalid(ShapeError::field("cursor", "not the id of a transaction of this time"))
            })?
        }
        None => 0,
    };
    let end = ids.len().min(begin + PAGE);
    let mut movements = Vec::new();
    for transaction in fetch(braintree, &ids[begin..end]).await? {
        let movement = messages::movement(&transaction).map_err(unexpected)?;
        if let Some(movement) = movement {
            let at = period::parse(&movement.at)
                .ok_or_else(|| unexpected(Unintelligible::field("created-at", "not a time of RFC 3339")))?;
            // Both ends of a search are in it.
            movements.extend(period.holds(at).then_some(movement));
        }
    }
    let next = ids[begin..end].last().filter(|_| end < ids.len()).cloned();
    Ok(Movements { movements, next })
}

fn search(period: Period) -> Written {
    let times = Written::new("created_at")
        .datetime("min", &period::written(period.from))
        .datetime("max", &period::written(period.to));
    Written::new("search").node(times)
}
