//! Which passwords have been right lately: keyed digests in this process alone, so that whoever sends a password with
//! every request does not cost a slow hash each time.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use moka::sync::Cache;
use sha2::Sha256;

use crate::password::Password;

/// How long a password that was right is believed to be.
const TTL: Duration = Duration::from_secs(60);
/// How many are remembered.
const CAPACITY: u64 = 10_000;

/// Passwords that have been right, by digests under a key that nobody else has.
pub(super) struct Remembered {
    /// None when the system had no random numbers; nothing is remembered then.
    key: Option<Hmac<Sha256>>,
    digests: Cache<[u8; 32], ()>,
}

impl Remembered {
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        let key = getrandom::fill(&mut key).ok().and_then(|()| Hmac::new_from_slice(&key).ok());
        Self { key, digests: Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build() }
    }

    /// What stands for a user's password of this generation.
    pub(super) fn digest(&self, name: &str, generation: i64, password: &Password) -> Option<[u8; 32]> {
        // A name holds no NUL, so that no other name and password give the same text.
        let mac = self.key.clone()?.chain_update(generation.to_be_bytes()).chain_update(name.as_bytes());
        Some(mac.chain_update([0]).chain_update(password.bytes()).finalize().into_bytes().into())
    }

    pub(super) fn holds(&self, digest: &[u8; 32]) -> bool {
        self.digests.contains_key(digest)
    }

    pub(super) fn keep(&self, digest: [u8; 32]) {
        self.digests.insert(digest, ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_of_the_same_user_and_generation_is_remembered() {
        let password = |text: &str| Password::parse(text.to_owned()).unwrap();
        let remembered = Remembered::new();
        let digest = |name, generation, text| remembered.digest(name, generation, &password(text)).unwrap();
        remembered.keep(digest("alice", 0, "dummy-one"));
        assert!(remembered.holds(&digest("alice", 0, "dummy-one")));
        for other in
            [digest("alice", 1, "dummy-one"), digest("bob", 0, "dummy-one"), digest("alice", 0, "dummy-two")]
        {
            assert!(!remembered.holds(&other));
        }
    }
}
