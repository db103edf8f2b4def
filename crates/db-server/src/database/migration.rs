//! The schema's migrations, embedded into the executable.

use std::{collections::BTreeSet, error::Error as StdError};

use diesel::{PgConnection, QueryDsl, RunQueryDsl, migration::MigrationSource, pg::Pg, sql_types};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use thiserror::Error;

use super::{ConnectParameters, Database};
use crate::store::StoreError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The advisory lock that one migrating instance holds: "solitude" in ASCII, so that no other program has it.
const LOCK: i64 = i64::from_be_bytes(*b"solitude");

diesel::table! {
    /// Diesel's own record of the migrations that have been applied.
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

/// Why the schema could not be read or brought up to date.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// Postgres is out of reach or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A migration failed; it has been rolled back, those before it have not.
    #[error("a migration failed")]
    Migration(#[source] Box<dyn StdError + Send + Sync>),
}

impl Database {
    /// Brings the schema up to date and gives the names of the migrations that it took. Several instances may do so
    /// at once: one works, the others wait for it and then have nothing left to do.
    ///
    /// # Errors
    /// [`MigrationError`].
    pub async fn migrate(&self) -> Result<Vec<String>, MigrationError> {
        // A role that may not create tables can still start on a schema that is up to date.
        if self.pending_migrations().await?.is_empty() {
            return Ok(Vec::new());
        }
        let parameters = self.parameters.without_statement_timeout();
        chassis::logging::blocking(move || migrate(&parameters))
            .await
            .map_err(|_| MigrationError::Store(StoreError::Interrupted))?
    }

    /// The names of the migrations that the database lacks, oldest first. It changes nothing.
    ///
    /// # Errors
    /// [`MigrationError`].
    pub async fn pending_migrations(&self) -> Result<Vec<String>, MigrationError> {
        self.read(pending).await
    }
}

fn pending(connection: &mut PgConnection) -> Result<Vec<String>, MigrationError> {
    let applied = applied_versions(connection)?;
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(MigrationError::Migration)?;
    let mut names: Vec<_> = known
        .iter()
        .filter(|migration| !applied.contains(&migration.name().version().to_string()))
        .map(|migration| migration.name().to_string())
        .collect();
    names.sort_unstable();
    Ok(names)
}

fn applied_versions(connection: &mut PgConnection) -> Result<BTreeSet<String>, StoreError> {
    let table = diesel::select(diesel::dsl::sql::<sql_types::Nullable<sql_types::Text>>(
        "to_regclass('__diesel_schema_migrations')::text",
    ))
    .get_result::<Option<String>>(connection)?;
    if table.is_none() {
        return Ok(BTreeSet::new());
    }
    let versions = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load::<String>(connection)?;
    Ok(versions.into_iter().collect())
}

/// Runs on a connection of its own, whose end frees the lock whatever happens.
fn migrate(parameters: &ConnectParameters) -> Result<Vec<String>, MigrationError> {
    let mut connection = parameters.connect()?;
    diesel::sql_query("SELECT pg_advisory_lock($1)")
        .bind::<sql_types::BigInt, _>(LOCK)
        .execute(&mut connection)
        .map_err(StoreError::from)?;
    let names = pending(&mut connection)?;
    connection.run_pending_migrations(MIGRATIONS).map_err(MigrationError::Migration)?;
    Ok(names)
}
