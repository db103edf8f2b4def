//! Reads the settings again while requests go on, and swaps all of them at once or none.

mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::{ArcSwap, Guard};
use thiserror::Error;

pub use watch::{Trigger, Watcher};

use crate::{
    audit::Event,
    config::Settings,
    passthrough::scan::Scanner,
    server::{self, StartError},
    services::Services,
};
use chassis::settings::{Digest, SettingsError, Shown};

/// What is in use now, to be replaced as a whole. A request keeps what it began with.
pub struct Current<T> {
    value: ArcSwap<T>,
    replaced: AtomicU64,
}

impl<T> Current<T> {
    /// Starts with this.
    #[must_use]
    pub fn new(first: T) -> Self {
        Self { value: ArcSwap::from_pointee(first), replaced: AtomicU64::new(0) }
    }

    /// What is in use, for a short look; costs a few nanoseconds.
    pub fn load(&self) -> Guard<Arc<T>> {
        self.value.load()
    }

    /// What is in use, to be kept.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        self.value.load_full()
    }

    /// How often it was replaced, for whoever keeps what it made of it. Asked before [`Self::get`], it is never ahead
    /// of that; costs less than [`Self::load`].
    #[must_use]
    pub fn replaced(&self) -> u64 {
        self.replaced.load(Ordering::Acquire)
    }

    fn replace(&self, next: T) {
        self.value.store(Arc::new(next));
        self.replaced.fetch_add(1, Ordering::Release);
    }
}

/// One reading of the settings, with all that is made of them once for all workers.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts the readings that took effect, from 0.
    pub generation: u64,
    /// The settings.
    pub settings: Settings,
    /// What finds the secrets of all targets and providers in what a target answers: one must not give away another's.
    pub scanner: Arc<Scanner>,
}

impl Snapshot {
    /// Checks the files that the settings name, and makes what is shared. What came before is given where it is to be
    /// known for longer than it is in use: a request that began with an old secret may still be under way.
    ///
    /// # Errors
    /// [`StartError`] when a file cannot be used.
    pub fn build(settings: Settings, previous: Option<&Self>) -> Result<Self, StartError> {
        server::check(&settings)?;
        if let Some(previous) = previous {
            settings.targets.inherit(&previous.settings.targets);
        }
        let generation = previous.map_or(0, |previous| previous.generation.saturating_add(1));
        // What was in use until now, or was minted meanwhile, may be with a target still.
        let old = previous.into_iter().flat_map(|old| old.settings.secrets());
        let scanner = Arc::new(Scanner::new(settings.secrets().chain(old)));
        previous.into_iter().flat_map(|old| old.scanner.minted()).for_each(|token| scanner.add(&token));
        Ok(Self { generation, settings, scanner })
    }
}

/// Why the settings were not replaced.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// The process was not started from a file.
    #[error("the settings did not come from a file")]
    NoFile,
    /// They are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A file that they name cannot be used.
    #[error(transparent)]
    Unusable(#[from] StartError),
}

impl ReloadError {
    fn faults(&self) -> usize {
        match self {
            Self::Settings(SettingsError::Faults(faults)) => faults.iter().count(),
            Self::NoFile | Self::Settings(_) | Self::Unusable(_) => 1,
        }
    }
}

/// The keys, or the beginnings of keys, that take effect at a start only. The files of `server.tls` are read again by
/// themselves.
const FIXED: [&str; 7] = [
    "server.",
    "log.",
    "admin.",
    "reload.",
    "passthrough.audit_file",
    "passthrough.audit_sync",
    "policy.state_file",
];

/// The topic of [`crate::readiness::Readiness`].
const TOPIC: &str = "settings";

/// Replaces the settings.
pub struct Reloader {
    services: Services,
    /// The files to look at, with what they held when they were last read. One reload at a time.
    files: Mutex<BTreeMap<PathBuf, Digest>>,
}

impl Reloader {
    /// Prepares to replace the settings of these services.
    #[must_use]
    pub fn new(services: Services) -> Self {
        let files = services.current.load().settings.origin.files.clone();
        Self { services, files: Mutex::new(files) }
    }

    /// Reads the settings again and takes them over, or keeps what is in use: then the log, the metrics, readiness and
    /// the audit log say so. Gives the new generation.
    ///
    /// # Errors
    /// [`ReloadError`].
    pub fn reload(&self) -> Result<u64, ReloadError> {
        let mut files = self.lock();
        let result = self.try_reload(&mut files);
        let Services { metrics, readiness, audit, .. } = &self.services;
        let metrics = metrics.reload();
        match &result {
            Ok(generation) => {
                metrics.successes.inc();
                metrics.took_over();
                readiness.works(TOPIC);
                // A target may be gone, and a token endpoint another one.
                readiness.forget("targets.");
                audit.event(Event::Reloaded { generation: *generation });
                log::info!("the settings have been read again, for the {generation}. time");
            }
            Err(error) => {
                metrics.failures.inc();
                metrics.last_successful.set(0);
                readiness.failed(TOPIC, "the last reload was refused; the log says why");
                audit.event(Event::ReloadRefused { faults: error.faults() });
                for line in error.to_string().lines() {
                    log::error!("the settings stay as they were: {line}");
                }
            }
        }
        result
    }

    fn try_reload(&self, files: &mut BTreeMap<PathBuf, Digest>) -> Result<u64, ReloadError> {
        let old = self.services.current.get();
        let (read, settings) = old.settings.origin.read_again().ok_or(ReloadError::NoFile)?;
        // Those of wrong settings as well: one that was missing may come.
        files.extend(read);
        let settings = settings?;
        let needs_restart = needs_restart(&old.settings, &settings);
        let found = settings.origin.files.clone();
        let next = Snapshot::build(settings, Some(&old))?;
        let generation = next.generation;
        self.services.current.replace(next);
        *files = found;
        if !needs_restart.is_empty() {
            log::warn!("these take effect at the next start only: {}", needs_restart.join(", "));
        }
        Ok(generation)
    }

    fn files(&self) -> BTreeMap<PathBuf, Digest> {
        self.lock().clone()
    }

    fn reopen_audit_log(&self) {
        self.services.audit.reopen();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Digest>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names of the keys that have changed and are of no use before a start.
fn needs_restart(old: &Settings, new: &Settings) -> Vec<String> {
    let (old, new) = (&old.origin.shown, &new.origin.shown);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let value = |shown: Option<&Shown>| shown.filter(|shown| **shown != Shown::Unset).cloned();
    names
        .into_iter()
        .filter(|name| FIXED.iter().any(|fixed| name.starts_with(fixed)))
        .filter(|name| value(old.get(*name)) != value(new.get(*name)))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
