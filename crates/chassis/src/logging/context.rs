//! The request that the current task is working on.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Instant, SystemTime},
};

use actix_web::web;
use thiserror::Error;

tokio::task_local! {
    static CONTEXT: Arc<RequestContext>;
}

/// When a request came, by both clocks: read once, for all who want to know.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// For what it takes.
    pub instant: Instant,
    /// For what is written down.
    pub time: SystemTime,
}

impl Arrival {
    /// Reads the clocks.
    #[must_use]
    pub fn now() -> Self {
        Self { instant: Instant::now(), time: SystemTime::now() }
    }
}

/// What identifies a request in the log and on the next hop.
#[derive(Debug)]
pub struct RequestContext {
    /// When it came.
    pub arrival: Arrival,
    /// From `X-Request-Id`, or made here.
    pub request_id: String,
    /// From the client's `Transaction-Id`.
    pub transaction_id: Option<String>,
    client: OnceLock<Arc<str>>,
    principal: OnceLock<Principal>,
    recorded: AtomicBool,
}

/// On whose behalf a request is handled, as the next hop is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Principal {
    /// The name.
    pub name: String,
    /// What the holder of that name may do.
    pub authorities: Vec<String>,
}

impl RequestContext {
    /// Begins the context of a request that comes now.
    #[must_use]
    pub fn new(request_id: String, transaction_id: Option<String>) -> Self {
        Self::arrived(Arrival::now(), request_id, transaction_id)
    }

    /// Begins the context of a request.
    #[must_use]
    pub const fn arrived(arrival: Arrival, request_id: String, transaction_id: Option<String>) -> Self {
        Self {
            arrival,
            request_id,
            transaction_id,
            client: OnceLock::new(),
            principal: OnceLock::new(),
            recorded: AtomicBool::new(false),
        }
    }

    /// Says that there is a line for the request elsewhere, in an audit log, so that the access log has none.
    pub fn set_recorded(&self) {
        self.recorded.store(true, Ordering::Relaxed);
    }

    /// Whether there is a line for the request elsewhere.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::Relaxed)
    }

    /// Names the client once it is known who calls; later calls change nothing.
    pub fn set_client(&self, key: impl Into<Arc<str>>) {
        let _ = self.client.set(key.into());
    }

    /// The client's key, once known.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.client.get().map(AsRef::as_ref)
    }

    /// Says on whose behalf it is handled; later calls change nothing.
    pub fn set_principal(&self, principal: Principal) {
        let _ = self.principal.set(principal);
    }

    /// On whose behalf it is handled, once known.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.get()
    }
}

/// The context of the request that this task is working on.
#[must_use]
pub fn context() -> Option<Arc<RequestContext>> {
    CONTEXT.try_with(Arc::clone).ok()
}

/// Runs a future inside the context of a request.
pub async fn in_context<F: Future>(context: Arc<RequestContext>, future: F) -> F::Output {
    CONTEXT.scope(context, future).await
}

/// The blocking task panicked or the server is stopping; whatever it was doing has been abandoned.
#[derive(Clone, Copy, Debug, Error)]
#[error("the blocking task did not finish")]
pub struct BlockingError;

/// Runs something that blocks on the pool of threads for that, in the context of the current request.
///
/// # Errors
/// [`BlockingError`] when the closure panicked.
pub async fn blocking<F, T>(work: F) -> Result<T, BlockingError>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    web::block(carried(work)).await.map_err(|_| BlockingError)
}

/// The same work, to be done in the context of the current request wherever it is done.
pub fn carried<F, T>(work: F) -> impl FnOnce() -> T
where
    F: FnOnce() -> T,
{
    let current = context();
    move || match current {
        Some(context) => CONTEXT.sync_scope(context, work),
        None => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_blocking_task_belongs_to_the_request_that_started_it() {
        let request = Arc::new(RequestContext::new("r1".into(), None));
        let seen = in_context(request, async { blocking(|| context().map(|c| c.request_id.clone())).await });
        assert_eq!(seen.await.unwrap().as_deref(), Some("r1"));
        assert!(context().is_none());
    }

    #[actix_web::test]
    async fn the_client_is_named_once() {
        let request = RequestContext::new("r1".into(), None);
        request.set_client("first");
        request.set_client("second");
        assert_eq!(request.client(), Some("first"));
    }
}
