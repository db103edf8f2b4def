//! Work that goes on when the client hangs up: what has been asked of a provider is always written down.

use std::future::Future;

use actix_web::rt;
use chassis::logging;

use crate::error::ApiError;

/// Runs the work to its end, even if whoever waits for it is gone; its log lines still belong to the request.
///
/// # Errors
/// What the work gives, or [`ApiError::Abandoned`] when it panicked.
pub async fn detached<T, F>(work: F) -> Result<T, ApiError>
where
    T: 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
{
    let task = match logging::context() {
        Some(context) => rt::spawn(logging::in_context(context, work)),
        None => rt::spawn(work),
    };
    task.await.unwrap_or(Err(ApiError::Abandoned))
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;

    #[actix_web::test]
    async fn work_goes_on_when_nobody_waits_for_it_any_more() {
        let (done, finished) = (Rc::new(Cell::new(false)), Rc::clone(&Rc::new(())));
        let flag = Rc::clone(&done);
        let waiting = rt::spawn(detached(async move {
            rt::task::yield_now().await;
            flag.set(true);
            drop(finished);
            Ok(())
        }));
        rt::task::yield_now().await;
        waiting.abort();
        while !done.get() {
            rt::task::yield_now().await;
        }
        assert!(waiting.await.is_err());
    }

    #[actix_web::test]
    async fn a_panic_is_told_as_an_error() {
        let result: Result<(), _> = detached(async { panic!("on purpose") }).await;
        assert!(matches!(result, Err(ApiError::Abandoned)));
    }
}
