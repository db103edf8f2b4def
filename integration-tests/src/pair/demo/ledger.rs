//! The end of the demonstration: what the providers say was charged and refunded, as a table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::client::{Client, RequestError};
use actix_web::http::Method;

/// One line of the sandbox's ledger.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Entry {
    provider: String,
    kind: String,
    id: String,
    amount: String,
    currency: String,
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
    (("stripe", "charge"), 2),
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

/// The lines of the table.
pub(super) fn table(entries: &[Entry]) -> Vec<String> {
    let head = ["provider", "kind", "amount", "our reference", "the provider's id"].map(str::to_owned);
    let rows: Vec<[String; 5]> = entries.iter().map(Entry::cells).collect();
    let all: Vec<&[String; 5]> = std::iter::once(&head).chain(&rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3].map(width);
    let line = |row: &[String; 5]| {
        let [provider, kind, amount, reference, id] = row;
        let [a, b, c, d] = widths;
        format!("    {provider:<a$}  {kind:<b$}  {amount:>c$}  {reference:<d$}  {id}")
    };
    all.into_iter().map(line).collect()
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
    fn the_table_has_one_aligned_line_for_each_entry() {
        let lines = table(&[entry("stripe", "charge", "10.00"), entry("braintree", "refund", "1.00")]);
        assert_eq!(
            lines,
            [
                "    provider   kind       amount  our reference  the provider's id",
                "    stripe     charge  10.00 EUR  ours           id",
                "    braintree  refund   1.00 EUR  ours           id",
            ]
        );
    }

    #[test]
    fn entries_are_counted_by_provider_and_kind() {
        let entries =
            [entry("stripe", "charge", "1"), entry("stripe", "charge", "2"), entry("paypal", "refund", "1")];
        assert_eq!(counts(&entries), BTreeMap::from([(("stripe", "charge"), 2), (("paypal", "refund"), 1)]));
    }
}
