//! Stored means of payment, at whichever provider. The provider's token is encrypted at rest and never shown.

mod delete;
mod store;

use diesel::PgConnection;
use secrecy::ExposeSecret;
use wire::payment::{Provider, Token};

pub use self::{
    delete::delete,
    store::{NewPaymethod, store},
};
use super::{Domain, DomainError, error::field_with};
use crate::{
    crypt::EncryptionKeys,
    field_errors::Code,
    store::{
        Listed, Page,
        id::{BuyerId, PaymentCustomerId, PaymentMethodId},
        payment_customer::{self, PaymentCustomerRow},
        payment_method::{self, PaymentMethodFilter, PaymentMethodRow},
    },
    uri::DANGLING,
};

/// Names the means of payment in a request, and so in the errors about it.
pub(super) const PAYMETHOD: &str = "paymethod";

/// A means of payment and whose it is.
#[derive(Clone, Debug)]
pub struct Paymethod {
    /// The row.
    pub row: PaymentMethodRow,
    /// Whose it is.
    pub buyer_id: BuyerId,
}

/// A means of payment that can be charged.
pub(super) struct Chargeable {
    /// The row.
    pub row: PaymentMethodRow,
    /// Whose it is at the provider.
    pub customer: PaymentCustomerRow,
    /// Which provider.
    pub provider: Provider,
    /// What stands for it there.
    pub token: Token,
}

/// Reads a means of payment.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn get(domain: &Domain, id: PaymentMethodId) -> Result<Paymethod, DomainError> {
    let get = move |connection: &mut PgConnection| {
        let row = payment_method::by_id(connection, id)?.ok_or(DomainError::NotFound)?;
        let buyer_id = customer_of(connection, &row)?.buyer_id;
        Ok(Paymethod { row, buyer_id })
    };
    domain.database.read(get).await
}

/// Reads one page of the means of payment that the filter names; no provider is asked.
///
/// # Errors
/// What the database gives.
pub async fn list(
    domain: &Domain,
    filter: PaymentMethodFilter,
    page: Page,
) -> Result<Listed<Paymethod>, DomainError> {
    let list = move |connection: &mut PgConnection| {
        let listed = payment_method::list(connection, &filter, page)?;
        let mut ids: Vec<PaymentCustomerId> = listed.rows.iter().map(|row| row.customer_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let customers = payment_customer::several(connection, &ids)?;
        let whose = |row: PaymentMethodRow| {
            let customer = customers.iter().find(|customer| customer.id == row.customer_id);
            let buyer_id = customer.ok_or(DomainError::NotFound)?.buyer_id;
            Ok(Paymethod { row, buyer_id })
        };
        let rows: Result<_, DomainError> = listed.rows.into_iter().map(whose).collect();
        Ok(Listed { rows: rows?, total: listed.total })
    };
    domain.database.read(list).await
}

/// A means of payment that a request wants to have charged.
///
/// # Errors
/// The field `paymethod` when there is none, or it is not active.
pub(super) fn chargeable(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    id: PaymentMethodId,
) -> Result<Chargeable, DomainError> {
    let row = payment_method::by_id(connection, id)?;
    let row = row.ok_or_else(|| field_with(PAYMETHOD, Code::DoesNotExist, DANGLING))?;
    let customer = customer_of(connection, &row)?;
    if !row.active || !customer.active {
        return Err(field_with(PAYMETHOD, Code::Invalid, "The payment method is not active."));
    }
    let provider = row.provider.neutral();
    let provider = provider
        .ok_or_else(|| field_with(PAYMETHOD, Code::Invalid, "Its provider has no payment methods."))?;
    let token = token(keys, &row)?;
    Ok(Chargeable { row, customer, provider, token })
}

/// Whose a means of payment is.
pub(super) fn customer_of(
    connection: &mut PgConnection,
    row: &PaymentMethodRow,
) -> Result<PaymentCustomerRow, DomainError> {
    payment_customer::by_id(connection, row.customer_id)?.ok_or(DomainError::NotFound)
}

/// What stands for a means of payment at the provider.
pub(super) fn token(keys: &EncryptionKeys, row: &PaymentMethodRow) -> Result<Token, DomainError> {
    Ok(Token::from(keys.decrypt(&row.token)?.expose_secret()))
}
