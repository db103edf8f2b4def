//! The janitor of payments: one runs in every server, claims the operations that nobody has settled and that are due,
//! looks at them, and writes down what that showed.

use std::time::Duration;

use actix_web::rt;
use chassis::crash;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use futures_util::{StreamExt as _, stream};

use super::{Context, Fact, absorb, look, schedule};
use crate::{
    domain::{Domain, DomainError, inbox},
    error::chain,
    proxy_client::ProxyClient,
    store::{
        payment::{self, PaymentRow},
        payment_code::{OperationState, PaymentOperationKind},
        payment_operation::{self, PaymentOperationRow},
        payment_queue,
    },
};

/// Under which name the janitor writes.
pub const ACTOR: &str = "janitor";
/// How many operations are claimed in one go.
const BATCH: i64 = 16;
/// How many are looked at side by side.
const SIDE_BY_SIDE: usize = 8;
/// How many calls are made one after the other before all that was claimed is looked at: two rounds side by side, and a
/// look asks twice at most. With a provider that is silent they are over before the claim is.
const CALLS: u32 = 4;
/// How many keys of clients are forgotten in one go.
const FORGOTTEN: i64 = 1000;
/// How long after one look for keys that can be forgotten the next follows.
const FORGET_EVERY: TimeDelta = TimeDelta::minutes(10);

/// Looks at what is due, again and again; it ends with the system that it runs in. What it has claimed and not looked
/// at by then is due again when the claim is over.
pub async fn run(domain: &Domain, proxy: &ProxyClient, every: Duration) {
    let mut forget_at = DateTime::UNIX_EPOCH;
    loop {
        if let Err(error) = pass(domain, proxy).await {
            log::warn!("the janitor waits: {}", chain(&error));
        }
        let now = domain.clock.now();
        if now >= forget_at {
            forget_at = now + FORGET_EVERY;
            if let Err(error) = forget(domain).await {
                log::warn!("the janitor waits: {}", chain(&error));
            }
        }
        rt::time::sleep(every).await;
    }
}

/// Looks at every operation that is due, and says how many there were.
///
/// # Errors
/// What the database gives. What cannot be said of one operation is logged and does not keep the others.
pub async fn pass(domain: &Domain, proxy: &ProxyClient) -> Result<usize, DomainError> {
    let (mut all, mut settled) = (0, 0);
    let lease = schedule::lease(CALLS, domain.payments.longest_call);
    loop {
        let now = domain.clock.now();
        let claim = move |connection: &mut PgConnection| {
            payment_queue::claim_due(connection, now, schedule::until(now, lease), BATCH)
        };
        let claimed = domain.database.write_one(claim).await?;
        if claimed.is_empty() {
            break;
        }
        crash::point("janitor.claimed");
        all += claimed.len();
        let looks = stream::iter(claimed).map(|one| look_at(domain, proxy, one));
        let ends: Vec<_> = looks.buffer_unordered(SIDE_BY_SIDE).collect().await;
        settled += ends.into_iter().filter(|&is_settled| is_settled).count();
    }
    if settled > 0 {
        inbox::payments_are_settled(domain, proxy).await?;
    }
    Ok(all)
}

/// Makes all that is not settled due now, and says how much that is.
///
/// # Errors
/// What the database gives.
pub async fn make_all_due(domain: &Domain) -> Result<usize, DomainError> {
    let now = domain.clock.now();
    let due = move |connection: &mut PgConnection| payment_queue::make_all_due(connection, now);
    Ok(domain.database.write_one(due).await?)
}

/// Forgets the keys under which clients have asked, once they are old enough; says how many.
///
/// # Errors
/// What the database gives.
pub async fn forget(domain: &Domain) -> Result<usize, DomainError> {
    let kept = TimeDelta::from_std(domain.payments.idempotency).unwrap_or(TimeDelta::MAX);
    let Some(before) = domain.clock.now().checked_sub_signed(kept) else { return Ok(0) };
    let mut all = 0;
    loop {
        let forget =
            move |connection: &mut PgConnection| payment_queue::forget_keys(connection, before, FORGOTTEN);
        let forgotten = domain.database.write_one(forget).await?;
        all += forgotten;
        if i64::try_from(forgotten).unwrap_or(FORGOTTEN) < FORGOTTEN {
            return Ok(all);
        }
    }
}

/// Looks at one operation, and says whether that has settled it. Whatever goes wrong, it is looked at again.
async fn look_at(domain: &Domain, proxy: &ProxyClient, operation: PaymentOperationRow) -> bool {
    let (kind, attempt) = (operation.operation.name(), operation.attempt);
    match look_and_settle(domain, proxy, operation).await {
        Ok(state) => {
            if let Some(state) = state {
                log::info!("the janitor has looked at {kind} {attempt}: {state:?}");
            }
            state == Some(OperationState::Settled)
        }
        Err(error) => {
            log::warn!("{kind} {attempt} stays as it is: {}", chain(&error));
            false
        }
    }
}

async fn look_and_settle(
    domain: &Domain,
    proxy: &ProxyClient,
    claimed: PaymentOperationRow,
) -> Result<Option<OperationState>, DomainError> {
    let operation = claimed.clone();
    let subject = domain.database.read(move |connection| look::subject(connection, operation)).await?;
    let looked = domain.clock.now();
    let facts = match look::look(&domain.keys, proxy, looked, &subject).await {
        Ok(facts) => facts,
        Err(error) => {
            let (kind, attempt) = (claimed.operation.name(), claimed.attempt);
            log::warn!("nothing can be said of {kind} {attempt}: {}", chain(&error));
            Vec::new()
        }
    };
    crash::point("janitor.answered");
    let context = Context::of(domain, ACTOR);
    let settle = move |connection: &mut PgConnection| settle(connection, &context, &claimed, looked, facts);
    let state = domain.database.write(settle).await?;
    crash::point("janitor.settled");
    Ok(state)
}

/// Writes down what a look at that time has shown, and when the next one is due; gives how far the operation is, if that
/// is news.
fn settle(
    connection: &mut PgConnection,
    context: &Context,
    claimed: &PaymentOperationRow,
    looked: DateTime<Utc>,
    mut facts: Vec<Fact>,
) -> Result<Option<OperationState>, DomainError> {
    let mut payment =
        payment::by_id_for_update(connection, claimed.payment_id)?.ok_or(DomainError::NotFound)?;
    if facts.is_empty() && claimed.state == OperationState::Open {
        // A crash has left it, and the provider says nothing yet.
        facts.push(Fact::Unknown { operation: claimed.clone(), why: None });
    }
    for fact in facts {
        payment = absorb(connection, context, payment, fact)?.payment;
    }
    let now = payment_operation::by_id(connection, claimed.id)?;
    let decisive = now.as_ref().and_then(|operation| {
        schedule::decisive(payment.provider, operation.operation, operation.state, operation.modified)
    });
    let decisive = decisive.filter(|&from| from > looked);
    let next = schedule::next_look(claimed.looks, claimed.created, context.now, decisive);
    payment_queue::reschedule(connection, claimed.id, claimed.looks, next)?;
    let state = now.map(|operation| operation.state);
    if next.is_none() && state.is_some_and(|state| state != OperationState::Settled) {
        give_up(&payment, claimed);
    }
    Ok(state.filter(|&state| state != claimed.state))
}

/// Says that nobody looks any more.
fn give_up(payment: &PaymentRow, operation: &PaymentOperationRow) {
    let (kind, attempt) = (operation.operation.name(), operation.attempt);
    if operation.operation == PaymentOperationKind::StartCheckout
        && operation.state == OperationState::Watching
    {
        // Most payers who have not paid by then never will.
        log::warn!(
            "payment {}: nobody has paid on its page in thirty days; it is looked at no more",
            payment.uuid
        );
        return;
    }
    log::error!(
        "payment {}: nobody knows after thirty days what became of {kind} {attempt}; it is looked at no more, and a \
         person decides: db-server payment resolve",
        payment.uuid
    );
}
