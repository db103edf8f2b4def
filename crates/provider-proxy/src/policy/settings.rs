//! `[policy]`, `[callers.NAME.policy]`, and the operations that `[providers.NAME]` lists.

use std::{collections::BTreeMap, path::PathBuf};

use chassis::settings::Section;
use wire::{Currency, Money};

use super::Limits;

/// What `[policy]` says.
#[derive(Clone, Debug, Default)]
pub struct PolicySettings {
    /// Where refunds are written down, so that the windows outlast a restart.
    pub state_file: Option<PathBuf>,
    /// The limits of callers without a client certificate.
    pub limits: Limits,
    /// What these may ask for.
    pub operations: Allowed,
}

/// Which operations are performed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Allowed(Option<Vec<String>>);

impl Allowed {
    /// Reads the list `operations`; without it, all are.
    #[must_use]
    pub fn read(section: &Section, is_operation: impl Fn(&str) -> bool, expected: &str) -> Self {
        let listed: Option<Vec<String>> = section.optional("operations");
        for name in listed.iter().flatten().filter(|name| !is_operation(name)) {
            section.fault("operations", format!("{name}: expected {expected}"));
        }
        Self(listed)
    }

    /// Whether the operation of a provider is listed as itself, as `PROVIDER/OPERATION`, `PROVIDER/*` or `*`.
    #[must_use]
    pub fn contains(&self, provider: &str, operation: &str) -> bool {
        let Some(listed) = &self.0 else { return true };
        listed.iter().any(|allowed| match allowed.split_once('/') {
            None => allowed == "*" || allowed == operation,
            Some((of, named)) => of == provider && (named == "*" || named == operation),
        })
    }
}

impl PolicySettings {
    /// Reads `[policy]`.
    #[must_use]
    pub fn read(section: &Section, is_operation: impl Fn(&str) -> bool) -> Self {
        let expected = "\"*\", \"PROVIDER/*\" or \"PROVIDER/OPERATION\"";
        Self {
            state_file: section.output("state_file"),
            limits: Limits::read(section),
            operations: Allowed::read(section, is_operation, expected),
        }
    }
}

impl Limits {
    /// Reads `largest_payment`, `largest_refund`, `refunds_per_hour` and `refunded_per_day`; none by default.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        Self {
            largest_payment: read_amounts(section, "largest_payment"),
            largest_refund: read_amounts(section, "largest_refund"),
            refunds_per_hour: section.optional("refunds_per_hour"),
            refunded_per_day: read_amounts(section, "refunded_per_day"),
        }
    }
}

/// A table of amounts by currency, such as `EUR = "100.00"`.
fn read_amounts(section: &Section, key: &str) -> Option<BTreeMap<Currency, i64>> {
    let table = section.section(key);
    let mut amounts = BTreeMap::new();
    for code in table.children() {
        let text: String = table.required(&code);
        match Currency::parse(&code).and_then(|currency| Money::parse(&text, currency)) {
            Ok(Money { minor_units, currency }) => drop(amounts.insert(currency, minor_units)),
            Err(error) => table.fault(&code, error.to_string()),
        }
    }
    table.is_present().then_some(amounts)
}
