//! PINs: confirmed by giving them twice, verified at each payment, guarded against guessing.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;

use super::{Domain, DomainError, hashing::Hashing};
use crate::{
    pin::{Pin, PinHash, PinHasher},
    store::buyer::{
        self, BuyerRow,
        pin::{self, Limit},
    },
};

/// How PINs are kept and guarded.
pub struct Pins {
    hashing: Hashing,
    rules: PinRules,
}

/// How often a PIN may be guessed.
#[derive(Clone, Copy, Debug)]
pub struct PinRules {
    /// So many misses lock a buyer out.
    pub max_failures: i32,
    /// For so long.
    pub window: TimeDelta,
}

impl PinRules {
    /// A lock-out of this time or before is over.
    fn over(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - self.window
    }

    /// What a guess is held to that is made now.
    #[must_use]
    pub fn limit(self, now: DateTime<Utc>) -> Limit {
        Limit { now, over: self.over(now), max_failures: self.max_failures }
    }

    /// Whether a buyer is locked out now.
    #[must_use]
    pub fn locks_out(self, row: &BuyerRow, now: DateTime<Utc>) -> bool {
        row.pin_locked_out_at.is_some_and(|at| at > self.over(now))
    }

    /// The misses that count now: a lock-out takes its misses with it when it is over.
    #[must_use]
    pub fn failures(self, row: &BuyerRow, now: DateTime<Utc>) -> i32 {
        let over = row.pin_locked_out_at.is_some() && !self.locks_out(row, now);
        if over { 0 } else { row.pin_failures }
    }
}

impl Pins {
    /// With this hasher and these rules.
    #[must_use]
    pub fn new(hasher: PinHasher, rules: PinRules) -> Self {
        Self { hashing: Hashing::new(hasher), rules }
    }

    /// The rules.
    #[must_use]
    pub const fn rules(&self) -> PinRules {
        self.rules
    }

    /// Hashes a PIN, away from the threads that serve requests and from every database transaction.
    ///
    /// # Errors
    /// [`DomainError::Pin`].
    pub async fn hash(&self, pin: Pin) -> Result<PinHash, DomainError> {
        self.hashing.run(move |hasher| hasher.hash(&pin)).await
    }

    async fn matches(&self, pin: Pin, hash: PinHash) -> Result<bool, DomainError> {
        self.hashing.run(move |hasher| hasher.matches(&pin, &hash)).await
    }
}

/// What came of a guess.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Whether the PIN is right and counts.
    pub valid: bool,
    /// Whether the buyer is locked out now.
    pub locked: bool,
}

/// Confirms a PIN: whether it is the buyer's. A match marks the PIN as confirmed, a mismatch as not.
///
/// # Errors
/// [`DomainError::NotFound`] and what hash and database give.
pub async fn confirm(domain: &Domain, uuid: String, pin: Pin) -> Result<bool, DomainError> {
    let row = read(domain, uuid).await?;
    let Some(hash) = row.pin else { return Ok(false) };
    let confirmed = domain.pins.matches(pin, hash.clone()).await?;
    let confirm =
        move |connection: &mut PgConnection| Ok(pin::confirm(connection, row.id, &hash, confirmed)?);
    let unchanged = domain.database.write::<_, DomainError, _>(confirm).await?;
    Ok(confirmed && unchanged)
}

/// Verifies a confirmed PIN. Every guess is counted before it is compared: however many come at once, no more are
/// compared than may be made.
///
/// # Errors
/// [`DomainError::NotFound`] and what hash and database give.
pub async fn verify(domain: &Domain, uuid: String, pin: Pin) -> Result<Verdict, DomainError> {
    let rules = domain.pins.rules();
    let now = domain.clock.now();
    let limit = rules.limit(now);
    let claim = move |connection: &mut PgConnection| {
        if let Some(claim) = pin::claim_guess(connection, &uuid, limit)? {
            return Ok(Ok(claim));
        }
        let row = buyer::by_uuid(connection, &uuid)?.ok_or(DomainError::NotFound)?;
        // A confirmed PIN was refused for a lock-out, even if a right guess has ended it since.
        Ok(Err(Verdict {
            valid: false,
            locked: row.pin.is_some() && row.pin_confirmed || rules.locks_out(&row, now),
        }))
    };
    let claim = match domain.database.write::<_, DomainError, _>(claim).await? {
        Ok(claim) => claim,
        Err(refused) => return Ok(refused),
    };
    let right = domain.pins.matches(pin, claim.pin.clone()).await?;
    // A comparison that took longer than a lock-out lasts must not end a later one.
    if !right || domain.clock.now() - now >= rules.window {
        return Ok(Verdict { valid: false, locked: claim.locked });
    }
    let succeed = move |connection: &mut PgConnection| Ok(pin::succeed(connection, claim.id, &claim.pin)?);
    let valid = domain.database.write::<_, DomainError, _>(succeed).await?;
    Ok(Verdict { valid, locked: claim.locked && !valid })
}

/// Confirms the new PIN of a reset: whether it is the buyer's new one. A match makes it the PIN. Not while the buyer
/// is locked out.
///
/// # Errors
/// [`DomainError::NotFound`] and what hash and database give.
pub async fn confirm_reset(domain: &Domain, uuid: String, pin: Pin) -> Result<bool, DomainError> {
    let row = read(domain, uuid).await?;
    let rules = domain.pins.rules();
    let now = domain.clock.now();
    let Some(hash) = row.new_pin.clone().filter(|_| !rules.locks_out(&row, now)) else { return Ok(false) };
    if !domain.pins.matches(pin, hash.clone()).await? {
        return Ok(false);
    }
    let over = rules.over(now);
    let replace = move |connection: &mut PgConnection| Ok(pin::replace(connection, row.id, &hash, over)?);
    domain.database.write(replace).await
}

async fn read(domain: &Domain, uuid: String) -> Result<BuyerRow, DomainError> {
    let read =
        move |connection: &mut PgConnection| buyer::by_uuid(connection, &uuid)?.ok_or(DomainError::NotFound);
    domain.database.read(read).await
}
