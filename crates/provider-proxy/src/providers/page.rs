//! The tables of capabilities as a page of the documentation.

use std::fmt::Write as _;

use wire::payment::{OperationName, Provider};

use super::{Row, capabilities};

const HEAD: &str = "\
# What each provider offers

Written by `./dev capabilities` from the code (`provider-proxy capabilities` prints it); a test compares. An operation
without a yes is answered with 501 and the kind `unsupported`, and nothing is sent. `GET /v1/providers` on provider-proxy
says the same, and which providers are configured.

";

/// The page `docs/providers/capabilities.md`.
#[must_use]
pub fn capabilities_page() -> String {
    let mut page = HEAD.to_owned();
    row(&mut page, "Operation", |provider| provider.name().to_owned());
    row(&mut page, "---", |_| "---".to_owned());
    for operation in OperationName::ALL {
        row(&mut page, &format!("`{operation}`"), |provider| {
            let supported = find(provider, operation).is_some_and(|row| row.supported);
            if supported { "yes" } else { "no" }.to_owned()
        });
    }
    for provider in Provider::ALL {
        let _ = write!(page, "\n## {provider}\n\n| Operation | | Note |\n| --- | --- | --- |\n");
        for Row { operation, supported, note } in capabilities(provider) {
            let offered = if *supported { "yes" } else { "no" };
            let _ = writeln!(page, "| `{operation}` | {offered} | {} |", note.replace('|', "\\|"));
        }
    }
    page
}

fn row(page: &mut String, first: &str, cell: impl Fn(Provider) -> String) {
    let cells = Provider::ALL.map(cell).join(" | ");
    let _ = writeln!(page, "| {first} | {cells} |");
}

fn find(provider: Provider, operation: OperationName) -> Option<&'static Row> {
    capabilities(provider).iter().find(|row| row.operation == operation)
}
