//! `demo`: a pair of its own, one purchase, and everything is gone again.

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
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Runs it and gives the exit code.
pub(super) async fn run(options: &DemoOptions) -> ExitCode {
    let mut steps = Steps::new(options.json);
    let outcome = make_purchase(&mut steps).await;
    let (code, mut summary) = match &outcome {
        Ok(transaction) => (ExitCode::SUCCESS, json!({"ok": true, "transaction": transaction})),
        Err(error) => {
            eprintln!("local-pair: the demonstration failed: {error}");
            (ExitCode::FAILURE, json!({"ok": false, "error": error.to_string(), "transaction": null}))
        }
    };
    if options.json {
        summary["steps"] = json!(steps.done());
        println!("{summary}");
    }
    code
}

async fn make_purchase(steps: &mut Steps) -> Result<Value, DemoError> {
    let mut signals = StopSignals::listen().map_err(PairError::file("signals"))?;
    tokio::select! {
        outcome = with_own_pair(steps) => outcome,
        () = signals.next() => Err(DemoError::Interrupted),
    }
}

async fn with_own_pair(steps: &mut Steps) -> Result<Value, DemoError> {
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
    steps.say(&format!("ready after {} ms; one purchase, step by step:", started.elapsed().as_millis()));
    let bought = Purchase::new(&pair, steps).make().await;
    let bought = bought.map_err(|error| DemoError::Step { error, lines: pair.last_lines() });
    let stopped = pair.stop().await;
    let transaction = bought?;
    stopped?;
    let uuid = transaction["uuid"].as_str().unwrap_or_default();
    let total = started.elapsed().as_millis();
    steps.say(&format!("transaction {uuid} is completed; everything is stopped again after {total} ms"));
    Ok(transaction)
}
