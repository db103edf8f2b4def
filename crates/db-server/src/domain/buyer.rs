//! Buyers, whose address is encrypted at rest and whose PINs are hashed.

use chassis::settings::SecretString;
use diesel::PgConnection;

use super::{Domain, DomainError};
use crate::{
    crypt::EncryptionKeys,
    email::Email,
    etag::IfMatch,
    form::Given,
    pin::{Pin, PinHash},
    store::{
        Listed, Page,
        buyer::{self, BuyerChanges, BuyerFilter, BuyerRow},
        id::BuyerId,
    },
};

/// A buyer as a client sees it.
pub struct Buyer {
    /// The row.
    pub row: BuyerRow,
    /// The address, decrypted.
    pub email: Option<SecretString>,
    /// The misses that count now.
    pub pin_failures: i32,
    /// Whether the buyer is locked out now.
    pub is_locked_out: bool,
}

/// What a client says about a buyer; `None` is not said, `Some(None)` is that there is none.
#[expect(missing_docs, reason = "each field is documented in BuyerRow")]
#[derive(Debug, Default)]
pub struct BuyerFields {
    pub uuid: Option<String>,
    pub email: Given<Email>,
    pub locale: Given<String>,
    pub active: Option<bool>,
    pub authenticated: Option<bool>,
    pub pin: Given<Pin>,
    pub new_pin: Given<Pin>,
    pub needs_pin_reset: Option<bool>,
    pub pin_confirmed: Option<bool>,
    pub pin_was_locked_out: Option<bool>,
}

/// Which buyers; `None` is all.
#[expect(missing_docs, reason = "each field is documented in BuyerFilter")]
#[derive(Debug, Default)]
pub struct BuyerQuery {
    pub uuid: Option<String>,
    pub active: Option<bool>,
    pub email: Option<Email>,
}

/// Creates a buyer; the uuid must be said.
///
/// # Errors
/// [`DomainError`]; the uuid may be taken.
pub async fn create(domain: &Domain, fields: BuyerFields) -> Result<Buyer, DomainError> {
    let new = changes(domain, fields).await?;
    let row = domain.database.write::<_, DomainError, _>(move |c| Ok(buyer::insert(c, &new)?)).await?;
    complete(domain, row)
}

/// Reads a buyer.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn get(domain: &Domain, id: BuyerId) -> Result<Buyer, DomainError> {
    let get = move |connection: &mut PgConnection| buyer::by_id(connection, id)?.ok_or(DomainError::NotFound);
    complete(domain, domain.database.read(get).await?)
}

/// Reads one page of the buyers that the query names.
///
/// # Errors
/// What the database gives.
pub async fn list(domain: &Domain, query: BuyerQuery, page: Page) -> Result<Listed<Buyer>, DomainError> {
    let filter = BuyerFilter {
        uuid: query.uuid,
        active: query.active,
        email_hashes: query.email.map(|email| domain.lookup.hashes(&email.look_up_form())),
    };
    let list = move |connection: &mut PgConnection| Ok(buyer::list(connection, &filter, page)?);
    let listed = domain.database.read::<_, DomainError, _>(list).await?;
    let rows: Result<_, _> = listed.rows.into_iter().map(|row| complete(domain, row)).collect();
    Ok(Listed { rows: rows?, total: listed.total })
}

/// Changes a buyer if it is still the version that the client expects.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::Stale`], a taken uuid, and what hash and database give.
pub async fn update(
    domain: &Domain,
    id: BuyerId,
    expected: IfMatch,
    fields: BuyerFields,
) -> Result<Buyer, DomainError> {
    let changes = changes(domain, fields).await?;
    let change = move |connection: &mut PgConnection| {
        let row = buyer::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)?;
        if !expected.holds(row.id.0, row.counter) {
            return Err(DomainError::Stale);
        }
        Ok(buyer::update(connection, id, Some(row.counter), &changes)?)
    };
    complete(domain, domain.database.write(change).await?)
}

/// What goes into the row: the address encrypted, the PINs hashed. It is slow when there is a PIN.
async fn changes(domain: &Domain, fields: BuyerFields) -> Result<BuyerChanges, DomainError> {
    let hash = async |pin: Given<Pin>| -> Result<Given<PinHash>, DomainError> {
        Ok(match pin {
            Some(Some(pin)) => Some(Some(domain.pins.hash(pin).await?)),
            Some(None) => Some(None),
            None => None,
        })
    };
    // Nobody has confirmed another PIN, unless the client says so.
    let unconfirmed = fields.pin.is_some().then_some(false);
    let (email, email_hash) = encrypted(domain, fields.email);
    Ok(BuyerChanges {
        uuid: fields.uuid,
        email,
        email_hash,
        locale: fields.locale,
        active: fields.active,
        authenticated: fields.authenticated,
        pin: hash(fields.pin).await?,
        new_pin: hash(fields.new_pin).await?,
        needs_pin_reset: fields.needs_pin_reset,
        pin_confirmed: fields.pin_confirmed.or(unconfirmed),
        pin_was_locked_out: fields.pin_was_locked_out,
    })
}

fn encrypted(
    domain: &Domain,
    email: Given<Email>,
) -> (Given<crate::crypt::Ciphertext>, Given<crate::lookup::LookupHash>) {
    let Some(email) = email else { return (None, None) };
    let keys: &EncryptionKeys = &domain.keys;
    let text = email.as_ref().map(|email| keys.encrypt(email.as_str()));
    let hash = email.as_ref().map(|email| domain.lookup.hash(&email.look_up_form()));
    (Some(text), Some(hash))
}

fn complete(domain: &Domain, row: BuyerRow) -> Result<Buyer, DomainError> {
    let email = row.email.as_ref().map(|email| domain.keys.decrypt(email)).transpose()?;
    let (rules, now) = (domain.pins.rules(), domain.clock.now());
    let (pin_failures, is_locked_out) = (rules.failures(&row, now), rules.locks_out(&row, now));
    Ok(Buyer { row, email, pin_failures, is_locked_out })
}
