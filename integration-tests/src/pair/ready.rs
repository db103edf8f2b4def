//! Waits until a server listens and is well.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use actix_web::http::Method;

use super::{PairError, running::SHOW};
use crate::{
    client::Client,
    process::{End, Process, ProcessError},
};

/// How long a server may take until its status service is content.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Waits until a server has written its address.
pub(crate) async fn when_bound(
    process: &Process,
    address_file: &Path,
    scheme: &str,
) -> Result<String, PairError> {
    let read = async || match fs::read_to_string(address_file) {
        Ok(address) => Ok(format!("{scheme}://{}", address.trim())),
        Err(_) => Err("it does not listen yet".to_owned()),
    };
    poll(process, read).await
}

/// Waits until a server's status service answers 200. A server with TLS demands certificates that only its settings
/// know of; there, listening must do.
pub(super) async fn when_ready(process: &Process, url: &str) -> Result<(), PairError> {
    if url.starts_with("https:") {
        return Ok(());
    }
    let client = Client::unsigned(url);
    let ask = async || match client.request(Method::GET, "/services/status/").send().await {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(format!("its status service says {answer:?}")),
        Err(error) => Err(error.to_string()),
    };
    poll(process, ask).await
}

async fn poll<T>(process: &Process, ask: impl AsyncFn() -> Result<T, String>) -> Result<T, PairError> {
    let deadline = Instant::now() + READY_LIMIT;
    loop {
        let answer = match ask().await {
            Ok(found) => return Ok(found),
            Err(answer) => answer,
        };
        if process.end().is_some() {
            return Err(died(process).await?);
        }
        if Instant::now() > deadline {
            let (name, lines) = (process.name().to_owned(), process.last_lines(SHOW));
            return Err(PairError::NotReady { name, limit: READY_LIMIT, answer, lines });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn died(process: &Process) -> Result<PairError, ProcessError> {
    let end: End = process.wait().await?;
    Ok(PairError::Died { name: process.name().to_owned(), end, lines: process.last_lines(SHOW) })
}
