//! What the Solitude API calls Braintree's buyers, payment methods and subscriptions: the neutral rows of that provider.

mod ask;
mod webhook;

use chassis::settings::SecretString;
use diesel::PgConnection;

use super::{Domain, DomainError};
use crate::{
    etag::IfMatch,
    store::{
        Listed, Page,
        code::Provider,
        id::{PaymentCustomerId, PaymentMethodId, SubscriptionId},
        payment_customer::{self, PaymentCustomerChanges, PaymentCustomerFilter, PaymentCustomerRow},
        payment_method::{self, PaymentMethodChanges, PaymentMethodFilter, PaymentMethodRow},
        subscription::{self, SubscriptionChanges, SubscriptionFilter, SubscriptionRow},
    },
};

pub use self::{
    ask::{
        Answered, NewSubscription, cancel_subscription, change_payment_method, client_token, create_customer,
        delete_payment_method, store_payment_method, subscribe,
    },
    webhook::{Posted, Told, challenge, receive},
};

/// Whose rows they are.
pub const PROVIDER: Provider = Provider::Braintree;

/// A payment method as a client of the Solitude API sees it.
pub struct Method {
    /// The row.
    pub row: PaymentMethodRow,
    /// What stands for it at Braintree, decrypted.
    pub token: SecretString,
}

impl Method {
    /// Decrypts the token.
    ///
    /// # Errors
    /// [`DomainError::Crypt`] when no key decrypts it.
    pub fn of(domain: &Domain, row: PaymentMethodRow) -> Result<Self, DomainError> {
        Ok(Self { token: domain.keys.decrypt(&row.token)?, row })
    }
}

/// Declares the reads of one kind of row, and the change of its `active`.
macro_rules! rows {
    ($get:ident, $list:ident, $set_active:ident: $store:ident, $id:ty, $row:ty, $filter:ident, $changes:expr) => {
        /// Reads one of Braintree's.
        ///
        /// # Errors
        /// [`DomainError::NotFound`] when Braintree has no such one, and what the database gives.
        pub async fn $get(domain: &Domain, id: $id) -> Result<$row, DomainError> {
            let get = move |connection: &mut PgConnection| {
                let row = $store::by_id(connection, id)?.filter(|row| row.provider == PROVIDER);
                row.ok_or(DomainError::NotFound)
            };
            domain.database.read(get).await
        }

        /// Reads one page of those of Braintree's that the filter names.
        ///
        /// # Errors
        /// What the database gives.
        pub async fn $list(
            domain: &Domain,
            filter: $filter,
            page: Page,
        ) -> Result<Listed<$row>, DomainError> {
            let filter = $filter { provider: Some(PROVIDER), ..filter };
            let list = move |connection: &mut PgConnection| Ok($store::list(connection, &filter, page)?);
            domain.database.read(list).await
        }

        /// Says whether one of Braintree's is active, if it is still the version that the client expects. Braintree
        /// does not hear of it.
        ///
        /// # Errors
        /// [`DomainError::NotFound`], [`DomainError::Stale`], and what the database gives.
        pub async fn $set_active(
            domain: &Domain,
            id: $id,
            expected: IfMatch,
            active: Option<bool>,
        ) -> Result<$row, DomainError> {
            let change = move |connection: &mut PgConnection| {
                let row = $store::by_id(connection, id)?.filter(|row| row.provider == PROVIDER);
                let row = row.ok_or(DomainError::NotFound)?;
                if !expected.holds(row.id.0, row.counter) {
                    return Err(DomainError::Stale);
                }
                let changes = ($changes)(active);
                Ok($store::update(connection, id, Some(row.counter), &changes)?)
            };
            domain.database.write(change).await
        }
    };
}

rows!(customer, customers, set_customer_active:
    payment_customer, PaymentCustomerId, PaymentCustomerRow, PaymentCustomerFilter,
    |active| PaymentCustomerChanges { active });
rows!(method, methods, set_method_active:
    payment_method, PaymentMethodId, PaymentMethodRow, PaymentMethodFilter,
    |active| PaymentMethodChanges { active, ..PaymentMethodChanges::default() });
rows!(subscription, subscriptions, set_subscription_active:
    subscription, SubscriptionId, SubscriptionRow, SubscriptionFilter,
    |active| SubscriptionChanges { active, ..SubscriptionChanges::default() });
