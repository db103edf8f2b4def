//! Slow hashes, made away from the threads that serve requests.

use chassis::logging::blocking;
use tokio::sync::Semaphore;

use crate::{
    pin::{PinError, PinHasher},
    store::StoreError,
};

/// Hashes that take memory and a processor on purpose: no more are made here at once than there are processors.
pub(super) struct Hashing {
    hasher: PinHasher,
    room: Semaphore,
}

impl Hashing {
    pub(super) fn new(hasher: PinHasher) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { hasher, room: Semaphore::new(processors) }
    }

    /// Runs work when there is room for it.
    ///
    /// # Errors
    /// Those of the work; [`StoreError::Interrupted`] when it cannot end.
    pub(super) async fn run<T, E>(
        &self,
        work: impl FnOnce(&PinHasher) -> Result<T, PinError> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + From<PinError>,
    {
        // The semaphore is never closed.
        let _room = self.room.acquire().await.map_err(|_| StoreError::Interrupted)?;
        let hasher = self.hasher.clone();
        Ok(blocking(move || work(&hasher)).await.map_err(|_| StoreError::Interrupted)??)
    }
}
