//! Every column that holds a Fernet token, read and replaced a batch at a time.

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Array, BigInt, Binary, Nullable, Text},
};

use super::StoreError;
use crate::crypt::Ciphertext;

/// A column of Fernet tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EncryptedColumn {
    /// The table, whose key is `id`.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// How the value is found, if it is.
    pub found_by: Option<FoundBy>,
}

/// How an encrypted value is found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FoundBy {
    /// The column of the keyed hash.
    pub column: &'static str,
    /// What of the value is hashed.
    pub form: LookUpForm,
}

/// What of a value is hashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LookUpForm {
    /// An e-mail address, however it is written.
    Email,
    /// The text as it is.
    Text,
}

/// All of them. What is not here would be lost with the old key; a test compares this with the schema.
pub const ENCRYPTED_COLUMNS: [EncryptedColumn; 8] = [
    EncryptedColumn {
        table: "buyers",
        column: "email",
        found_by: Some(FoundBy { column: "email_hash", form: LookUpForm::Email }),
    },
    EncryptedColumn { table: "products", column: "secret", found_by: None },
    EncryptedColumn { table: "api_clients", column: "secret", found_by: None },
    EncryptedColumn {
        table: "payment_methods",
        column: "token",
        found_by: Some(FoundBy { column: "token_hash", form: LookUpForm::Text }),
    },
    EncryptedColumn { table: "webhook_events", column: "payload", found_by: None },
    EncryptedColumn { table: "payments", column: "next_action", found_by: None },
    EncryptedColumn { table: "payment_operations", column: "request", found_by: None },
    EncryptedColumn { table: "idempotency_keys", column: "body", found_by: None },
];

/// One value as it is stored.
#[derive(Debug, QueryableByName)]
pub struct EncryptedValue {
    /// The row's key.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// The token.
    #[diesel(sql_type = Text)]
    pub token: Ciphertext,
    /// The hash by which it is found, where the column has one.
    #[diesel(sql_type = Nullable<Binary>)]
    pub hash: Option<Vec<u8>>,
}

/// What a value is to become.
#[derive(Debug)]
pub struct Replacement {
    /// The row's key.
    pub id: i64,
    /// The token that it has; when it has another by then, nothing happens.
    pub old: Ciphertext,
    /// The token that it gets.
    pub new: Ciphertext,
    /// The hash that it gets, where the column has one.
    pub hash: Option<Vec<u8>>,
}

impl EncryptedColumn {
    /// The next values after this key, in the order of the keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn page(
        &self,
        connection: &mut PgConnection,
        after: i64,
        limit: i64,
    ) -> Result<Vec<EncryptedValue>, StoreError> {
        let Self { table, column, .. } = self;
        let hash = self.found_by.map_or("null::bytea", |found_by| found_by.column);
        let query = format!(
            "select id, {column} as token, {hash} as hash from {table} \
             where {column} is not null and id > $1 order by id limit $2"
        );
        Ok(sql_query(query).bind::<BigInt, _>(after).bind::<BigInt, _>(limit).load(connection)?)
    }

    /// The last key that has a value; 0 when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last(&self, connection: &mut PgConnection) -> Result<i64, StoreError> {
        #[derive(QueryableByName)]
        struct Last {
            #[diesel(sql_type = Nullable<BigInt>)]
            id: Option<i64>,
        }
        let Self { table, column, .. } = self;
        let query = format!("select max(id) as id from {table} where {column} is not null");
        Ok(sql_query(query).get_result::<Last>(connection)?.id.unwrap_or_default())
    }

    /// Replaces values in one statement, each only if it still is what was read, and gives how many were. No client
    /// sees a change, so `counter` and `modified` stay as they are.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is replaced then.
    pub fn replace(
        &self,
        connection: &mut PgConnection,
        replacements: &[Replacement],
    ) -> Result<usize, StoreError> {
        let Self { table, column, .. } = self;
        let hash = self.found_by.map(|found_by| format!(", {} = n.hash", found_by.column));
        let hash = hash.unwrap_or_default();
        let query = format!(
            "update {table} r set {column} = n.new{hash} \
             from unnest($1, $2, $3, $4) as n (id, old, new, hash) where r.id = n.id and r.{column} = n.old"
        );
        let ids: Vec<i64> = replacements.iter().map(|replacement| replacement.id).collect();
        let old: Vec<&Ciphertext> = replacements.iter().map(|replacement| &replacement.old).collect();
        let new: Vec<&Ciphertext> = replacements.iter().map(|replacement| &replacement.new).collect();
        let hashes: Vec<&Option<Vec<u8>>> =
            replacements.iter().map(|replacement| &replacement.hash).collect();
        Ok(sql_query(query)
            .bind::<Array<BigInt>, _>(ids)
            .bind::<Array<Text>, _>(old)
            .bind::<Array<Text>, _>(new)
            .bind::<Array<Nullable<Binary>>, _>(hashes)
            .execute(connection)?)
    }
}
