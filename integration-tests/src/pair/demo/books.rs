//! db-server's own ledger, which must add up to zero and say of each provider what that provider says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::{Currency, Money, MoneyError};

use super::{super::steps::StepError, ledger::Entry, payments::Payments, table::table};

/// What db-server's ledger says.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Books {
    #[serde(rename(deserialize = "objects"))]
    balances: Vec<Balance>,
    totals: Vec<Total>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Balance {
    account: String,
    balance: String,
    currency: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Total {
    currency: String,
    total: String,
}

/// Amounts by provider and currency.
type Amounts = BTreeMap<(String, String), String>;

/// Reads the balances, whose totals must be zero, and tells them.
///
/// # Errors
/// [`StepError`] when they are not.
pub(super) async fn read(shop: &mut Payments<'_>) -> Result<Books, StepError> {
    const BALANCES: &str = "/ledger/balances/?limit=500";
    let called = shop.read(BALANCES.to_owned()).await?;
    let books: Result<Books, _> = serde_json::from_slice(&called.answer.body);
    let books = books.map_err(|error| shop.steps.error(BALANCES, error.to_string()))?;
    if books.totals.is_empty() || books.totals.iter().any(|total| total.total != "0.00") {
        return Err(shop.steps.error(BALANCES, format!("the totals are not zero: {:?}", books.totals)));
    }
    let totals: Vec<_> = books.totals.iter().map(|of| format!("{} {}", of.total, of.currency)).collect();
    let accounts = books.balances.len().to_string();
    shop.steps.tell(&called, &[("accounts", &accounts), ("sum", &totals.join(" and "))]);
    Ok(books)
}

/// The accounts that are not empty, as lines for a person.
pub(super) fn lines(books: &Books) -> Vec<String> {
    let used = books.balances.iter().filter(|of| of.balance != "0.00");
    let rows: Vec<_> =
        used.map(|of| [of.account.clone(), format!("{} {}", of.balance, of.currency)]).collect();
    table(["account", "balance"], &rows, &[1])
}

/// Compares what each provider owes us by our ledger with what it has charged less what it has given back by its own.
/// The reference provider's purchase is a transaction of the older API, and in no ledger of ours.
///
/// # Errors
/// A text with both when they differ.
pub(super) fn compare(books: &Books, entries: &[Entry]) -> Result<(), String> {
    let ours = receivable(books);
    let entries = entries.iter().filter(|entry| entry.provider != "reference");
    let theirs = charged(entries).map_err(|error| error.to_string())?;
    if ours == theirs {
        return Ok(());
    }
    Err(format!("db-server says that the providers owe {ours:?}, and they say {theirs:?}"))
}

fn receivable(books: &Books) -> Amounts {
    let of_provider = |of: &Balance| {
        let provider = of.account.strip_prefix("receivable:")?;
        Some(((provider.to_owned(), of.currency.clone()), of.balance.clone()))
    };
    books.balances.iter().filter_map(of_provider).collect()
}

fn charged<'a>(entries: impl Iterator<Item = &'a Entry>) -> Result<Amounts, MoneyError> {
    let mut sums = BTreeMap::<_, i64>::new();
    for Entry { provider, kind, amount, currency, .. } in entries {
        let amount = Money::parse(amount, Currency::parse(currency)?)?.minor_units;
        let sum = sums.entry((provider.clone(), currency.clone())).or_default();
        match kind.as_str() {
            "charge" => *sum += amount,
            "refund" => *sum -= amount,
            _ => {}
        }
    }
    let decimal = |(of, minor_units): ((String, String), i64)| {
        let currency = Currency::parse(&of.1)?;
        Ok((of, Money { minor_units, currency }.decimal()))
    };
    sums.into_iter().map(decimal).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn books(receivable: &str) -> Books {
        let balance =
            |account: &str, balance: &str| json!({"account": account, "balance": balance, "currency": "EUR"});
        let balances = [
            balance("holds:stripe", "0.00"),
            balance("payable:1", "-6.00"),
            balance("receivable:stripe", receivable),
        ];
        serde_json::from_value(json!({"objects": balances, "totals": []})).unwrap()
    }

    fn entries() -> Vec<Entry> {
        let entry = |provider: &str, kind: &str, amount: &str| {
            json!({
                "provider": provider, "kind": kind, "id": "x", "amount": amount, "currency": "EUR",
                "reference": "y", "at": "2026-01-02T03:04:05Z",
            })
        };
        let entries = [
            entry("reference", "charge", "0.99"),
            entry("stripe", "charge", "10.00"),
            entry("stripe", "void", "3.00"),
            entry("stripe", "refund", "4.00"),
        ];
        serde_json::from_value(json!(entries)).unwrap()
    }

    #[test]
    fn ours_is_compared_with_what_was_charged_less_what_was_given_back() {
        compare(&books("6.00"), &entries()).unwrap();
        let error = compare(&books("10.00"), &entries()).unwrap_err();
        assert!(error.contains("10.00") && error.contains("6.00"), "{error}");
        compare(&books("6.00"), &entries()[..1]).unwrap_err();
    }

    #[test]
    fn empty_accounts_are_left_out_of_the_table() {
        assert_eq!(
            lines(&books("6.00")),
            [
                "    account              balance",
                "    payable:1          -6.00 EUR",
                "    receivable:stripe   6.00 EUR"
            ]
        );
    }
}
