//! The rows and statements of the benchmark: what db-server sends, and the same for pgbench.

use diesel::{PgConnection, connection::SimpleConnection};
use serde_json::json;

use super::BenchError;

/// Every column, in the order in which db-server names them.
const COLUMNS: [&str; 22] = [
    "id",
    "uuid",
    "amount_minor",
    "currency",
    "buyer_id",
    "seller_id",
    "product_id",
    "provider",
    "region",
    "carrier",
    "source",
    "type",
    "status",
    "status_reason",
    "uid_pay",
    "uid_support",
    "pay_url",
    "related_id",
    "notes",
    "created",
    "modified",
    "counter",
];

/// How many sellers, each with one product, the transactions belong to.
const SELLERS: u64 = 100;

/// pgbench's script for the SELECT of a transaction by its id.
pub(super) fn select_script(rows: u64) -> String {
    format!(
        "\\set id random(1, {rows})\nSELECT {} FROM \"transactions\" WHERE (\"transactions\".\"id\" = :id);\n",
        columns()
    )
}

/// pgbench's script for the INSERT of a transaction; the values are those of [`body`].
pub(super) fn insert_script() -> String {
    let names = COLUMNS[1..19].iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    format!(
        "INSERT INTO \"transactions\" ({names}) VALUES ('bench:' || gen_random_uuid(), 99, 'EUR', NULL, 1, 1, 2, \
         '310', '410', 'bench', 0, 0, NULL, NULL, NULL, NULL, NULL, NULL) RETURNING {};\n",
        columns()
    )
}

/// The body of a POST.
pub(super) fn body(uuid: &str) -> String {
    json!({
        "uuid": uuid,
        "amount": "0.99",
        "currency": "EUR",
        "seller": "/generic/seller/1/",
        "seller_product": "/generic/product/1/",
        "provider": 2,
        "region": "310",
        "carrier": "410",
        "source": "bench",
        "type": 0,
        "status": 0,
    })
    .to_string()
}

/// Brings the table to exactly so many transactions with ids from 1 on, each with its first audit event.
///
/// # Errors
/// [`BenchError::Statement`].
pub(super) fn load(connection: &mut PgConnection, rows: u64) -> Result<(), BenchError> {
    load_products(connection)?;
    let statements = format!(
        "SET statement_timeout = 0;
        DELETE FROM transaction_events WHERE transaction_id > {rows};
        DELETE FROM transactions WHERE id > {rows};
        WITH had AS (SELECT coalesce(max(id), 0) AS id FROM transactions), new AS (
            INSERT INTO transactions (id, uuid, amount_minor, currency, seller_id, product_id, provider, region,
                carrier, source, status) OVERRIDING SYSTEM VALUE
            SELECT n, 'solitude:' || gen_random_uuid(), 99, 'EUR', 1 + n % {SELLERS}, 1 + n % {SELLERS}, 2, '310',
                '410', 'bench', 0
            FROM had, generate_series(had.id + 1, {rows}) n RETURNING id, status)
        INSERT INTO transaction_events (transaction_id, actor, new_status) SELECT id, 'bench', status FROM new;
        SELECT setval(pg_get_serial_sequence('transactions', 'id'), {rows});"
    );
    connection.batch_execute(&statements)?;
    for statement in ["VACUUM ANALYZE transactions", "VACUUM ANALYZE transaction_events", "CHECKPOINT"] {
        connection.batch_execute(statement)?;
    }
    Ok(())
}

/// Sees to it that there are the sellers, with one product each.
///
/// # Errors
/// [`BenchError::Statement`].
pub(super) fn load_products(connection: &mut PgConnection) -> Result<(), BenchError> {
    let statements = format!(
        "INSERT INTO sellers (uuid) SELECT 'seller:' || n FROM generate_series(1, {SELLERS}) n
            ON CONFLICT DO NOTHING;
        INSERT INTO products (seller_id, external_id, public_id)
            SELECT id, 'external', 'public:' || id FROM sellers ORDER BY id ON CONFLICT DO NOTHING;"
    );
    Ok(connection.batch_execute(&statements)?)
}

fn columns() -> String {
    COLUMNS.map(|name| format!("\"transactions\".\"{name}\"")).join(", ")
}
