//! One upstream, as one worker thread talks to it.

use std::{rc::Rc, sync::Arc, time::Duration};

use chassis::base_url::BaseUrl;
use rustls::ClientConfig;

use crate::{Incoming, Outgoing, RelayError, Resolve, SystemResolver, tunnel::Upgrade};

/// Where an upstream is, and how long it may take.
#[derive(Clone)]
pub struct UpstreamSettings {
    /// Its URL; the path goes before that of every request.
    pub url: BaseUrl,
    /// How long a connection may take, name look-up and TLS handshake included.
    pub connect_timeout: Duration,
    /// How long no byte may move in either direction, waiting for the answer's head included.
    pub idle_timeout: Duration,
    /// How long the whole exchange may take, from the call to the answer's last byte.
    pub total_timeout: Duration,
    /// How many connections are kept for later requests.
    pub max_idle_connections: usize,
    /// How long a connection is kept without a request. Shorter than an upstream's own limit, so that it is not
    /// closed just when it is used.
    pub max_idle_time: Duration,
    /// Whom it must be when the URL is `https`, and what it is shown (`chassis::tls::client_config`).
    pub tls: Option<Arc<ClientConfig>>,
    /// Which addresses it has.
    pub resolver: Rc<dyn Resolve>,
}

impl UpstreamSettings {
    /// The default limits, the system's resolver, and no TLS.
    #[must_use]
    pub fn new(url: BaseUrl) -> Self {
        Self {
            url,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(60),
            max_idle_connections: 64,
            max_idle_time: Duration::from_secs(4),
            tls: None,
            resolver: Rc::new(SystemResolver),
        }
    }
}

/// One upstream and the connections to it that are kept. It belongs to one worker thread; a clone shares them.
#[derive(Clone)]
pub struct Upstream {
    settings: Rc<UpstreamSettings>,
}

impl Upstream {
    /// Makes one; nothing is dialled yet.
    #[must_use]
    pub fn new(settings: UpstreamSettings) -> Self {
        Self { settings: Rc::new(settings) }
    }

    /// Sends a request, and waits for the head of the answer. A redirect is an answer like any other.
    ///
    /// # Errors
    /// [`RelayError`]; [`RelayError::was_sent`] says whether the upstream may have acted.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Incoming, RelayError> {
        drop((&self.settings, outgoing));
        Err(RelayError::Unsendable { reason: "not built yet" })
    }

    /// Asks to switch to WebSocket, on a connection of its own.
    ///
    /// # Errors
    /// [`RelayError`], as with [`Upstream::send`].
    pub async fn upgrade(&self, outgoing: Outgoing) -> Result<Upgrade, RelayError> {
        drop((&self.settings, outgoing));
        Err(RelayError::Unsendable { reason: "not built yet" })
    }
}
