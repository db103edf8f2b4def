//! What was taken and given back in a time: the list of charges, and after it that of refunds.
//!
//! These two, and not the balance transactions: they are complete at once, and their amounts are what the payer was
//! charged, while a balance transaction is in the currency of the account. A charge is dated by when it was authorized.

use wire::payment::{ListMovements, Movement, MovementKind, MovementStatus, Movements};

use super::{
    Stripe, amount,
    client::{Call, id, invalid},
    error::{self, Standing, standing},
    messages::{BalanceTransaction, Expandable, ListedCharge, Page, Refund, attempt, rfc3339},
    payment::unexpected,
    webhook::intent_id,
};
use crate::{
    error::ProxyError,
    providers::{exchange::Unintelligible, period::Period},
    shape::ShapeError,
};

/// The largest page that Stripe gives.
const PAGE: &str = "100";

/// Which of the two lists goes on, and after which object; the text of a cursor.
enum Place<'cursor> {
    Charges(Option<&'cursor str>),
    Refunds(Option<&'cursor str>),
}

/// What a cursor begins with.
const CHARGES: &str = "charges:";
const REFUNDS: &str = "refunds:";

impl Stripe {
    pub(super) async fn movements(&self, request: &ListMovements) -> Result<Movements, ProxyError> {
        let period = Period::of(request).map_err(invalid)?;
        match place(request.cursor.as_deref())? {
            Place::Charges(after) => {
                let page = self.page::<ListedCharge>("/v1/charges", period, after).await?;
                let next = next(&page, CHARGES, |charge| &charge.id);
                // After the last charge come the refunds.
                let next = next.or_else(|| Some(REFUNDS.to_owned()));
                Ok(Movements { movements: all(page, taken)?, next })
            }
            Place::Refunds(after) => {
                let page = self.page::<Refund>("/v1/refunds", period, after).await?;
                let next = next(&page, REFUNDS, |refund| &refund.id);
                Ok(Movements { movements: all(page, given_back)?, next })
            }
        }
    }

    async fn page<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        period: Period,
        after: Option<&str>,
    ) -> Result<Page<T>, ProxyError> {
        let call = Call::get(path)
            .with("limit", PAGE)
            .with("created[gte]", &period.from.timestamp().to_string())
            .with("created[lt]", &period.to.timestamp().to_string())
            .with("expand[]", "data.balance_transaction")
            .with_some("starting_after", after);
        let page = self.client.read::<Page<T>>(call).await?;
        page.ok_or_else(|| {
            unexpected(Unintelligible::field(".", "there is no such list, or no such place in it"))
        })
    }
}

fn place(cursor: Option<&str>) -> Result<Place<'_>, ProxyError> {
    let Some(cursor) = cursor else { return Ok(Place::Charges(None)) };
    if cursor == REFUNDS {
        return Ok(Place::Refunds(None));
    }
    if let Some(after) = cursor.strip_prefix(CHARGES) {
        return Ok(Place::Charges(Some(id("cursor", after)?)));
    }
    if let Some(after) = cursor.strip_prefix(REFUNDS) {
        return Ok(Place::Refunds(Some(id("cursor", after)?)));
    }
    Err(invalid(ShapeError::field("cursor", "not one that was given here")))
}

fn next<T>(page: &Page<T>, list: &str, id_of: impl Fn(&T) -> &String) -> Option<String> {
    let last = page.data.last().filter(|_| page.has_more)?;
    Some(format!("{list}{}", id_of(last)))
}

fn all<T>(
    page: Page<T>,
    read: impl Fn(&T) -> Result<Option<Movement>, Unintelligible>,
) -> Result<Vec<Movement>, ProxyError> {
    if page.has_more && page.data.is_empty() {
        return Err(unexpected(Unintelligible::field("data", "empty, with more to come")));
    }
    page.data.iter().filter_map(|one| read(one).transpose()).collect::<Result<_, _>>().map_err(unexpected)
}

/// A charge that took money, or is about to; none of one that was declined, only authorized or given up.
fn taken(charge: &ListedCharge) -> Result<Option<Movement>, Unintelligible> {
    let (status, amount) = match charge.status.as_str() {
        "succeeded" if charge.amount_captured > 0 => (MovementStatus::Succeeded, charge.amount_captured),
        "pending" => (MovementStatus::Pending, charge.amount),
        "succeeded" | "failed" => return Ok(None),
        _ => return Err(Unintelligible::field("status", "not a known status")),
    };
    Ok(Some(Movement {
        kind: MovementKind::Charge,
        reference: charge.id.clone(),
        payment: charge.payment_intent.clone(),
        attempt: attempt(&charge.metadata),
        amount: amount::from_stripe(amount, &charge.currency)?,
        fee: fee(charge.balance_transaction.as_ref(), amount, &charge.currency)?,
        status,
        at: time(charge.created)?,
    }))
}

/// A refund, unless it came to nothing. One that touched no balance gave up an authorization: nothing had been taken.
fn given_back(refund: &Refund) -> Result<Option<Movement>, Unintelligible> {
    let status = match standing(error::REFUND, &refund.status)? {
        Standing::Succeeded if refund.balance_transaction.is_none() => return Ok(None),
        Standing::Succeeded => MovementStatus::Succeeded,
        Standing::Pending | Standing::RequiresAction => MovementStatus::Pending,
        Standing::Declined => return Ok(None),
    };
    let created = refund.created.ok_or_else(|| Unintelligible::field("created", "missing"))?;
    Ok(Some(Movement {
        kind: MovementKind::Refund,
        reference: refund.id.clone(),
        payment: refund.payment_intent.as_ref().map(intent_id),
        attempt: refund.metadata.as_ref().and_then(attempt),
        amount: amount::from_stripe(refund.amount, &refund.currency)?,
        fee: fee(refund.balance_transaction.as_ref(), refund.amount, &refund.currency)?,
        status,
        at: time(created)?,
    }))
}

/// The fee, where it is in the currency of the charge and of the whole of it: a charge that was captured in parts has a
/// balance transaction for each, of which one is shown.
fn fee(
    balance: Option<&Expandable<BalanceTransaction>>,
    amount: i64,
    currency: &str,
) -> Result<Option<i64>, Unintelligible> {
    let Some(balance) = balance.and_then(Expandable::object) else { return Ok(None) };
    if balance.currency != currency || balance.amount.unsigned_abs() != amount.unsigned_abs() {
        return Ok(None);
    }
    amount::from_stripe(balance.fee, currency).map(|fee| Some(fee.minor_units))
}

fn time(seconds: i64) -> Result<String, Unintelligible> {
    rfc3339(seconds).ok_or_else(|| Unintelligible::field("created", "not a time"))
}
