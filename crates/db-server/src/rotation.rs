//! Brings every encrypted value under the first keys while the servers run.
//!
//! It goes through each column in batches, each one short statement, and replaces a value only if it still is what was
//! read: what a client changes in between is never overwritten. A value under the first keys is left alone, so that a
//! run that was cut off is simply started again. Servers that have both keys read every value throughout.

use diesel::PgConnection;
use secrecy::ExposeSecret;

use crate::{
    crypt::{CryptError, EncryptionKeys},
    email::look_up_form,
    lookup::LookupKeys,
    store::{
        StoreError,
        rotation::{ENCRYPTED_COLUMNS, EncryptedColumn, EncryptedValue, LookUpForm, Replacement},
    },
};

/// How many values are read and replaced at a time.
const BATCH: i64 = 500;
/// How often a batch is tried that another transaction is in the way of.
const TRIES: u32 = 5;
/// How often the columns are gone through while something still writes under an old key.
const ROUNDS: u32 = 3;

/// What the values are to be under.
pub struct Rotation<'a> {
    /// The encryption keys, of which the first is meant.
    pub keys: &'a EncryptionKeys,
    /// The look-up keys, of which the first is meant.
    pub lookup: &'a LookupKeys,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// What is being done.
    pub step: &'a str,
    /// The key of the row that was last looked at.
    pub at: i64,
    /// The last key when it began.
    pub end: i64,
    /// How many values of the column have been rewritten in this round.
    pub rewritten: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// How many values were rewritten.
    pub rewritten: u64,
    /// How many are still under an old key, or are found by one.
    pub old: u64,
    /// How many no key decrypts.
    pub undecryptable: u64,
}

/// Rewrites what is not under the first keys, and then counts what still is not.
///
/// # Errors
/// [`StoreError`]; what has been rewritten stays.
pub fn rotate(
    connection: &mut PgConnection,
    rotation: &Rotation<'_>,
    observe: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary, StoreError> {
    let mut rewritten = 0;
    let mut round = 1;
    loop {
        rewritten += pass(connection, rotation, Step::Rewrite, observe)?.rewritten;
        let left = pass(connection, rotation, Step::Check, observe)?;
        if left.old == 0 || round == ROUNDS {
            return Ok(Summary { rewritten, ..left });
        }
        round += 1;
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Step {
    Rewrite,
    Check,
}

fn pass(
    connection: &mut PgConnection,
    rotation: &Rotation<'_>,
    step: Step,
    observe: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary, StoreError> {
    let mut sum = Summary::default();
    for column in &ENCRYPTED_COLUMNS {
        let end = column.last(connection)?;
        let (mut at, before) = (0, sum.rewritten);
        let step_name = if step == Step::Rewrite { "rewriting" } else { "checking" };
        let mut tell = |at, rewritten| {
            observe(Progress {
                table: column.table,
                column: column.column,
                step: step_name,
                at,
                end,
                rewritten,
            });
        };
        while let Some(last) = batch(connection, rotation, step, column, at, &mut sum)? {
            at = last;
            tell(at, sum.rewritten - before);
        }
        // The last value may have gone meanwhile, or there never was one.
        if at < end || end == 0 {
            tell(end, sum.rewritten - before);
        }
    }
    Ok(sum)
}

/// One batch after the key `at`: the last key in it, none when there is none.
fn batch(
    connection: &mut PgConnection,
    rotation: &Rotation<'_>,
    step: Step,
    column: &EncryptedColumn,
    at: i64,
    sum: &mut Summary,
) -> Result<Option<i64>, StoreError> {
    let mut tries = 1;
    loop {
        let values = column.page(connection, at, BATCH)?;
        let Some(last) = values.last().map(|value| value.id) else { return Ok(None) };
        let (replacements, undecryptable) = replacements(rotation, column, values, step);
        let found = u64::try_from(replacements.len()).unwrap_or(u64::MAX);
        let replaced = match step {
            Step::Rewrite if found > 0 => column.replace(connection, &replacements),
            Step::Rewrite | Step::Check => Ok(0),
        };
        match replaced {
            Ok(replaced) => {
                sum.rewritten += u64::try_from(replaced).unwrap_or(u64::MAX);
                sum.old += found;
                sum.undecryptable += undecryptable;
                return Ok(Some(last));
            }
            // Nothing has been done, and the next try reads again.
            Err(StoreError::Busy(_)) if tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// What of a batch is not under the first keys, and how many values no key decrypts.
fn replacements(
    rotation: &Rotation<'_>,
    column: &EncryptedColumn,
    values: Vec<EncryptedValue>,
    step: Step,
) -> (Vec<Replacement>, u64) {
    let mut undecryptable = 0;
    let mut found = Vec::new();
    for value in values {
        let id = value.id;
        match rotation.replacement(column, value) {
            Ok(replacement) => found.extend(replacement),
            Err(error) => {
                if step == Step::Check {
                    log::error!("{}.{} of row {id}: {error}", column.table, column.column);
                }
                undecryptable += 1;
            }
        }
    }
    (found, undecryptable)
}

impl Rotation<'_> {
    /// What a value is to become; nothing when it is under the first keys.
    fn replacement(
        &self,
        column: &EncryptedColumn,
        value: EncryptedValue,
    ) -> Result<Option<Replacement>, CryptError> {
        let EncryptedValue { id, token, hash } = value;
        let current = self.keys.is_current(&token);
        if current && column.found_by.is_none() {
            return Ok(None);
        }
        let text = self.keys.decrypt(&token)?;
        let wanted = column.found_by.map(|found_by| {
            let hash = match found_by.form {
                LookUpForm::Email => self.lookup.hash(&look_up_form(text.expose_secret())),
                LookUpForm::Text => self.lookup.hash(text.expose_secret()),
            };
            hash.as_bytes().to_vec()
        });
        if current && hash == wanted {
            return Ok(None);
        }
        let new = if current { token.clone() } else { self.keys.encrypt(text.expose_secret()) };
        Ok(Some(Replacement { id, old: token, new, hash: wanted }))
    }
}
