//! Databases for tests: one Postgres per test process, one migrated template in it, one clone per test.

use std::{
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use chassis::environment::Environment;
use db_server::{database::Database, settings};
use diesel::PgConnection;

use crate::{
    in_process::{Dummies, db_server_settings},
    postgres::{PrivatePostgres, ROLE},
};

const TEMPLATE: &str = "template_solitude";

static SHARED: OnceLock<PrivatePostgres> = OnceLock::new();
static COUNT: AtomicUsize = AtomicUsize::new(1);

/// A migrated, empty database of one test; dropped with it.
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// Clones the template. The first call in a process starts Postgres and migrates the template.
    ///
    /// # Panics
    /// When that cannot be done.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "starting a Postgres is no default value")]
    pub fn new() -> Self {
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        shared().create_database(&name, Some(TEMPLATE)).unwrap();
        Self { name }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder of Postgres's socket: the `host` of a connection.
    #[must_use]
    pub fn socket_folder(&self) -> PathBuf {
        shared().socket_folder().to_owned()
    }

    /// Its URL, for the role that owns it.
    #[must_use]
    pub fn url(&self) -> String {
        shared().url(&self.name, ROLE)
    }

    /// A connection of the superuser.
    ///
    /// # Panics
    /// When Postgres refuses.
    #[must_use]
    pub fn connect(&self) -> PgConnection {
        shared().connect(&self.name).unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Err(error) = shared().drop_database(&self.name) {
            eprintln!("{}: {error}", self.name);
        }
    }
}

/// The one Postgres of this process. Nothing drops it: its guard ends it when this process ends.
fn shared() -> &'static PrivatePostgres {
    SHARED.get_or_init(|| {
        let postgres = PrivatePostgres::temporary().unwrap();
        postgres.create_database(TEMPLATE, None).unwrap();
        migrate(postgres.socket_folder(), TEMPLATE);
        // A database with sessions cannot be cloned.
        postgres.execute(&format!("ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false")).unwrap();
        let sessions =
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{TEMPLATE}'");
        postgres.execute(&sessions).unwrap();
        postgres
    })
}

/// As `db-server migrate` does it. In a thread of its own, for the caller's may have a runtime.
fn migrate(socket_folder: &Path, database: &str) {
    let table = db_server_settings(socket_folder, database, "http://127.0.0.1:1", &Dummies::default());
    let settings = settings::read(table, Environment::default()).unwrap();
    let migrating = thread::spawn(move || {
        let database = Database::new(settings.database.connect);
        actix_web::rt::System::new().block_on(database.migrate()).unwrap();
    });
    migrating.join().unwrap();
}
