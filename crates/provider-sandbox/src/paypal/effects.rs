//! What follows from a change in the books: lines of the ledger and webhooks.

use super::payment::{Authorization, Capture, Refund};
use super::state::Paypal;
use super::webhook;
use crate::ledger::{Entry, Kind};
use crate::provider::Provider;

/// Collected while the books are locked, told afterwards.
#[derive(Default)]
pub(super) struct Effects {
    entries: Vec<Entry>,
    events: Vec<webhook::Event>,
}

impl Effects {
    /// Money was captured.
    pub(super) fn charged(&mut self, capture: &Capture) {
        self.entry(Kind::Charge, &capture.id, capture.amount, &capture.reference, capture.updated);
    }

    /// Money went back.
    pub(super) fn refunded(&mut self, refund: &Refund) {
        self.entry(Kind::Refund, &refund.id, refund.amount, &refund.reference, refund.updated);
    }

    /// An authorization was given up.
    pub(super) fn voided(&mut self, authorization: &Authorization, reference: &str) {
        self.entry(Kind::Void, &authorization.id, authorization.amount, reference, authorization.updated);
    }

    /// Something to tell.
    pub(super) fn event(&mut self, event: webhook::Event) {
        self.events.push(event);
    }

    fn entry(
        &mut self,
        kind: Kind,
        id: &str,
        amount: super::amount::Amount,
        reference: &str,
        at: chrono::DateTime<chrono::Utc>,
    ) {
        self.entries.push(Entry {
            provider: Provider::Paypal,
            kind,
            id: id.to_owned(),
            amount: amount.decimal(),
            currency: amount.currency().to_owned(),
            reference: reference.to_owned(),
            at,
        });
    }

    /// Tells all of it.
    pub(super) fn tell(self, paypal: &Paypal) {
        for entry in self.entries {
            paypal.shared.ledger.record(entry);
        }
        for event in self.events {
            paypal.shared.deliveries.announce(event.announce(paypal));
        }
    }
}
