//! The database of a campaign or of a test, as the verification reads it.

use std::path::{Path, PathBuf};

use actix_web::rt::task::spawn_blocking;
use diesel::{Connection, PgConnection};

use super::CrashError;

/// Where a database is.
#[derive(Clone, Debug)]
pub struct Database {
    host: PathBuf,
    name: String,
    url: String,
}

impl Database {
    /// Of this name, behind the socket in this folder; the URL is that of a role that may read everything in it.
    #[must_use]
    pub fn new(host: &Path, name: &str, url: String) -> Self {
        Self { host: host.to_owned(), name: name.to_owned(), url }
    }

    /// The folder of the socket.
    #[must_use]
    pub fn host(&self) -> &Path {
        &self.host
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Does something with a connection, in a thread of its own.
    ///
    /// # Errors
    /// [`CrashError::Connection`] when Postgres is away, or whatever is given.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T, CrashError> + Send + 'static,
    ) -> Result<T, CrashError> {
        let url = self.url.clone();
        let done = spawn_blocking(move || work(&mut PgConnection::establish(&url)?)).await;
        done.map_err(|_| CrashError::Thread)?
    }
}
