//! `demo`: a pair of its own, purchases through every provider, and everything is gone again.

mod braintree;
mod ledger;
mod neutral;
mod paypal;
mod stripe;
mod webhooks;

use std::{process::ExitCode, time::Instant};

use serde_json::{Value, json};
use thiserror::Error;

use super::{
    DemoOptions, PairError, UpOptions,
    purchase::Purchase,
    running::Pair,
    signals::StopSignals,
    state::State,
    steps::{StepError, Steps},
};
use crate::client::RequestError;
use ledger::Entry;
use neutral::Neutral;

/// Why the demonstration failed.
#[derive(Debug, Error)]
enum DemoError {
    /// The pair did not start or stop.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// A step did not do what it should.
    #[error("{error}\n{lines}")]
    Step {
        /// What went wrong.
        error: StepError,
        /// The servers' last lines.
        lines: String,
    },
    /// The sandbox does not show its ledger.
    #[error("the sandbox's ledger: {0}")]
    Ledger(#[source] RequestError),
    /// The ledger holds other lines than it should.
    #[error("the sandbox's ledger: {0}")]
    Unexpected(String),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// What came of it.
struct Bought {
    /// The transaction of the reference provider, as db-server shows it at the end.
    transaction: Value,
    /// What the sandbox says was charged and refunded.
    ledger: Vec<Entry>,
}

/// Runs it and gives the exit code.
pub(super) async fn run(options: &DemoOptions) -> ExitCode {
    let mut steps = Steps::new(options.json);
    let outcome = make_purchases(&mut steps).await;
    let (code, mut summary) = match &outcome {
        Ok(Bought { transaction, ledger }) => {
            (ExitCode::SUCCESS, json!({"ok": true, "transaction": transaction, "ledger": ledger}))
        }
        Err(error) => {
            eprintln!("local-pair: the demonstration failed: {error}");
            (
                ExitCode::FAILURE,
                json!({"ok": false, "error": error.to_string(), "transaction": null, "ledger": null}),
            )
        }
    };
    if options.json {
        summary["steps"] = json!(steps.done());
        println!("{summary}");
    }
    code
}

async fn make_purchases(steps: &mut Steps) -> Result<Bought, DemoError> {
    let mut signals = StopSignals::listen().map_err(PairError::file("signals"))?;
    tokio::select! {
        outcome = with_own_pair(steps) => outcome,
        () = signals.next() => Err(DemoError::Interrupted),
    }
}

async fn with_own_pair(steps: &mut Steps) -> Result<Bought, DemoError> {
    let started = Instant::now();
    let state = State::temporary()?;
    let options = UpOptions {
        state: state.folder().to_owned(),
        db_port: 0,
        proxy_port: 0,
        sandbox_port: 0,
        db_settings: None,
        proxy_settings: None,
    };
    steps
        .say("starting a private Postgres, the provider sandbox, provider-proxy and db-server on free ports");
    let pair = Pair::start(&options, &state, false).await?;
    steps.say(&format!("ready after {} ms", started.elapsed().as_millis()));
    let bought = buy(&pair, steps).await;
    let stopped = pair.stop().await;
    let bought = bought?;
    stopped?;
    let total = started.elapsed().as_millis();
    steps.say(&format!("everything is stopped again after {total} ms"));
    Ok(bought)
}

/// Buys through each provider, and reads what they say of it.
async fn buy(pair: &Pair, steps: &mut Steps) -> Result<Bought, DemoError> {
    let failed = |error| DemoError::Step { error, lines: pair.last_lines() };
    steps.say("\nthe reference provider: one purchase");
    let transaction = Purchase::new(pair, steps).make().await.map_err(failed)?;
    let mut neutral = Neutral::new(pair, steps)?;
    neutral.say("\nStripe: a payment, a decline, a payment with 3-D Secure, a partial refund");
    stripe::buy(&mut neutral).await.map_err(failed)?;
    neutral.say("\nPayPal: a checkout that its payer approves, a partial refund, a decline");
    paypal::buy(&mut neutral).await.map_err(failed)?;
    neutral.say("\nBraintree: a sale, a decline, a partial refund once it is settled");
    braintree::buy(pair, &mut neutral).await.map_err(failed)?;
    steps.say("\nwhat the providers posted meanwhile");
    webhooks::tell(pair, steps).await.map_err(failed)?;
    let entries = ledger::read(pair.sandbox()).await.map_err(DemoError::Ledger)?;
    steps.say("\nwhat the providers' ledger says:");
    for line in ledger::table(&entries) {
        steps.say(&line);
    }
    steps.say("");
    ledger::check(&entries).map_err(DemoError::Unexpected)?;
    Ok(Bought { transaction, ledger: entries })
}
