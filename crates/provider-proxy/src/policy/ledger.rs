//! Refunds that count, in memory and in the file.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::rt::task::spawn_blocking;

use super::{
    Limits, ReserveError,
    state_file::{StateError, StateFile},
    windows::{Entry, Place, Windows},
};

/// What all workers have refunded.
#[derive(Debug)]
pub struct RefundLedger {
    windows: Mutex<Windows>,
    /// Locked before the windows, where both are.
    file: Mutex<Option<StateFile>>,
    now: fn() -> SystemTime,
}

impl RefundLedger {
    /// Goes on from what the file says. Without a file nothing can be reserved.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(path: Option<&Path>) -> Result<Self, StateError> {
        Self::with_clock(path, SystemTime::now)
    }

    pub(super) fn with_clock(path: Option<&Path>, now: fn() -> SystemTime) -> Result<Self, StateError> {
        let Some((file, windows)) = path.map(StateFile::open).transpose()? else {
            return Ok(Self { windows: Mutex::default(), file: Mutex::default(), now });
        };
        Ok(Self { windows: Mutex::new(windows), file: Mutex::new(Some(file)), now })
    }

    #[cfg(test)]
    pub(super) fn on(file: StateFile) -> Self {
        Self { windows: Mutex::default(), file: Mutex::new(Some(file)), now: SystemTime::now }
    }

    /// Takes a place as [`Windows::reserve`] does, and waits until that is on the disk.
    pub(super) async fn reserve(
        self: &Arc<Self>,
        place: Place,
        beside_itself: bool,
        limits: &Limits,
    ) -> Result<Reservation, ReserveError> {
        let entry = self.windows().reserve(place, beside_itself, limits, self.now())?;
        let reservation = Reservation { ledger: Arc::clone(self), id: entry.id, is_over: false };
        let ledger = Arc::clone(self);
        let written = spawn_blocking(move || ledger.write(&entry)).await;
        match written.unwrap_or(Err(StateError::CutOff)) {
            Ok(()) => Ok(reservation),
            Err(error) => {
                reservation.take_back();
                Err(error.into())
            }
        }
    }

    /// Closes the file, for whoever opens it next. Nothing can be reserved from now on.
    pub fn close(&self) {
        *self.file() = None;
    }

    fn write(&self, entry: &Entry) -> Result<(), StateError> {
        let mut file = self.file();
        let file = file.as_mut().ok_or(StateError::None)?;
        file.refund(entry)?;
        if file.is_long() {
            file.compact(&self.windows());
        }
        Ok(())
    }

    fn write_back(&self, id: u64) {
        let written = self.file().as_mut().map_or(Ok(()), |file| file.back(id));
        if let Err(error) = written {
            log::error!("a refund that was not made counts until its day is over: {error}");
        }
    }

    fn now(&self) -> u64 {
        let since = (self.now)().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> MutexGuard<'_, Option<StateFile>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a refund that is under way. Dropped, as when its caller goes away, it stays taken: the refund may have
/// been made.
#[derive(Debug)]
#[must_use = "a refund that has moved nothing gives its place back"]
pub struct Reservation {
    ledger: Arc<RefundLedger>,
    id: u64,
    is_over: bool,
}

impl Reservation {
    /// Nothing was sent, or the provider evidently refused.
    pub async fn give_back(self) {
        let (ledger, id) = (Arc::clone(&self.ledger), self.id);
        if self.take_back() {
            let _ = spawn_blocking(move || ledger.write_back(id)).await;
        }
    }

    fn take_back(mut self) -> bool {
        self.is_over = true;
        self.ledger.windows().give_back(self.id)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.is_over {
            self.ledger.windows().keep(self.id);
        }
    }
}
