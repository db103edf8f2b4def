//! The webhooks of the demonstration's payments: every one must have been taken by db-server.

use std::{collections::BTreeMap, time::Instant};

use actix_web::http::Method;
use serde::Deserialize;

use super::super::{
    running::Pair,
    steps::{Route, StepError, Steps},
};
use crate::client::Client;

#[derive(Deserialize)]
struct Shown {
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Delivery {
    provider: String,
    event: String,
    /// None when db-server did not answer.
    status: Option<u16>,
}

/// Waits until all have been delivered, and tells how many each provider has posted.
///
/// # Errors
/// [`StepError`] when db-server has not taken one of them.
pub(super) async fn tell(pair: &Pair, steps: &mut Steps) -> Result<(), StepError> {
    const WAITING: &str = "/_sandbox/webhooks?wait=true";
    let begin = Instant::now();
    let asked = Client::unsigned(pair.sandbox()).request(Method::GET, WAITING).send().await;
    let waited = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    let shown = asked.map_err(|error| steps.error(WAITING, error.to_string()))?;
    let Shown { deliveries } =
        serde_json::from_slice(&shown.body).map_err(|error| steps.error(WAITING, error.to_string()))?;
    let mut counts = BTreeMap::<_, u64>::new();
    for delivery in deliveries {
        let Delivery { provider, event, status } = delivery;
        if status != Some(200) {
            let reason = format!("db-server answered {status:?} to {event}");
            return Err(steps.error(&path(&provider), reason));
        }
        *counts.entry(provider).or_default() += 1;
    }
    for (provider, count) in counts {
        let request = format!("POST {}", path(&provider));
        steps.add(route(&provider), request, 200, waited, &[("webhooks", &count.to_string())]);
    }
    Ok(())
}

fn path(provider: &str) -> String {
    format!("/webhooks/{provider}/")
}

fn route(provider: &str) -> Route {
    let from = match provider {
        "stripe" => "stripe",
        "paypal" => "paypal",
        "braintree" => "braintree",
        _ => "provider",
    };
    Route { from, to: &["db-server", "provider-proxy"] }
}
