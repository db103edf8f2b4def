//! Events that were faster than the answer that tells us of their payment. They are applied beside the requests: a client
//! waits for its own answer and for nothing else that a provider is asked.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use super::{PAYMENTS, WAIT, apply_open, word};
use crate::{domain::Domain, error::chain, proxy_client::ProxyClient, store::webhook_event::OpenFilter};

/// Whether an event about a payment may wait that this process has kept since the last look; those of other processes,
/// and what is missed, are found by [`super::catch_up`].
#[derive(Debug, Default)]
pub struct Waiting {
    may: AtomicBool,
    is_here: Notify,
}

impl Waiting {
    /// An event has been kept. To be said before it is applied, so that whoever learns of its payment meanwhile has it
    /// looked at again.
    pub(super) fn expect(&self) {
        self.may.store(true, Ordering::SeqCst);
    }

    /// More is known of a payment than before. It takes no time: [`follow`] applies what has waited for it.
    pub(in crate::domain) fn payment_is_here(&self) {
        if self.may.swap(false, Ordering::SeqCst) {
            self.is_here.notify_one();
        }
    }
}

/// Applies what has waited, whenever a payment is here, for ever. It ends with the system that it runs in: what has not
/// been applied by then is still in the inbox, and is applied by whoever starts next.
pub async fn follow(domain: &Domain, proxy: &ProxyClient) {
    loop {
        domain.waiting.is_here.notified().await;
        let since = domain.clock.now() - WAIT;
        let filter = OpenFilter { kinds: Vec::new(), recent_kinds: PAYMENTS.map(word).into(), since };
        if let Err(error) = apply_open(domain, Some(proxy), filter).await {
            log::warn!("the inbox waits: {}", chain(&error));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn who_applies_is_woken_once_for_what_has_come_before_and_for_nothing_else() {
        let waiting = Waiting::default();
        waiting.payment_is_here();
        assert!(waiting.is_here.notified().now_or_never().is_none(), "no event has come");
        waiting.expect();
        waiting.payment_is_here();
        waiting.payment_is_here();
        assert!(waiting.is_here.notified().now_or_never().is_some());
        assert!(waiting.is_here.notified().now_or_never().is_none());
    }
}
