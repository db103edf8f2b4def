//! What the provider knows: its account, its books, and the nonces it has seen.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Data;
use secrecy::SecretString;

use super::auth::NonceMemory;
use super::notices::NoticeKey;
use super::products::Product;
use super::sellers::Seller;
use super::transactions::Transaction;
use crate::settings::ReferenceAccount;
use crate::shared::Shared;

/// The whole provider, shared by all its handlers.
pub(crate) struct Reference {
    /// The one account that may sign.
    pub(super) account: ReferenceAccount,
    /// What signs notices.
    pub(super) notice_key: NoticeKey,
    /// What all providers share.
    pub(super) shared: Data<Shared>,
    books: Mutex<Books>,
    nonces: Mutex<NonceMemory>,
}

/// Everything that was created, by key.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) sellers: BTreeMap<String, Seller>,
    pub(super) products: BTreeMap<String, Product>,
    pub(super) transactions: BTreeMap<String, Transaction>,
    /// The key of the transaction that a payer's token opens.
    pub(super) tokens: HashMap<String, String>,
}

impl Reference {
    pub(crate) fn new(
        account: ReferenceAccount,
        notice_keys: BTreeMap<u64, SecretString>,
        shared: Data<Shared>,
    ) -> Self {
        Self {
            account,
            notice_key: NoticeKey::latest(notice_keys),
            shared,
            books: Mutex::default(),
            nonces: Mutex::default(),
        }
    }

    /// The books, locked: never held over an await.
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn nonces(&self) -> MutexGuard<'_, NonceMemory> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Whether a seller is there and may sell.
    pub(super) fn may_sell(&self, seller: &str) -> bool {
        self.sellers.get(seller).is_some_and(|seller| seller.status == "ACTIVE")
    }
}
