//! Why this process should get no requests at the moment, as far as is known without asking anybody.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What works and what does not, by topic; a clone shares it.
///
/// A part that fails says so under a topic of its own, such as `settings` or `targets.NAME: token endpoint`, and says
/// so again when it works.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<String, String>>>);

impl Readiness {
    /// Something fails. The reason is shown on the admin listener: no secret, no text of a caller's.
    pub fn failed(&self, topic: &str, reason: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(topic.to_owned(), reason.into());
    }

    /// It works.
    pub fn works(&self, topic: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(topic);
    }

    /// Nothing is known any more of the topics that begin like this.
    pub fn forget(&self, beginning: &str) {
        let mut topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        topics.retain(|topic, _| !topic.starts_with(beginning));
    }

    /// `TOPIC: REASON` for everything that fails, sorted.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        let topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        topics.iter().map(|(topic, reason)| format!("{topic}: {reason}")).collect()
    }
}
