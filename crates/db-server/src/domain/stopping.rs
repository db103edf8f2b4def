//! That the server is asked to stop: whoever waits for something that may never happen waits no longer.

use tokio::sync::watch;

/// Whether the server is asked to stop, and those who wait for that.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Sender<bool>);

impl Default for Stopping {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stopping {
    /// From now on.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is so; at once when it is so already.
    pub async fn begun(&self) {
        let mut told = self.0.subscribe();
        // It cannot fail: this holds what would have to be gone.
        let _ = told.wait_for(|begun| *begun).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn whoever_waits_is_told_whether_it_begins_before_or_after() {
        let stopping = Stopping::default();
        let mut before = Box::pin(stopping.begun());
        assert!(before.as_mut().now_or_never().is_none());
        stopping.clone().begin();
        assert!(before.as_mut().now_or_never().is_some());
        assert!(stopping.begun().now_or_never().is_some());
    }
}
