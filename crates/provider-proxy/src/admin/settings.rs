//! The table `[admin]`.

use std::{net::SocketAddr, time::Duration};

use chassis::settings::Section;

/// Where operators ask, and what they are warned of.
#[derive(Clone, Debug)]
pub struct AdminSettings {
    /// The address, which must be a loopback one; without it there is no admin listener.
    pub listen: Option<SocketAddr>,
    /// How long before the end of the served certificate this process stops being ready.
    pub certificate_warning: Duration,
}

const DEFAULT_WARNING: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl AdminSettings {
    /// Reads `listen` and `certificate_warning` (default 7 d).
    #[must_use]
    pub fn read(section: &Section) -> Self {
        let listen: Option<SocketAddr> = section.optional("listen");
        if listen.is_some_and(|listen| !listen.ip().is_loopback()) {
            // It asks nobody who they are, and tells which targets there are.
            section.fault("listen", "expected a loopback address");
        }
        Self { listen, certificate_warning: section.or("certificate_warning", DEFAULT_WARNING) }
    }
}
