//! The end of the demonstration: what the providers say was charged and refunded.

use std::collections::BTreeMap;

use actix_web::http::Method;
use serde::{Deserialize, Serialize};

use super::table::table;
use crate::client::{Client, RequestError};

/// One line of the sandbox's ledger.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Entry {
    pub(super) provider: String,
    pub(super) kind: String,
    id: String,
    pub(super) amount: String,
    pub(super) currency: String,
    reference: String,
    at: String,
}

/// Reads the sandbox's ledger.
///
/// # Errors
/// [`RequestError`] when the sandbox does not answer. What is no ledger is read as an empty one.
pub(super) async fn read(sandbox: &str) -> Result<Vec<Entry>, RequestError> {
    let answer = Client::unsigned(sandbox).request(Method::GET, "/_sandbox/ledger").send().await?;
    Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
}

/// What each provider's lines must be after the demonstration: nothing was charged twice, and no decline charged.
const EXPECTED: [((&str, &str), usize); 7] = [
    (("braintree", "charge"), 1),
    (("braintree", "refund"), 1),
    (("paypal", "charge"), 1),
    (("paypal", "refund"), 1),
    (("reference", "charge"), 1),
    (("stripe", "charge"), 3),
    (("stripe", "refund"), 1),
];

/// Compares the ledger with what the demonstration did; says what it holds when they differ.
pub(super) fn check(entries: &[Entry]) -> Result<(), String> {
    let counts = counts(entries);
    if counts == BTreeMap::from(EXPECTED) { Ok(()) } else { Err(format!("unexpected lines: {counts:?}")) }
}

/// How many lines of each kind each provider has.
fn counts(entries: &[Entry]) -> BTreeMap<(&str, &str), usize> {
    let mut counts = BTreeMap::new();
    for entry in entries {
        *counts.entry((entry.provider.as_str(), entry.kind.as_str())).or_default() += 1;
    }
    counts
}

/// The ledger as lines for a person.
pub(super) fn lines(entries: &[Entry]) -> Vec<String> {
    let head = ["provider", "kind", "amount", "our reference", "the provider's id"];
    let rows: Vec<_> = entries.iter().map(Entry::cells).collect();
    table(head, &rows, &[2])
}

impl Entry {
    fn cells(&self) -> [String; 5] {
        let Self { provider, kind, id, amount, currency, reference, at: _ } = self;
        let amount = format!("{amount} {currency}");
        [provider.clone(), kind.clone(), amount, reference.clone(), id.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(provider: &str, kind: &str, amount: &str) -> Entry {
        let [id, currency, reference, at] = ["id", "EUR", "ours", "2026-01-02T03:04:05Z"].map(str::to_owned);
        let [provider, kind, amount] = [provider, kind, amount].map(str::to_owned);
        Entry { provider, kind, id, amount, currency, reference, at }
    }

    #[test]
    fn entries_are_counted_by_provider_and_kind() {
        let entries =
            [entry("stripe", "charge", "1"), entry("stripe", "charge", "2"), entry("paypal", "refund", "1")];
        assert_eq!(counts(&entries), BTreeMap::from([(("stripe", "charge"), 2), (("paypal", "refund"), 1)]));
    }
}
