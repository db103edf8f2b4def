//! `demo`: a pair of its own, purchases through every provider, and everything is gone again.

mod books;
mod braintree;
mod events;
mod ledger;
mod payments;
mod paypal;
mod stripe;
mod table;
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
use books::Books;
use events::Feed;
use ledger::Entry;
use payments::Payments;

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
    /// The sandbox's ledger, or db-server's, does not say what it should.
    #[error("the ledgers: {0}")]
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
    /// What db-server's own ledger says.
    books: Books,
}

/// Runs it and gives the exit code.
pub(super) async fn run(options: &DemoOptions) -> ExitCode {
    let mut steps = Steps::new(options.json);
    let outcome = make_purchases(&mut steps).await;
    let (code, mut summary) = match &outcome {
        Ok(Bought { transaction, ledger, books }) => (
            ExitCode::SUCCESS,
            json!({"ok": true, "transaction": transaction, "ledger": ledger, "books": books}),
        ),
        Err(error) => {
            eprintln!("local-pair: the demonstration failed: {error}");
            (
                ExitCode::FAILURE,
                json!({
                    "ok": false, "error": error.to_string(), "transaction": null, "ledger": null, "books": null,
                }),
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
    let product = transaction["seller_product"].as_str().unwrap_or_default().to_owned();
    let (mut shop, mut feed) = (Payments::new(pair, steps, product), Feed::new());
    shop.steps.say(
        "\nStripe: a payment asked for twice, a decline, 3-D Secure, a partial capture, a partial refund",
    );
    stripe::buy(&mut shop, &mut feed).await.map_err(failed)?;
    shop.steps.say("\nPayPal: a checkout that its payer approves, a partial refund, a decline");
    paypal::buy(&mut shop).await.map_err(failed)?;
    shop.steps.say("\nBraintree: a payment, a decline, a partial refund once it is settled");
    braintree::buy(&mut shop).await.map_err(failed)?;
    shop.steps.say("\nwhat the providers posted meanwhile");
    webhooks::tell(pair, shop.steps).await.map_err(failed)?;
    shop.steps.say("\nwhat db-server tells of it all: the rest of the events, and its ledger");
    feed.catch_up(&mut shop).await.map_err(failed)?;
    let books = books::read(&mut shop).await.map_err(failed)?;
    let entries = ledger::read(pair.sandbox()).await.map_err(DemoError::Ledger)?;
    say_books(steps, &books, &entries)?;
    Ok(Bought { transaction, ledger: entries, books })
}

/// Shows both sides' ledgers, which must agree.
fn say_books(steps: &Steps, books: &Books, entries: &[Entry]) -> Result<(), DemoError> {
    steps.say("\nwhat db-server's ledger says:");
    books::lines(books).iter().for_each(|line| steps.say(line));
    steps.say("\nwhat the providers' ledger says:");
    ledger::lines(entries).iter().for_each(|line| steps.say(line));
    ledger::check(entries).map_err(DemoError::Unexpected)?;
    books::compare(books, entries).map_err(DemoError::Unexpected)?;
    steps.say(
        "\nboth say the same of /payments/: what a provider has charged, less what it gave back, is receivable from it\n",
    );
    Ok(())
}
