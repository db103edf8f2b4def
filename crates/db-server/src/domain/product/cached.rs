//! Products as the cache keeps them, by public id; the secret stays encrypted there.
//!
//! What is shown of a product depends on its row, and on its links to providers and the uuids of the sellers of
//! these: whatever changes one of them has to say so here.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Product;
use crate::{
    cache::{Cache, Sealed},
    crypt::{Ciphertext, EncryptionKeys},
    store::{
        code::Access,
        id::{ProductId, SellerId},
        product::{ProductRow, SellerUuids},
    },
};

/// How long a product is believed to be what it was, should nobody say that it has changed. In one process nobody
/// hears of a change that another instance makes.
const fn ttl(cache: &Cache) -> Duration {
    Duration::from_secs(if cache.is_shared() { 60 } else { 5 })
}

#[derive(Deserialize, Serialize)]
struct Cached {
    id: i64,
    seller_id: i64,
    external_id: String,
    public_id: String,
    secret: Option<Ciphertext>,
    access: i64,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    counter: i64,
    bango: Option<String>,
    reference: Option<String>,
}

/// Gives a product that has been read lately.
pub(super) async fn get(cache: &Sealed, keys: &EncryptionKeys, public_id: &str) -> Option<Product> {
    let cached: Cached = cache.get(&key(public_id)).await?;
    // With a secret under a key that is gone it is read again.
    let secret = cached.secret.as_ref().map(|secret| keys.decrypt(secret)).transpose().ok()?;
    let row = ProductRow {
        id: ProductId(cached.id),
        seller_id: SellerId(cached.seller_id),
        external_id: cached.external_id,
        public_id: cached.public_id,
        secret: cached.secret,
        access: Access::from_code(cached.access)?,
        created: cached.created,
        modified: cached.modified,
        counter: cached.counter,
    };
    let seller_uuids = SellerUuids { bango: cached.bango, reference: cached.reference };
    Some(Product { row, secret, seller_uuids })
}

/// Keeps a product that has just been read.
pub(super) async fn keep(cache: &Sealed, product: &Product) {
    let row = &product.row;
    let cached = Cached {
        id: row.id.0,
        seller_id: row.seller_id.0,
        external_id: row.external_id.clone(),
        public_id: row.public_id.clone(),
        secret: row.secret.clone(),
        access: row.access.code().into(),
        created: row.created,
        modified: row.modified,
        counter: row.counter,
        bango: product.seller_uuids.bango.clone(),
        reference: product.seller_uuids.reference.clone(),
    };
    cache.keep(&key(&row.public_id), &cached, ttl(cache.cache())).await;
}

/// Forgets products that are shown differently now; to be called once that is committed.
pub async fn changed<'a>(cache: &Sealed, public_ids: impl IntoIterator<Item = &'a String>) {
    for public_id in public_ids {
        cache.changed(&key(public_id)).await;
    }
}

fn key(public_id: &str) -> String {
    format!("product:{public_id}")
}
