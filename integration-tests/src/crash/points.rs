//! Every named point at which a server can be made to die (`SOLITUDE_CRASH_AT`), each with what is going on there.

use wire::payment::Provider;

/// Which server passes a point.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// db-server.
    DbServer,
    /// provider-proxy.
    ProviderProxy,
}

/// What goes on when the server dies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flow {
    /// A payment is created and executed.
    Create,
    /// An authorized amount is taken.
    Capture,
    /// An authorization is given up.
    Cancel,
    /// Money goes back.
    Refund,
    /// A payer has agreed on the provider's page, and that is executed.
    Complete,
    /// A webhook has come.
    Inbox,
    /// A janitor asks what became of an operation.
    Janitor,
    /// An endpoint of webhooks out is told of events.
    Delivery,
}

/// One crash: where, and during what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Point {
    /// The name, as the source has it.
    pub name: &'static str,
    /// Who dies.
    pub program: Program,
    /// What goes on.
    pub flow: Flow,
    /// Whose payment it is.
    pub provider: Provider,
}

/// Gives the table to a macro: a name for its test, the point, the program, the flow, the provider.
#[macro_export]
macro_rules! crash_points {
    ($give_to:ident) => {
        $give_to! {
            create_begun, "create.begun", DbServer, Create, Stripe;
            create_begun_at_braintree, "create.begun", DbServer, Create, Braintree;
            create_begun_at_paypal, "create.begun", DbServer, Create, Paypal;
            create_begun_at_reference, "create.begun", DbServer, Create, Reference;
            create_answered, "create.answered", DbServer, Create, Stripe;
            create_answered_at_braintree, "create.answered", DbServer, Create, Braintree;
            create_answered_at_paypal, "create.answered", DbServer, Create, Paypal;
            create_answered_at_reference, "create.answered", DbServer, Create, Reference;
            create_settled, "create.settled", DbServer, Create, Stripe;
            capture_begun, "capture.begun", DbServer, Capture, Stripe;
            capture_answered, "capture.answered", DbServer, Capture, Stripe;
            capture_answered_at_braintree, "capture.answered", DbServer, Capture, Braintree;
            capture_answered_at_paypal, "capture.answered", DbServer, Capture, Paypal;
            capture_settled, "capture.settled", DbServer, Capture, Stripe;
            cancel_begun, "cancel.begun", DbServer, Cancel, Stripe;
            cancel_answered, "cancel.answered", DbServer, Cancel, Stripe;
            cancel_answered_at_braintree, "cancel.answered", DbServer, Cancel, Braintree;
            cancel_settled, "cancel.settled", DbServer, Cancel, Stripe;
            refund_begun, "refund.begun", DbServer, Refund, Stripe;
            refund_answered, "refund.answered", DbServer, Refund, Stripe;
            refund_answered_at_braintree, "refund.answered", DbServer, Refund, Braintree;
            refund_answered_at_paypal, "refund.answered", DbServer, Refund, Paypal;
            refund_settled, "refund.settled", DbServer, Refund, Stripe;
            complete_begun, "complete.begun", DbServer, Complete, Paypal;
            complete_answered, "complete.answered", DbServer, Complete, Paypal;
            complete_settled, "complete.settled", DbServer, Complete, Paypal;
            inbox_kept, "inbox.kept", DbServer, Inbox, Stripe;
            inbox_applied, "inbox.applied", DbServer, Inbox, Stripe;
            janitor_claimed, "janitor.claimed", DbServer, Janitor, Stripe;
            janitor_answered, "janitor.answered", DbServer, Janitor, Stripe;
            janitor_settled, "janitor.settled", DbServer, Janitor, Stripe;
            delivery_claimed, "delivery.claimed", DbServer, Delivery, Stripe;
            delivery_delivered, "delivery.delivered", DbServer, Delivery, Stripe;
            delivery_written, "delivery.written", DbServer, Delivery, Stripe;
            proxy_received, "proxy.received", ProviderProxy, Create, Stripe;
            proxy_received_in_a_refund, "proxy.received", ProviderProxy, Refund, Stripe;
            proxy_answered, "proxy.answered", ProviderProxy, Create, Stripe;
            proxy_answered_at_braintree, "proxy.answered", ProviderProxy, Create, Braintree;
            proxy_answered_in_a_capture, "proxy.answered", ProviderProxy, Capture, Stripe;
            proxy_answered_in_a_cancel, "proxy.answered", ProviderProxy, Cancel, Stripe;
            proxy_answered_in_a_refund, "proxy.answered", ProviderProxy, Refund, Stripe;
            proxy_answered_in_a_completion, "proxy.answered", ProviderProxy, Complete, Paypal;
        }
    };
}

macro_rules! table {
    ($($test:ident, $name:literal, $program:ident, $flow:ident, $provider:ident;)+) => {
        /// The table.
        pub const POINTS: &[Point] = &[$(Point {
            name: $name,
            program: Program::$program,
            flow: Flow::$flow,
            provider: Provider::$provider,
        }),+];
    };
}
crash_points!(table);

/// The names that a program passes while somebody buys, each once: those of deliveries are passed where an endpoint is
/// registered.
#[must_use]
pub fn names_of_purchases(program: Program) -> Vec<&'static str> {
    let is_of_deliveries =
        |name: &str| POINTS.iter().any(|point| point.name == name && point.flow == Flow::Delivery);
    let mut names = names(program);
    names.retain(|name| !is_of_deliveries(name));
    names
}

/// The names that a program passes, each once.
#[must_use]
pub fn names(program: Program) -> Vec<&'static str> {
    let mut names: Vec<_> =
        POINTS.iter().filter(|point| point.program == program).map(|point| point.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// The names in `crash::point("…")` below a folder.
    fn in_source(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                in_source(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let literals = text.split('"').skip(1).step_by(1);
                names.extend(literals.filter(|text| is_point(text)).map(ToOwned::to_owned));
            }
        }
    }

    /// Whether a text is of the form of a point's name.
    fn is_point(text: &str) -> bool {
        let flows =
            ["create", "capture", "cancel", "refund", "complete", "inbox", "janitor", "delivery", "proxy"];
        let steps = [
            "begun",
            "answered",
            "settled",
            "kept",
            "applied",
            "claimed",
            "received",
            "delivered",
            "written",
        ];
        text.split_once('.').is_some_and(|(flow, step)| flows.contains(&flow) && steps.contains(&step))
    }

    #[test]
    fn every_point_in_the_source_is_in_the_table_and_every_one_in_the_table_is_in_the_source() {
        for (program, folder) in
            [(Program::DbServer, "db-server"), (Program::ProviderProxy, "provider-proxy")]
        {
            let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
            let mut found = BTreeSet::new();
            in_source(&crates.join(folder).join("src"), &mut found);
            let listed: BTreeSet<_> = names(program).into_iter().map(ToOwned::to_owned).collect();
            assert_eq!(found, listed, "{folder}");
        }
    }
}
