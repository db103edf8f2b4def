//! Values of the cache that only a holder of the encryption key can read or make.
//!
//! A cached client says what somebody may do, so whoever can write to Redis must not be able to make one up: every
//! value is a Fernet token, with the key that it belongs to and the time until which it counts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Cache;
use crate::crypt::{Ciphertext, EncryptionKeys};

/// Stands where a value has been until a change. It is no Fernet token.
const CHANGED: &str = "changed";
/// A cache of sealed values; clones share it. It never fails: what it cannot give has to be read from Postgres.
#[derive(Clone)]
pub struct Sealed {
    cache: Cache,
    keys: EncryptionKeys,
    settling: Duration,
}

#[derive(Deserialize, Serialize)]
struct Envelope<T> {
    key: String,
    /// Seconds since 1970.
    until: u64,
    value: T,
}

impl Sealed {
    /// Seals with these keys. `settling` is longer than any transaction takes: one that has seen a value before its
    /// change must not be able to keep it afterwards.
    #[must_use]
    pub const fn new(cache: Cache, keys: EncryptionKeys, settling: Duration) -> Self {
        Self { cache, keys, settling }
    }

    /// The cache itself.
    #[must_use]
    pub const fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Gives what is kept under a key, unless it is too old or not ours.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let token = self.cache.get(key).await.unwrap_or_else(|error| missed("read", key, &error))?;
        if token == CHANGED {
            return None;
        }
        let opened = self.open(key, token, now());
        if opened.is_none() {
            log::warn!("the cached value {key} is not ours, and is not used");
        }
        opened
    }

    /// Keeps what has been read from Postgres, unless there is a value, or it has just been changed.
    pub async fn keep<T: Serialize>(&self, key: &str, value: &T, ttl: Duration) {
        let Some(token) = self.seal(key, value, now() + ttl.as_secs()) else { return };
        if let Err(error) = self.cache.add(key, token.as_str(), ttl).await {
            missed("keep", key, &error)
        }
    }

    /// Forgets a value that has been changed in Postgres; to be called once the change is committed.
    pub async fn changed(&self, key: &str) {
        if let Err(error) = self.cache.set(key, CHANGED, self.settling).await {
            log::warn!("the cache may hold an old {key} until it expires: {error}");
        }
    }

    fn seal<T: Serialize>(&self, key: &str, value: &T, until: u64) -> Option<Ciphertext> {
        let envelope = Envelope { key: key.to_owned(), until, value };
        // Only a map whose keys are no texts cannot be written.
        serde_json::to_string(&envelope).ok().map(|text| self.keys.encrypt(&text))
    }

    fn open<T: DeserializeOwned>(&self, key: &str, token: String, now: u64) -> Option<T> {
        let text = self.keys.decrypt(&Ciphertext::from_token(token)).ok()?;
        let envelope: Envelope<T> = serde_json::from_str(text.expose_secret()).ok()?;
        (envelope.key == key && now <= envelope.until).then_some(envelope.value)
    }
}

/// The cause is logged once for all, where the cache is asked.
fn missed<T: Default>(what: &str, key: &str, error: &super::CacheError) -> T {
    log::debug!("cannot {what} {key}: {error}");
    T::default()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(60);

    fn sealed() -> Sealed {
        let keys = EncryptionKeys::parse(&[EncryptionKeys::generate()]).unwrap();
        Sealed::new(Cache::new(None), keys, TTL)
    }

    #[actix_web::test]
    async fn what_is_kept_is_encrypted_and_comes_back() {
        let sealed = sealed();
        sealed.keep("client:a", &"dummy-sentinel", TTL).await;
        assert_eq!(sealed.get::<String>("client:a").await.as_deref(), Some("dummy-sentinel"));
        let stored = sealed.cache.get("client:a").await.unwrap().unwrap();
        assert!(!stored.contains("sentinel"));
    }

    #[actix_web::test]
    async fn what_has_been_read_before_a_change_is_not_kept_after_it() {
        let sealed = sealed();
        sealed.keep("a", &1, TTL).await;
        sealed.changed("a").await;
        sealed.keep("a", &1, TTL).await;
        assert_eq!(sealed.get::<u32>("a").await, None);
    }

    #[actix_web::test]
    async fn a_value_that_was_moved_forged_or_is_of_another_key_is_not_used() {
        let (one, other) = (sealed(), sealed());
        one.keep("a", &1, TTL).await;
        let token = one.cache.get("a").await.unwrap().unwrap();
        one.cache.set("b", &token, TTL).await.unwrap();
        other.cache.set("a", &token, TTL).await.unwrap();
        one.cache.set("c", "{\"key\":\"c\",\"until\":99999999999,\"value\":1}", TTL).await.unwrap();
        assert_eq!(one.get::<u32>("a").await, Some(1));
        assert_eq!(one.get::<u32>("b").await, None);
        assert_eq!(one.get::<u32>("c").await, None);
        assert_eq!(other.get::<u32>("a").await, None);
    }

    #[test]
    fn a_value_that_was_kept_and_put_back_later_is_too_old() {
        let sealed = sealed();
        let token = || sealed.seal("a", &1, 1000).unwrap().as_str().to_owned();
        assert_eq!(sealed.open::<u32>("a", token(), 1000), Some(1));
        assert_eq!(sealed.open::<u32>("a", token(), 1001), None);
    }
}
