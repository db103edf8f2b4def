//! The statement that creates a transaction together with its first audit event, in one round trip.

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Text,
};

/// An `INSERT … RETURNING` of one transaction, and the event about it. Postgres does both or neither.
pub(super) struct Creation<'a, I> {
    /// The `INSERT` of the transaction; its columns are what the whole gives back.
    pub(super) insert: I,
    /// Who creates it.
    pub(super) actor: &'a str,
}

impl<'b, I: QueryFragment<Pg>> QueryFragment<Pg> for Creation<'b, I> {
    fn walk_ast<'a>(&'a self, mut out: AstPass<'_, 'a, Pg>) -> QueryResult<()> {
        out.push_sql("WITH created AS (");
        self.insert.walk_ast(out.reborrow())?;
        out.push_sql(
            "), event AS (INSERT INTO transaction_events (transaction_id, actor, new_status, status_reason) \
             SELECT id, ",
        );
        out.push_bind_param::<Text, str>(self.actor)?;
        out.push_sql(", status, status_reason FROM created) SELECT * FROM created");
        Ok(())
    }
}

impl<I: Query> Query for Creation<'_, I> {
    type SqlType = I::SqlType;
}

/// The text depends on the type alone, so that the statement stays prepared.
impl<I: QueryId> QueryId for Creation<'_, I> {
    type QueryId = Creation<'static, I::QueryId>;

    const HAS_STATIC_QUERY_ID: bool = I::HAS_STATIC_QUERY_ID;
}

impl<I> RunQueryDsl<PgConnection> for Creation<'_, I> {}
