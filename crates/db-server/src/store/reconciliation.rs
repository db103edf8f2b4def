//! The table `reconciliations`: what the nightly comparison of our books with the providers' lists came to.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    deserialize::FromSqlRow, dsl::now, expression::AsExpression, pg::Pg, prelude::*, query_dsl::methods,
    sql_types::SmallInt, upsert::excluded,
};

use super::{
    StoreError,
    code::{Provider, codes},
    id::ReconciliationId,
    stored_as,
};
use crate::schema::reconciliations;

codes!(
    /// How far a comparison is.
    ReconciliationState {
        /// It is under way, or a crash came between.
        Running = 0,
        /// Everything agrees.
        Agrees = 1,
        /// Something is missing, extra or of another amount.
        Differs = 2,
        /// It could not be made.
        Failed = 3,
    }
);

/// A comparison of a day.
#[derive(Clone, Debug, Identifiable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = reconciliations, check_for_backend(Pg))]
pub struct ReconciliationRow {
    /// The key.
    pub id: ReconciliationId,
    /// With which provider.
    pub provider: Provider,
    /// Of which day (UTC).
    pub day: NaiveDate,
    /// How far it is.
    pub state: ReconciliationState,
    /// Until when whoever runs it is taken to be alive, or when a failed one may be tried again; none when it is done.
    pub held_until: Option<DateTime<Utc>>,
    /// How often it was begun.
    pub tries: i32,
    /// How many payments and refunds agree.
    pub agreed: i64,
    /// How many the provider has and we have not.
    pub missing: i64,
    /// How many we have and the provider has not.
    pub extra: i64,
    /// How many have another amount there.
    pub wrong_amount: i64,
    /// How many wait for an outcome.
    pub open: i64,
    /// The rows that do not agree, as JSON; none until it is done.
    pub rows: Option<String>,
    /// Why the last try failed.
    pub failure: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
}

/// How a comparison ended; the fields are [`ReconciliationRow`]'s, and all are written.
#[expect(missing_docs, reason = "each field is documented in ReconciliationRow")]
#[derive(AsChangeset, Clone, Debug)]
#[diesel(table_name = reconciliations, treat_none_as_null = true)]
pub struct Ended {
    pub state: ReconciliationState,
    pub held_until: Option<DateTime<Utc>>,
    pub agreed: i64,
    pub missing: i64,
    pub extra: i64,
    pub wrong_amount: i64,
    pub open: i64,
    pub rows: Option<String>,
    pub failure: Option<String>,
}

/// Takes the comparison of a day, which nobody else takes until then; nothing when it is done, or somebody has it. The
/// try that it gives is to be named when it ends.
///
/// # Errors
/// [`StoreError`].
pub fn claim(
    connection: &mut PgConnection,
    provider: Provider,
    day: NaiveDate,
    at: DateTime<Utc>,
    held_until: DateTime<Utc>,
) -> Result<Option<(ReconciliationId, i32)>, StoreError> {
    let new = (
        reconciliations::provider.eq(provider),
        reconciliations::day.eq(day),
        reconciliations::state.eq(ReconciliationState::Running),
        reconciliations::held_until.eq(held_until),
    );
    let taken = diesel::insert_into(reconciliations::table)
        .values(new)
        .on_conflict((reconciliations::provider, reconciliations::day))
        .do_update()
        .set((
            reconciliations::state.eq(ReconciliationState::Running),
            reconciliations::held_until.eq(excluded(reconciliations::held_until)),
            reconciliations::tries.eq(reconciliations::tries + 1),
            reconciliations::modified.eq(now),
        ));
    let taken = methods::FilterDsl::filter(taken, reconciliations::held_until.le(at));
    let key = (reconciliations::id, reconciliations::tries);
    Ok(taken.returning(key).get_result(connection).optional()?)
}

/// Ends a try. False when somebody else has taken the comparison meanwhile.
///
/// # Errors
/// [`StoreError`].
pub fn end(
    connection: &mut PgConnection,
    (id, tries): (ReconciliationId, i32),
    ended: &Ended,
) -> Result<bool, StoreError> {
    let mine = reconciliations::tries.eq(tries).and(reconciliations::state.eq(ReconciliationState::Running));
    let changed = diesel::update(reconciliations::table.find(id).filter(mine))
        .set((ended, reconciliations::modified.eq(now)))
        .execute(connection)?;
    Ok(changed > 0)
}

/// The comparisons with a provider since a day, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn since(
    connection: &mut PgConnection,
    provider: Provider,
    day: NaiveDate,
) -> Result<Vec<ReconciliationRow>, StoreError> {
    let query = reconciliations::table
        .filter(reconciliations::provider.eq(provider).and(reconciliations::day.ge(day)))
        .order(reconciliations::day);
    Ok(query.select(ReconciliationRow::as_select()).load(connection)?)
}

/// The newest comparisons, newest first: at most `limit`, of one provider or of all.
///
/// # Errors
/// [`StoreError`].
pub fn newest(
    connection: &mut PgConnection,
    provider: Option<Provider>,
    limit: i64,
) -> Result<Vec<ReconciliationRow>, StoreError> {
    let mut query = reconciliations::table.into_boxed();
    if let Some(provider) = provider {
        query = query.filter(reconciliations::provider.eq(provider));
    }
    let query = query.order((reconciliations::day.desc(), reconciliations::provider)).limit(limit);
    Ok(query.select(ReconciliationRow::as_select()).load(connection)?)
}
