//! How often a client may call.

use std::time::Duration;

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use crate::{cache::Cache, settings::Rate};

/// Counts the calls of each client: in the Redis that instances share, else, and while that does not answer, here.
pub struct Limit {
    counted: Option<Counted>,
    cache: Cache,
}

struct Counted {
    rate: Rate,
    here: DefaultKeyedRateLimiter<String>,
}

impl Limit {
    /// Lets each client call at this rate; without one, as often as it likes.
    #[must_use]
    pub fn new(rate: Option<Rate>, cache: Cache) -> Self {
        let counted = rate.and_then(|rate| {
            // The period is that of one request; it is zero for more requests than nanoseconds.
            let quota = Quota::with_period(rate.per / rate.requests.get())?.allow_burst(rate.requests);
            Some(Counted { rate, here: RateLimiter::hashmap(quota) })
        });
        Self { counted, cache }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// After which time the client may call again, when it has called too often.
    pub async fn check(&self, client: &str) -> Result<(), Duration> {
        let Some(counted) = &self.counted else { return Ok(()) };
        match self.cache.count(&format!("calls:{client}"), counted.rate.per).await {
            Some(Ok(count)) if count.calls <= u64::from(counted.rate.requests.get()) => Ok(()),
            Some(Ok(count)) => Err(count.left),
            // The cause is logged once for all, where the cache is asked.
            Some(Err(_)) | None => counted.here(client),
        }
    }
}

impl Counted {
    fn here(&self, client: &str) -> Result<(), Duration> {
        let checked = self.here.check_key(&client.to_owned());
        checked.map_err(|refused| refused.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[actix_web::test]
    async fn each_client_has_its_own_count_and_is_told_when_to_come_back() {
        let rate = Rate { requests: NonZeroU32::new(3).unwrap(), per: Duration::from_secs(3600) };
        let limit = Limit::new(Some(rate), Cache::new(None));
        for _ in 0..3 {
            assert_eq!(limit.check("a").await, Ok(()));
        }
        let wait = limit.check("a").await.unwrap_err();
        assert!(wait > Duration::from_secs(1100) && wait <= Duration::from_secs(1200), "{wait:?}");
        assert_eq!(limit.check("b").await, Ok(()));
    }

    #[actix_web::test]
    async fn without_a_rate_nobody_is_counted() {
        let limit = Limit::new(None, Cache::new(None));
        for _ in 0..10_000 {
            assert_eq!(limit.check("a").await, Ok(()));
        }
    }
}
