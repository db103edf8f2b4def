//! The rows of the benchmark, and pgbench's script: the statements that db-server sends for one payment.

use diesel::{PgConnection, connection::SimpleConnection};

use crate::bench::{BenchError, rows};

/// The statements of one payment, in its two transactions.
pub(super) const SCRIPT: &str = include_str!("payment.sql");
/// Fills the tables as so many captured payments do; `$ROWS` is how many there are to be.
const FILL: &str = include_str!("fill.sql");

/// Brings the tables to at least so many payments.
///
/// # Errors
/// [`BenchError::Statement`].
pub(super) fn load(connection: &mut PgConnection, rows: u64) -> Result<(), BenchError> {
    rows::load_products(connection)?;
    connection.batch_execute(&FILL.replace("$ROWS", &rows.to_string()))?;
    for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
        connection.batch_execute(statement)?;
    }
    Ok(())
}
