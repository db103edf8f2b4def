//! Transactions as clients create, read and change them.

use std::sync::Arc;

use diesel::PgConnection;

use super::{
    Domain, DomainError,
    error::whole,
    lifecycle::{self, Rule, State},
};
use crate::{
    database::Gathering,
    etag::IfMatch,
    store::{
        Listed, Page,
        code::{Provider, TransactionStatus},
        id::TransactionId,
        payment,
        transaction::{self, NewTransaction, TransactionChanges, TransactionFilter, TransactionRow},
    },
};

/// A transaction as a client sees it.
pub struct Transaction {
    /// The row.
    pub row: TransactionRow,
    /// The transactions whose `related` is this one, newest first.
    pub relations: Vec<TransactionRow>,
}

/// Reads of one transaction each, with its relations.
pub type Reads = Arc<Gathering<TransactionId, Option<transaction::Family>>>;

/// Reads that gather.
#[must_use]
pub fn reads() -> Reads {
    Arc::new(Gathering::new(transaction::with_relations))
}

/// What a client may change about a transaction; `None` stays as it is, `Some(None)` is unset.
#[expect(missing_docs, reason = "each field is documented in TransactionRow")]
#[derive(Debug, Default)]
pub struct Patch {
    pub notes: Option<Option<String>>,
    pub pay_url: Option<Option<String>>,
    pub status: Option<TransactionStatus>,
    pub status_reason: Option<Option<String>>,
    pub uid_pay: Option<Option<String>>,
    pub provider: Option<Option<Provider>>,
}

/// Creates a transaction.
///
/// # Errors
/// [`DomainError`]; an id may be taken, a resource that it refers to may not exist, its status may need more.
pub async fn create(domain: &Domain, new: NewTransaction, actor: String) -> Result<Transaction, DomainError> {
    lifecycle::check_complete(new.status, new.provider, new.product_id.is_some())?;
    let create = move |connection: &mut PgConnection| transaction::insert(connection, &new, &actor);
    let row = domain.database.write_one(create).await?;
    Ok(Transaction { row, relations: Vec::new() })
}

/// Reads a transaction.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn get(domain: &Domain, id: TransactionId) -> Result<Transaction, DomainError> {
    let read = domain.database.read_gathered(&domain.transactions, id).await?;
    let (row, relations) = read.ok_or(DomainError::NotFound)?;
    Ok(Transaction { row, relations })
}

/// Reads one page of the transactions that the filter names.
///
/// # Errors
/// What the database gives.
pub async fn list(
    domain: &Domain,
    filter: TransactionFilter,
    page: Page,
) -> Result<Listed<Transaction>, DomainError> {
    let list = move |connection: &mut PgConnection| {
        let listed = transaction::list(connection, &filter, page)?;
        Ok(Listed { rows: complete(connection, listed.rows)?, total: listed.total })
    };
    domain.database.read(list).await
}

/// Changes a transaction if the rules allow it and it is still the version that the client expects. A change of
/// status becomes an audit event with the client's key.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::Stale`], a rule, a taken id, and what the database gives.
pub async fn update(
    domain: &Domain,
    id: TransactionId,
    expected: IfMatch,
    patch: Patch,
    actor: String,
) -> Result<Transaction, DomainError> {
    let (lockdown, now) = (domain.lockdown, domain.clock.now());
    let change = move |connection: &mut PgConnection| {
        let row = transaction::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)?;
        if !expected.holds(row.id.0, row.counter) {
            return Err(DomainError::Stale);
        }
        lifecycle::check_age(row.created, now, lockdown)?;
        let moves = patch.status.is_some_and(|status| status != row.status);
        if moves && payment::has_transaction(connection, id)? {
            return Err(Rule::FollowsPayment.into());
        }
        let changes = allowed(&row, patch)?;
        let row = transaction::update(connection, id, Some(row.counter), &changes, &actor)?;
        complete_one(connection, row)
    };
    domain.database.write(change).await
}

/// The error about fields that are never changed.
#[must_use]
pub fn cannot_alter<'a>(names: impl IntoIterator<Item = &'a str>) -> DomainError {
    let names: Vec<_> = names.into_iter().collect();
    whole(format!("Cannot alter fields: {}", names.join(", ")))
}

/// The changes of a patch, if they follow the rules.
fn allowed(row: &TransactionRow, patch: Patch) -> Result<TransactionChanges, DomainError> {
    let provider = patch.provider.unwrap_or(row.provider);
    if row.provider.is_some() && provider != row.provider {
        return Err(cannot_alter(["provider"]));
    }
    if let Some(status) = patch.status {
        lifecycle::check_move(State { provider, ..State::of(row) }, status)?;
    }
    Ok(TransactionChanges {
        notes: patch.notes,
        pay_url: patch.pay_url,
        status: patch.status,
        status_reason: patch.status_reason,
        uid_pay: patch.uid_pay,
        provider: Some(provider),
        ..TransactionChanges::default()
    })
}

fn complete_one(connection: &mut PgConnection, row: TransactionRow) -> Result<Transaction, DomainError> {
    complete(connection, vec![row])?.pop().ok_or(DomainError::NotFound)
}

fn complete(
    connection: &mut PgConnection,
    rows: Vec<TransactionRow>,
) -> Result<Vec<Transaction>, DomainError> {
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut relations = transaction::relations(connection, &ids)?;
    let complete = |row: TransactionRow| {
        let relations = relations.remove(&row.id).unwrap_or_default();
        Transaction { row, relations }
    };
    Ok(rows.into_iter().map(complete).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::Utc;

    use super::*;
    use crate::store::{code::TransactionType, id::ProductId};

    /// A transaction that could be paid through the reference provider.
    pub(crate) fn row(status: TransactionStatus) -> TransactionRow {
        TransactionRow {
            id: TransactionId(1),
            uuid: "solitude:x".into(),
            amount_minor: Some(99),
            currency: Some("EUR".into()),
            buyer_id: None,
            seller_id: None,
            product_id: Some(ProductId(1)),
            provider: Some(Provider::Reference),
            region: None,
            carrier: None,
            source: None,
            kind: TransactionType::Payment,
            status,
            status_reason: None,
            uid_pay: None,
            uid_support: None,
            pay_url: None,
            related_id: None,
            notes: None,
            created: Utc::now(),
            modified: Utc::now(),
            counter: 1,
        }
    }

    fn refused(row: &TransactionRow, patch: Patch) -> String {
        let DomainError::Fields(errors) = allowed(row, patch).unwrap_err() else { panic!("no field error") };
        serde_json::to_string(&errors).unwrap()
    }

    #[test]
    fn the_provider_may_be_set_while_it_is_unset_and_then_no_more() {
        let provider = |provider| Patch { provider: Some(provider), ..Patch::default() };
        let unset = TransactionRow { provider: None, ..row(TransactionStatus::Started) };
        let changes = allowed(&unset, provider(Some(Provider::Bango))).unwrap();
        assert_eq!(changes.provider, Some(Some(Provider::Bango)));
        for other in [Some(Provider::Bango), None] {
            let error = refused(&row(TransactionStatus::Started), provider(other));
            assert_eq!(error, r#"{"__all__":["Cannot alter fields: provider"]}"#);
        }
        assert!(allowed(&row(TransactionStatus::Started), provider(Some(Provider::Reference))).is_ok());
    }

    #[test]
    fn provider_and_status_may_be_set_together() {
        let unset = TransactionRow { provider: None, ..row(TransactionStatus::Started) };
        let status = Some(TransactionStatus::Pending);
        assert!(refused(&unset, Patch { status, ..Patch::default() }).contains("provider"));
        let provider = Some(Some(Provider::Reference));
        assert!(allowed(&unset, Patch { status, provider, ..Patch::default() }).is_ok());
    }

    #[test]
    fn a_final_transaction_keeps_its_status_and_may_get_notes() {
        let failed = row(TransactionStatus::Failed);
        let completed = Patch { status: Some(TransactionStatus::Completed), ..Patch::default() };
        assert_eq!(refused(&failed, completed), r#"{"__all__":["Cannot change state from: 4 to 1"]}"#);
        let notes = Some(Some("looked into".to_owned()));
        assert!(allowed(&failed, Patch { notes, ..Patch::default() }).is_ok());
    }

    #[test]
    fn fields_that_are_never_changed_are_all_named() {
        let DomainError::Fields(errors) = cannot_alter(["amount", "uuid"]) else { panic!("no field error") };
        let expected = r#"{"__all__":["Cannot alter fields: amount, uuid"]}"#;
        assert_eq!(serde_json::to_string(&errors).unwrap(), expected);
    }
}
