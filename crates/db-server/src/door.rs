//! The door: `/proxy/` forwards to one target, with a token that says on whose behalf.
//!
//! Where it leads is in the settings until an administrator switches it. That is kept in the database, so that it
//! outlives a restart and holds for every instance.

mod forward;
mod switch;

use std::time::Duration;

use chassis::base_url::BaseUrl;
use diesel::PgConnection;

pub use self::{
    forward::{Upstreams, forward},
    switch::{get, put},
};
use crate::{
    cache::Sealed,
    database::Database,
    settings::{DoorSettings, ProxySettings},
    store::{StoreError, door},
};

/// How long another instance may go on using what it has read.
const TTL: Duration = Duration::from_secs(5);
const CACHED_UNDER: &str = "door";

/// Knows where the door leads. One for all workers.
pub struct Door {
    database: Database,
    cache: Sealed,
    settings: DoorSettings,
    /// Where provider-proxy is, and what it is called in tokens.
    proxy: (BaseUrl, Option<String>),
}

impl Door {
    /// With these settings.
    #[must_use]
    pub fn new(database: Database, cache: Sealed, settings: DoorSettings, proxy: &ProxySettings) -> Self {
        let audience = proxy.identity.as_ref().map(|identity| identity.audience.clone());
        Self { database, cache, settings, proxy: (proxy.url.clone(), audience) }
    }

    /// Whom a token for a target is for: the target alone, under its URL. What is sent to provider-proxy is for that,
    /// under its own name.
    #[must_use]
    pub fn audience<'a>(&'a self, target: &'a BaseUrl) -> &'a str {
        let (url, audience) = &self.proxy;
        let below = target.as_str().strip_prefix(url.as_str());
        let is_proxy = below.is_some_and(|below| below.is_empty() || below.starts_with('/'));
        match audience {
            Some(audience) if is_proxy => audience,
            _ => target.as_str(),
        }
    }

    /// Where the door leads now; nowhere when it is off.
    ///
    /// # Errors
    /// What the database gives.
    pub async fn leads_to(&self) -> Result<Option<BaseUrl>, StoreError> {
        if !self.settings.can_open() {
            return Ok(None);
        }
        let switched = match self.cache.get(CACHED_UNDER).await {
            Some(switched) => switched,
            None => {
                let switched = self.database.read_one(door::url).await?;
                self.cache.keep(CACHED_UNDER, &switched, TTL).await;
                switched
            }
        };
        let Some(switched) = switched else { return Ok(self.settings.url.clone()) };
        let url = switched.and_then(|url| BaseUrl::parse(&url).ok());
        let allowed = url.filter(|url| self.allows(url));
        Ok(allowed)
    }

    /// Whether the settings let the door lead there.
    #[must_use]
    pub fn allows(&self, url: &BaseUrl) -> bool {
        self.settings.allows(url)
    }

    /// Switches the door, for all instances.
    ///
    /// # Errors
    /// What the database gives.
    pub async fn switch(&self, url: Option<&BaseUrl>, actor: &str) -> Result<(), StoreError> {
        let (stored, by) = (url.map(|url| url.as_str().to_owned()), actor.to_owned());
        let work = move |connection: &mut PgConnection| door::switch(connection, stored.as_deref(), &by);
        self.database.write_one(work).await?;
        self.cache.changed(CACHED_UNDER).await;
        match url {
            Some(url) => log::warn!("audit: {actor} has switched the door to {url}"),
            None => log::warn!("audit: {actor} has switched the door off"),
        }
        Ok(())
    }
}
