//! The access token of all workers: asked for once, used until shortly before it expires.

use std::{
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwapOption;
use secrecy::SecretString;
use tokio::sync::Mutex;

use super::{super::CredentialError, answer::Granted};

/// A token is replaced this long before it expires, or after nine tenths of its life if that is later.
const RENEWAL: Duration = Duration::from_secs(60);

/// A token that cannot be replaced is used until this long before it expires, or a twentieth of its life.
const RESERVE: Duration = Duration::from_secs(5);

/// How long a token endpoint that failed is left alone: doubled each time, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Refusals of the target lead to no more than one token in this time.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(10);

/// An access token.
pub(crate) struct Token {
    secret: SecretString,
    renewed_from: SystemTime,
    used_until: SystemTime,
}

impl Token {
    fn new(granted: Granted, asked: SystemTime) -> Option<Self> {
        let life = granted.life;
        Some(Self {
            secret: granted.token,
            renewed_from: asked.checked_add(life - RENEWAL.min(life / 10))?,
            used_until: asked.checked_add(life - RESERVE.min(life / 20))?,
        })
    }

    /// What is sent.
    pub(crate) const fn secret(&self) -> &SecretString {
        &self.secret
    }
}

/// The token, and who may ask for the next one.
#[derive(Default)]
pub(crate) struct TokenCache {
    token: ArcSwapOption<Token>,
    /// Held by the one caller that asks the token endpoint.
    asking: Mutex<Failures>,
    refused: StdMutex<Option<SystemTime>>,
}

#[derive(Default)]
struct Failures {
    in_a_row: u32,
    paused_until: Option<SystemTime>,
}

impl TokenCache {
    /// The token as it is, expired or not.
    pub(crate) fn current(&self) -> Option<Arc<Token>> {
        self.token.load_full()
    }

    /// Begins with the token of another cache.
    pub(crate) fn inherit(&self, previous: &Self) {
        self.token.store(previous.current());
    }

    /// A token that is good at `now`, minted if need be: by one caller, however many there are.
    pub(crate) async fn get<F>(
        &self,
        now: SystemTime,
        mint: impl FnOnce() -> F,
    ) -> Result<Arc<Token>, CredentialError>
    where
        F: Future<Output = Result<Granted, CredentialError>>,
    {
        if let Some(token) = self.current().filter(|token| now < token.renewed_from) {
            return Ok(token);
        }
        let mut failures = self.asking.lock().await;
        let token = self.current();
        if let Some(token) = token.clone().filter(|token| now < token.renewed_from) {
            return Ok(token);
        }
        let minted = if failures.paused_until.is_some_and(|until| now < until) {
            Err(CredentialError::TokenPaused)
        } else {
            self.mint(now, mint(), &mut failures).await
        };
        // One that is about to expire is better than none.
        minted.or_else(|error| token.filter(|token| now < token.used_until).ok_or(error))
    }

    /// Forgets a token that the target refused, unless it has been replaced already. Whether another may be had.
    pub(crate) fn refuse(&self, refused: &Arc<Token>, now: SystemTime) -> bool {
        if !self.current().is_some_and(|current| Arc::ptr_eq(&current, refused)) {
            return true;
        }
        let mut last = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        // A target that refuses every token must not cost one each time.
        let is_recent =
            |last: SystemTime| now.duration_since(last).is_ok_and(|since| since < BETWEEN_REFUSALS);
        if last.is_some_and(is_recent) {
            return false;
        }
        *last = Some(now);
        self.token.compare_and_swap(refused, None);
        true
    }

    async fn mint(
        &self,
        asked: SystemTime,
        mint: impl Future<Output = Result<Granted, CredentialError>>,
        failures: &mut Failures,
    ) -> Result<Arc<Token>, CredentialError> {
        let begun = Instant::now();
        let minted = mint.await.and_then(|granted| {
            let token = Token::new(granted, asked).map(Arc::new);
            token.ok_or(CredentialError::TokenAnswer { reason: "the token's life is out of range" })
        });
        match &minted {
            Ok(token) => {
                self.token.store(Some(Arc::clone(token)));
                *failures = Failures::default();
            }
            Err(_) => {
                let pause = PAUSE.0.saturating_mul(1 << failures.in_a_row.min(5)).min(PAUSE.1);
                failures.in_a_row = failures.in_a_row.saturating_add(1);
                // Whoever waited has an older `now`, and is not to ask again.
                failures.paused_until = asked.checked_add(begun.elapsed() + pause);
            }
        }
        minted
    }
}

#[cfg(test)]
mod tests;
