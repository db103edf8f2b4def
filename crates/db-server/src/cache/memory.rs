//! The cache in this process: bounded, and every value with its own end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use moka::{Expiry, sync::Cache};

use super::nonces::Nonces;

/// How much text is kept at most, in bytes; the values that are asked for least go first.
const CAPACITY: u64 = 16 * 1024 * 1024;

/// Values until their end, and nonces.
pub struct Memory {
    values: Cache<String, Value>,
    pub(super) nonces: Nonces,
}

#[derive(Clone)]
struct Value {
    text: Arc<str>,
    ttl: Duration,
}

impl Memory {
    /// Holds nothing.
    pub(super) fn new() -> Self {
        let weight =
            |key: &String, value: &Value| u32::try_from(key.len() + value.text.len()).unwrap_or(u32::MAX);
        let values = Cache::builder().max_capacity(CAPACITY).weigher(weight).expire_after(OwnEnd).build();
        Self { values, nonces: Nonces::default() }
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        self.values.get(key).map(|value| value.text.as_ref().to_owned())
    }

    pub(super) fn set(&self, key: &str, text: &str, ttl: Duration) {
        self.values.insert(key.to_owned(), Value { text: text.into(), ttl });
    }

    pub(super) fn add(&self, key: &str, text: &str, ttl: Duration) -> bool {
        self.values.entry_by_ref(key).or_insert_with(|| Value { text: text.into(), ttl }).is_fresh()
    }

    pub(super) fn remove(&self, key: &str) {
        self.values.invalidate(key);
    }
}

/// A value ends when it says so, counted from when it was last written.
struct OwnEnd;

impl Expiry<String, Value> for OwnEnd {
    fn expire_after_create(&self, _: &String, value: &Value, _: Instant) -> Option<Duration> {
        Some(value.ttl)
    }

    fn expire_after_update(
        &self,
        _: &String,
        value: &Value,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(value.ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn a_value_is_kept_replaced_and_forgotten() {
        let memory = Memory::new();
        assert_eq!(memory.get("a"), None);
        memory.set("a", "1", LONG);
        memory.set("a", "2", LONG);
        assert_eq!(memory.get("a").as_deref(), Some("2"));
        memory.remove("a");
        assert_eq!(memory.get("a"), None);
    }

    #[test]
    fn a_value_is_added_only_where_there_is_none() {
        let memory = Memory::new();
        assert!(memory.add("a", "1", LONG));
        assert!(!memory.add("a", "2", LONG));
        assert_eq!(memory.get("a").as_deref(), Some("1"));
    }

    #[test]
    fn a_value_ends_when_it_says_so_also_after_another_took_its_place() {
        let memory = Memory::new();
        memory.set("a", "1", Duration::ZERO);
        assert_eq!(memory.get("a"), None);
        assert!(memory.add("a", "2", LONG));
        memory.set("a", "3", Duration::ZERO);
        assert_eq!(memory.get("a"), None);
    }
}
