//! Nonces that have been used: some ten bytes each, because a busy client leaves thousands a second.

mod digests;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use self::digests::Digests;

/// How long a nonce is remembered. Its timestamp is fresh for twice the 300 s at most, and seconds are rounded.
pub(super) const REMEMBERED: Duration = Duration::from_secs(602);
/// The seconds whose nonces are forgotten together.
const BUCKET: u64 = 60;

/// A nonce of a client at a time, as a digest of the three. Two never share one by chance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Nonce {
    digest: [u8; 16],
    timestamp: u64,
}

impl Nonce {
    /// The nonce that a client has sent with this timestamp, in seconds since 1970.
    #[must_use]
    pub fn new(client: &str, timestamp: u64, nonce: &str) -> Self {
        let mut hash = Sha256::new();
        // The length keeps a client's key from running into the nonce.
        hash.update((client.len() as u64).to_le_bytes());
        hash.update(client);
        hash.update(timestamp.to_le_bytes());
        hash.update(nonce);
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        Self { digest, timestamp }
    }

    pub(super) fn key(&self) -> String {
        format!("nonce:{}", HEXLOWER.encode(&self.digest))
    }

    /// What is kept in this process: half of the digest. A nonce that is new is taken for a used one when it shares
    /// its half, as far as the set keeps it, with one of the same minute: among a million of them with a probability of
    /// 1.4 in 10^11.
    fn half(&self) -> u64 {
        let mut half = [0; 8];
        half.copy_from_slice(&self.digest[..8]);
        u64::from_le_bytes(half)
    }
}

/// The nonces that were used here, by the minute of their timestamp. There is no limit to their number: one that is
/// forgotten early could be replayed, and only a client that has really signed can add one.
#[derive(Default)]
pub(super) struct Nonces(Mutex<BTreeMap<u64, Bucket>>);

struct Bucket {
    used: Digests,
    /// By a clock that nobody sets: a clock that is set forward and back must not make us forget.
    last_use: Instant,
}

impl Nonces {
    /// Remembers a nonce; true when it is new.
    pub(super) fn insert(&self, nonce: Nonce) -> bool {
        self.insert_at(nonce, Instant::now())
    }

    fn insert_at(&self, nonce: Nonce, now: Instant) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = nonce.timestamp / BUCKET;
        if !buckets.contains_key(&minute) {
            // Only now and then, and only whole buckets whose every timestamp is stale.
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.last_use) < REMEMBERED);
        }
        let bucket =
            buckets.entry(minute).or_insert_with(|| Bucket { used: Digests::default(), last_use: now });
        bucket.last_use = now;
        bucket.used.insert(nonce.half())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_new_once_for_each_client_and_time() {
        let nonces = Nonces::default();
        for nonce in [
            Nonce::new("a", 1, "n"),
            Nonce::new("a", 2, "n"),
            Nonce::new("b", 1, "n"),
            Nonce::new("a", 1, "m"),
        ] {
            assert!(nonces.insert(nonce));
            assert!(!nonces.insert(nonce));
        }
    }

    #[test]
    fn a_nonce_is_remembered_while_its_timestamp_may_be_fresh_and_forgotten_afterwards() {
        let nonces = Nonces::default();
        let start = Instant::now();
        let old = Nonce::new("a", 600, "n");
        assert!(nonces.insert_at(old, start));
        assert!(nonces.insert_at(Nonce::new("a", 660, "n"), start + REMEMBERED - Duration::from_millis(1)));
        assert!(!nonces.insert_at(old, start + REMEMBERED - Duration::from_millis(1)));
        // The last use counts, and it has just been used.
        assert!(nonces.insert_at(Nonce::new("a", 1320, "n"), start + REMEMBERED));
        assert_eq!(nonces.0.lock().unwrap().len(), 3);
        assert!(nonces.insert_at(Nonce::new("a", 3000, "n"), start + 2 * REMEMBERED + REMEMBERED));
        assert_eq!(nonces.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn where_the_key_ends_and_the_nonce_begins_makes_a_difference() {
        assert_ne!(Nonce::new("ab", 1, "c").key(), Nonce::new("a", 1, "bc").key());
        assert_ne!(Nonce::new("ab", 1, "c").half(), Nonce::new("a", 1, "bc").half());
    }
}
