//! After the storm: nothing is in the way any more, webhooks arrive, and janitors look until nothing is open.

use std::{collections::BTreeSet, time::Duration};

use actix_web::{http::Method, rt::time::sleep};
use diesel::{RunQueryDsl, sql_query, sql_types::BigInt};
use serde_json::{Value, json};

use super::{CrashError, books, rig::Rig};

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

/// Time passes: whatever is not settled and was begun so long ago is due for a look, and nobody has asked for it for so
/// long that "there is nothing" is evidence where that depends on minutes.
///
/// # Errors
/// [`CrashError`].
pub async fn make_due(rig: &Rig, age: Duration) -> Result<(), CrashError> {
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    rig.database
        .with(move |connection| {
            let query = "update payment_operations set next_look = now() - interval '1 second', \
                         modified = least(modified, now() - interval '20 minutes') \
                         where state < 3 and created <= now() - $1 * interval '1 second'";
            Ok(sql_query(query).bind::<BigInt, _>(seconds).execute(connection)?)
        })
        .await
        .map(drop)
}

/// One pass of a janitor over all that is not settled and was begun so long ago.
///
/// # Errors
/// [`CrashError`].
pub async fn look(rig: &Rig, age: Duration) -> Result<(), CrashError> {
    make_due(rig, age).await?;
    rig.db_servers[0].command(&["payment", "look"]).await.map(drop)
}

/// Has janitors look until nothing is open and `is_over` says that nobody begins anything any more; gives how many had no
/// known outcome at the beginning.
///
/// # Errors
/// [`CrashError`].
pub async fn settle(rig: &Rig, age: Duration, is_over: impl Fn() -> bool) -> Result<i64, CrashError> {
    let first = rig.database.with(books::open).await?;
    loop {
        let over = is_over();
        if over && rig.database.with(books::open).await? == 0 {
            return Ok(first);
        }
        look(rig, age).await?;
        sleep(Duration::from_millis(500)).await;
    }
}

/// Nobody who has died works on a request any more: the time for which it was leased passes.
///
/// # Errors
/// [`CrashError`].
pub async fn end_leases(rig: &Rig) -> Result<(), CrashError> {
    let query = "update idempotency_keys set leased_until = now() - interval '1 second' where leased_until is not null";
    rig.database.with(move |connection| Ok(sql_query(query).execute(connection)?)).await.map(drop)
}
