//! The nonces of signed requests, so that each is good once; a few bytes each, because there is one for every request.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Remembers nonces for as long as their timestamps may pass for fresh.
///
/// It keeps a 64-bit digest of each (`SipHash` under a key of this process). Two that share a digest and a timestamp
/// would get the second one refused, which at ten thousand requests a second befalls one request in 10^15; a nonce
/// that has been used never passes.
#[derive(Debug)]
pub(crate) struct Nonces {
    hasher: RandomState,
    keep: Duration,
    /// By the timestamps in the requests, in seconds.
    seconds: Mutex<BTreeMap<u64, Second>>,
}

/// The nonces with one timestamp.
#[derive(Debug)]
struct Second {
    digests: HashSet<u64>,
    /// When the last one came, by a clock that is never set back.
    last: Instant,
}

impl Nonces {
    /// Remembers each nonce at least for so long.
    pub(crate) fn new(keep: Duration) -> Self {
        Self { hasher: RandomState::new(), keep, seconds: Mutex::default() }
    }

    /// Uses a nonce of this client with this timestamp; false when it has been used before.
    pub(crate) fn use_once(&self, client: &str, timestamp: u64, nonce: &str) -> bool {
        self.use_once_at(Instant::now(), client, timestamp, nonce)
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.seconds.lock().unwrap().values().map(|second| second.digests.len()).sum()
    }

    fn use_once_at(&self, now: Instant, client: &str, timestamp: u64, nonce: &str) -> bool {
        let digest = self.hasher.hash_one((client, nonce));
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        // Once a second there is a new one, and that is often enough to look for old ones.
        if !seconds.contains_key(&timestamp) {
            seconds.retain(|_, second| now.saturating_duration_since(second.last) < self.keep);
        }
        let second =
            seconds.entry(timestamp).or_insert_with(|| Second { digests: HashSet::new(), last: now });
        second.last = now;
        second.digests.insert(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(602);

    #[test]
    fn a_nonce_is_good_once_for_each_client_and_timestamp() {
        let nonces = Nonces::new(KEEP);
        for (client, timestamp, nonce) in
            [("a", 1, "n"), ("b", 1, "n"), ("a", 2, "n"), ("a", 1, "m"), ("an", 1, "")]
        {
            assert!(nonces.use_once(client, timestamp, nonce), "{client} {timestamp} {nonce}");
            assert!(!nonces.use_once(client, timestamp, nonce), "{client} {timestamp} {nonce}");
        }
    }

    #[test]
    fn a_nonce_is_kept_until_its_timestamp_cannot_be_fresh_any_more() {
        let (nonces, start) = (Nonces::new(KEEP), Instant::now());
        assert!(nonces.use_once_at(start, "a", 1, "n"));
        let later = start + KEEP - Duration::from_secs(1);
        assert!(nonces.use_once_at(later, "a", 600, "n"), "another second, at which old ones are looked for");
        assert!(!nonces.use_once_at(later, "a", 1, "n"));
    }

    #[test]
    fn old_nonces_take_no_memory() {
        let (nonces, start) = (Nonces::new(KEEP), Instant::now());
        for second in 0..10_000 {
            assert!(nonces.use_once_at(start + Duration::from_secs(second), "a", second, "n"));
        }
        assert_eq!(nonces.seconds.lock().unwrap().len() as u64, KEEP.as_secs());
    }

    #[test]
    fn one_of_many_that_use_the_same_nonce_at_once_wins() {
        let nonces = Nonces::new(KEEP);
        let wins = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| nonces.use_once("a", 1, "n"))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|won| *won).count()
        });
        assert_eq!(wins, 1);
    }
}
