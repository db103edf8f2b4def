//! Walks the chains of the ledger, and finds the first entry that is not what was posted.

use std::collections::{BTreeMap, BTreeSet};

use diesel::PgConnection;
use thiserror::Error;

use super::chain::{self, GENESIS};
use crate::store::{
    StoreError,
    ledger::LedgerEntryRow,
    ledger_walk::{self, LedgerBalanceRow, LedgerChainRow},
};

/// How many entries are read at a time.
const BATCH: i64 = 1000;

/// Why the ledger is not whole, or is not known to be.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry is not what was posted.
    #[error("chain {chain}, entry {position}: {fault}")]
    Broken {
        /// Which chain.
        chain: i16,
        /// The entry's place in it, from 1.
        position: i64,
        /// What is wrong.
        fault: Fault,
    },
}

impl From<diesel::result::Error> for VerifyError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What is wrong with an entry.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Fault {
    /// There is none at this place, but there are others behind it.
    #[error("is missing")]
    Missing,
    /// It does not carry the hash of the entry before.
    #[error(
        "does not follow from the entry before: that one was changed, or one was taken out, added or moved"
    )]
    Previous,
    /// Its hash is not that of what it says.
    #[error("was changed: its hash is another")]
    Changed,
    /// It belongs to a set that does not begin where it says.
    #[error("does not belong to the set of the entries before it")]
    Set,
    /// The set that begins with it does not add up to zero.
    #[error("begins a set that does not add up to zero")]
    Unbalanced,
    /// The chain is said to end elsewhere, or with another hash.
    #[error("is the last, and the chain is said to end at {said}: its end was cut off, changed, or added to")]
    End {
        /// The place of the last entry as the chain has it; 0 when it has none.
        said: i64,
    },
    /// The balance that is kept of an account is not what the entries add up to.
    #[error("the balance of {account} in {currency} is kept as {kept}, and the entries add up to {sum}")]
    Balance {
        /// The account.
        account: String,
        /// The currency (ISO 4217).
        currency: String,
        /// What is kept, in minor units.
        kept: i64,
        /// What the entries add up to, in minor units.
        sum: i64,
    },
    /// The chain had another entry here when its end was noted down.
    #[error("is not the one that was noted down")]
    Noted,
}

/// Verifies all chains, each as of one moment, while the servers may go on posting. Gives their ends, by chain. `noted`
/// are ends that were given earlier: a chain must still go through them.
///
/// It keeps one batch of entries in memory, and one sum for each account.
///
/// # Errors
/// [`VerifyError`], with the first entry of a chain that is wrong.
pub fn verify(
    connection: &mut PgConnection,
    noted: &[LedgerChainRow],
) -> Result<Vec<LedgerChainRow>, VerifyError> {
    let mut chains: BTreeSet<i16> = ledger_walk::chains(connection)?.into_iter().collect();
    chains.extend(noted.iter().map(|end| end.chain));
    chains.into_iter().map(|chain| verify_chain(connection, chain, noted)).collect()
}

fn verify_chain(
    connection: &mut PgConnection,
    chain: i16,
    noted: &[LedgerChainRow],
) -> Result<LedgerChainRow, VerifyError> {
    // What is being posted meanwhile is seen wholly or not at all.
    connection.build_transaction().read_only().repeatable_read().run(|connection| {
        let noted = noted.iter().filter(|end| end.chain == chain && end.position > 0);
        let mut walk = Walk::new(chain, noted.map(|end| (end.position, &*end.hash)).collect());
        loop {
            let entries = ledger_walk::entries(connection, chain, walk.end.position, BATCH)?;
            if entries.is_empty() {
                break;
            }
            for entry in &entries {
                walk.step(entry)?;
            }
        }
        let end = ledger_walk::end_of(connection, chain)?;
        let balances = ledger_walk::balances(connection, chain)?;
        walk.finish(end, balances)
    })
}

/// How far a chain has been walked.
struct Walk<'a> {
    end: LedgerChainRow,
    /// The set of the last entry: where it begins, and its sums by currency.
    set: (i64, BTreeMap<String, i64>),
    sums: BTreeMap<(String, String), i64>,
    /// The hashes that entries had once, by place; several ends may have been noted.
    noted: Vec<(i64, &'a [u8])>,
}

impl<'a> Walk<'a> {
    fn new(chain: i16, noted: Vec<(i64, &'a [u8])>) -> Self {
        let end = LedgerChainRow { chain, position: 0, hash: GENESIS.to_vec() };
        Self { end, set: (0, BTreeMap::new()), sums: BTreeMap::new(), noted }
    }

    fn step(&mut self, entry: &LedgerEntryRow) -> Result<(), VerifyError> {
        let position = self.end.position + 1;
        if entry.position != position {
            return Err(self.broken(position, Fault::Missing));
        }
        if entry.previous_hash != self.end.hash {
            return Err(self.broken(position, Fault::Previous));
        }
        if entry.hash != chain::hash(entry) {
            return Err(self.broken(position, Fault::Changed));
        }
        if self.noted.iter().any(|&(noted, hash)| noted == position && hash != entry.hash) {
            return Err(self.broken(position, Fault::Noted));
        }
        self.add(entry)?;
        self.end.position = position;
        self.end.hash.clone_from(&entry.hash);
        Ok(())
    }

    fn add(&mut self, entry: &LedgerEntryRow) -> Result<(), VerifyError> {
        if entry.set_position == entry.position {
            self.check_set()?;
            self.set = (entry.position, BTreeMap::new());
        } else if entry.set_position != self.set.0 {
            return Err(self.broken(entry.position, Fault::Set));
        }
        let of_set = self.set.1.entry(entry.currency.clone()).or_default();
        *of_set = of_set.saturating_add(entry.amount_minor);
        let account = (entry.account.clone(), entry.currency.clone());
        let of_account = self.sums.entry(account).or_default();
        *of_account = of_account.saturating_add(entry.amount_minor);
        Ok(())
    }

    fn check_set(&self) -> Result<(), VerifyError> {
        let (position, sums) = &self.set;
        if sums.values().all(|&sum| sum == 0) {
            Ok(())
        } else {
            Err(self.broken(*position, Fault::Unbalanced))
        }
    }

    fn finish(
        self,
        end: Option<LedgerChainRow>,
        balances: Vec<LedgerBalanceRow>,
    ) -> Result<LedgerChainRow, VerifyError> {
        if end.as_ref() != Some(&self.end) {
            let said = end.map_or(0, |end| end.position);
            return Err(self.broken(self.end.position, Fault::End { said }));
        }
        self.check_set()?;
        if let Some(&(position, _)) = self.noted.iter().find(|(position, _)| *position > self.end.position) {
            return Err(self.broken(position, Fault::Noted));
        }
        self.check_balances(balances)?;
        Ok(self.end)
    }

    fn check_balances(&self, balances: Vec<LedgerBalanceRow>) -> Result<(), VerifyError> {
        let kept = balances.into_iter().map(|row| ((row.account, row.currency), row.balance_minor));
        let kept: BTreeMap<_, _> = kept.collect();
        for account in kept.keys().chain(self.sums.keys()) {
            let [kept, sum] = [&kept, &self.sums].map(|sums| sums.get(account).copied().unwrap_or_default());
            if kept != sum {
                let (account, currency) = account.clone();
                let fault = Fault::Balance { account, currency, kept, sum };
                return Err(self.broken(self.end.position, fault));
            }
        }
        Ok(())
    }

    fn broken(&self, position: i64, fault: Fault) -> VerifyError {
        VerifyError::Broken { chain: self.end.chain, position, fault }
    }
}
