//! A transaction as it is, as it is created, and what of it changes.

use chrono::{DateTime, Utc};
use diesel::{pg::Pg, prelude::*};

use crate::{
    schema::transactions,
    store::{
        code::{Provider, TransactionStatus, TransactionType},
        id::{BuyerId, ProductId, SellerId, TransactionId},
    },
};

/// A payment, refund or reversal.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = transactions, check_for_backend(Pg))]
pub struct TransactionRow {
    /// The key.
    pub id: TransactionId,
    /// The client's own id.
    pub uuid: String,
    /// How much, in the currency's minor units; set if and only if the currency is.
    pub amount_minor: Option<i64>,
    /// The ISO 4217 code.
    pub currency: Option<String>,
    /// Who pays.
    pub buyer_id: Option<BuyerId>,
    /// Who sells.
    pub seller_id: Option<SellerId>,
    /// What is sold.
    pub product_id: Option<ProductId>,
    /// Who moves the money.
    pub provider: Option<Provider>,
    /// The region of the payer.
    pub region: Option<String>,
    /// The mobile carrier of the payer.
    pub carrier: Option<String>,
    /// Where the purchase came from.
    pub source: Option<String>,
    /// What the transaction does.
    #[diesel(column_name = type_)]
    pub kind: TransactionType,
    /// How far it is.
    pub status: TransactionStatus,
    /// Why it is there.
    pub status_reason: Option<String>,
    /// The provider's id of the payment.
    pub uid_pay: Option<String>,
    /// The provider's id for its support.
    pub uid_support: Option<String>,
    /// Where the payer pays.
    pub pay_url: Option<String>,
    /// The payment that this refund or reversal belongs to.
    pub related_id: Option<TransactionId>,
    /// Free text.
    pub notes: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// A transaction to be created; the fields are [`TransactionRow`]'s.
#[expect(missing_docs, reason = "each field is documented in TransactionRow")]
#[derive(Clone, Debug, Default, Insertable)]
// Every column here is null by default, and a statement with the word DEFAULT in it would not stay prepared.
#[diesel(table_name = transactions, treat_none_as_default_value = false)]
pub struct NewTransaction {
    pub uuid: String,
    pub amount_minor: Option<i64>,
    pub currency: Option<String>,
    pub buyer_id: Option<BuyerId>,
    pub seller_id: Option<SellerId>,
    pub product_id: Option<ProductId>,
    pub provider: Option<Provider>,
    pub region: Option<String>,
    pub carrier: Option<String>,
    pub source: Option<String>,
    #[diesel(column_name = type_)]
    pub kind: TransactionType,
    pub status: TransactionStatus,
    pub status_reason: Option<String>,
    pub uid_pay: Option<String>,
    pub uid_support: Option<String>,
    pub pay_url: Option<String>,
    pub related_id: Option<TransactionId>,
    pub notes: Option<String>,
}

/// What changes; `None` stays as it is, `Some(None)` is unset. The fields are [`TransactionRow`]'s; what is not here
/// never changes.
#[expect(missing_docs, reason = "each field is documented in TransactionRow")]
#[derive(AsChangeset, Clone, Debug, Default)]
#[diesel(table_name = transactions)]
pub struct TransactionChanges {
    pub amount_minor: Option<Option<i64>>,
    pub currency: Option<Option<String>>,
    pub provider: Option<Option<Provider>>,
    pub region: Option<Option<String>>,
    pub carrier: Option<Option<String>>,
    pub status: Option<TransactionStatus>,
    pub status_reason: Option<Option<String>>,
    pub uid_pay: Option<Option<String>>,
    pub uid_support: Option<Option<String>>,
    pub pay_url: Option<Option<String>>,
    pub notes: Option<Option<String>>,
}
