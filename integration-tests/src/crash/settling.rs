//! After the storm: nothing is in the way any more, webhooks arrive, and janitors look until nothing is open.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use actix_web::{http::Method, rt::time::sleep};
use diesel::{PgConnection, RunQueryDsl, sql_query, sql_types::BigInt};
use serde_json::{Value, json};

use super::{
    CrashError, books,
    rig::{LEASE, Rig},
};

/// Removes all faults, and has providers deliver what they still owe: what is kept back, and what nobody has taken.
///
/// # Errors
/// [`CrashError`].
pub async fn calm(rig: &Rig) -> Result<(), CrashError> {
    let sandbox = rig.sandbox();
    sandbox.request(Method::DELETE, "/_sandbox/faults").send().await?;
    let handling = json!({"copies": 1, "delay_ms": 0, "hold": false});
    sandbox.request(Method::PUT, "/_sandbox/webhooks/handling").json(&handling).send().await?;
    sandbox.request(Method::POST, "/_sandbox/webhooks/release").json(&json!({"order": []})).send().await?;
    deliver_again(rig).await
}

/// Providers post again what nobody has taken.
///
/// # Errors
/// [`CrashError`].
pub async fn deliver_again(rig: &Rig) -> Result<(), CrashError> {
    let sandbox = rig.sandbox();
    let shown = sandbox.request(Method::GET, "/_sandbox/webhooks?wait=true").send().await?.json();
    let deliveries: Vec<&Value> = shown["deliveries"].as_array().into_iter().flatten().collect();
    let of = |taken: bool| -> BTreeSet<&str> {
        let is_taken = |status: &Value| status.as_u64().is_some_and(|status| (200..300).contains(&status));
        let fits = deliveries.iter().filter(|delivery| is_taken(&delivery["status"]) == taken);
        fits.filter_map(|delivery| delivery["event_id"].as_str()).collect()
    };
    for id in of(false).difference(&of(true)) {
        sandbox.request(Method::POST, &format!("/_sandbox/webhooks/events/{id}/send")).send().await?;
    }
    Ok(())
}

/// Time passes for whatever is not settled and was begun so long ago: it is due for a look, and was begun so many minutes
/// earlier, so that "there is nothing" is evidence where that depends on minutes. Nothing gets older than half an hour by it.
///
/// # Errors
/// [`CrashError`].
pub async fn pass_time(rig: &Rig, age: Duration, minutes: i64) -> Result<(), CrashError> {
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let shift = move |connection: &mut PgConnection| {
        let query = "update payment_operations set next_look = now() - interval '1 second', \
                     created = least(created, greatest(created - $2 * interval '1 minute', \
                                                       now() - $3 * interval '1 minute')), \
                     modified = least(modified, greatest(modified - $2 * interval '1 minute', \
                                                         now() - $3 * interval '1 minute')) \
                     where state < 3 and created <= now() - $1 * interval '1 second'";
        let query = sql_query(query).bind::<BigInt, _>(seconds).bind::<BigInt, _>(minutes);
        Ok(query.bind::<BigInt, _>(OLDEST).execute(connection)?)
    };
    rig.database.with(shift).await.map(drop)
}

/// How many minutes old an operation gets at most by the time that passes quickly. By then Braintree's "nothing" is evidence,
/// and every other provider can be asked again still. Without an end a server that is away for seconds would be away for
/// hours, after which a person decides.
const OLDEST: i64 = 30;

/// How long an operation must have been begun before it can be taken that no request for it is under way any more.
const QUIET: Duration = Duration::from_secs(15);

/// For how much longer such an operation is taken to have been begun: "nothing" is evidence by then at Braintree, and each
/// provider may still be asked again where it may be asked again at all.
const LATER: i64 = 12;

/// Time passes quickly during the storm: what is not settled is due soon after it was begun, and what is quiet is given up
/// where only time tells. A Postgres that is away is waited for.
pub async fn hurry(rig: &Rig) -> CrashError {
    loop {
        sleep(Duration::from_millis(700)).await;
        let passed = [
            pass_time(rig, Duration::from_secs(3), 0).await,
            pass_time(rig, QUIET, LATER).await,
            pass_leases(rig).await,
        ];
        for passed in passed {
            match passed {
                Ok(()) | Err(CrashError::Connection(_) | CrashError::Statement(_)) => {}
                Err(error) => return error,
            }
        }
    }
}

/// Has janitors look until nothing is open and `is_over` says that nobody begins anything any more, or for so long; gives
/// how many had no known outcome at the beginning.
///
/// # Errors
/// [`CrashError`].
pub async fn settle(
    rig: &Rig,
    limit: Duration,
    minutes: i64,
    is_over: impl Fn() -> bool,
) -> Result<i64, CrashError> {
    let (first, deadline) = (rig.database.with(books::open).await?, Instant::now() + limit);
    loop {
        let over = is_over();
        if (over && rig.database.with(books::open).await? == 0) || Instant::now() > deadline {
            return Ok(first);
        }
        pass_time(rig, Duration::ZERO, minutes).await?;
        pass_leases(rig).await?;
        rig.db_servers[0].command(&["payment", "look", "--all"]).await?;
        sleep(Duration::from_millis(300)).await;
    }
}

/// For how many seconds a request is left to whoever has begun it: longer than all that the sandbox is told to take.
const LEFT: i64 = 4;

/// Time passes for whatever request was begun longer ago than that: a client goes on with it.
///
/// # Errors
/// [`CrashError`].
pub async fn pass_leases(rig: &Rig) -> Result<(), CrashError> {
    let query = "update idempotency_keys set leased_until = now() - interval '1 second' \
                 where leased_until between now() and now() + $1 * interval '1 second'";
    let pass = move |connection: &mut PgConnection| {
        Ok(sql_query(query).bind::<BigInt, _>(LEASE - LEFT).execute(connection)?)
    };
    rig.database.with(pass).await.map(drop)
}

/// Nobody who has died works on a request any more: the time for which it was leased passes.
///
/// # Errors
/// [`CrashError`].
pub async fn end_leases(rig: &Rig) -> Result<(), CrashError> {
    let query = "update idempotency_keys set leased_until = now() - interval '1 second' where leased_until is not null";
    rig.database.with(move |connection| Ok(sql_query(query).execute(connection)?)).await.map(drop)
}
