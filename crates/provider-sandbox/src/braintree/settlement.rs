//! What only a sandbox has: settlement on request, `PUT …/settle` and its like.

use super::answer::{Answer, Handled};
use super::books::Books;
use super::notification::Notification;
use super::processor;
use super::refusal::{Fault, Refusal};
use super::transaction::{Kind, Status};

/// How a settlement is to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    Settled,
    Declined,
    Confirmed,
    Pending,
    /// On its way; only the test's side asks for it.
    Settling,
}

impl Wanted {
    /// The last part of a path of the test's side.
    pub(super) fn asked(name: &str) -> Option<Self> {
        if name == "settling" { Some(Self::Settling) } else { Self::named(name) }
    }

    /// The last part of the path.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "settle" => Some(Self::Settled),
            "settlement_decline" => Some(Self::Declined),
            "settlement_confirm" => Some(Self::Confirmed),
            "settlement_pending" => Some(Self::Pending),
            _ => None,
        }
    }
}

/// Moves a transaction that was submitted for settlement to its end. Tells `transaction_settled`,
/// `transaction_settlement_declined` or, of a refund, `refund_failed`.
pub(super) fn settle(books: &mut Books, id: &str, wanted: Wanted) -> Handled {
    let transaction = books.transaction_mut(id).ok_or(Refusal::NotFound)?;
    let open = matches!(
        transaction.status,
        Status::SubmittedForSettlement | Status::Settling | Status::SettlementConfirmed
    );
    let pending = transaction.status == Status::SettlementPending && transaction.links.parts.is_empty();
    if !open && !pending {
        let message = "Cannot simulate settlement unless the transaction is submitted for settlement.";
        return Err(Fault::new(&["transaction"], "base", "91575", message).into());
    }
    let declines = processor::declines_settlement(transaction.account.whole(transaction.amount));
    let wanted = if wanted == Wanted::Settled && declines { Wanted::Declined } else { wanted };
    let (status, code) = match wanted {
        Wanted::Settled => (Status::Settled, Some(4000)),
        Wanted::Declined => (Status::SettlementDeclined, Some(4001)),
        Wanted::Confirmed => (Status::SettlementConfirmed, Some(4000)),
        Wanted::Pending => (Status::SettlementPending, Some(4002)),
        Wanted::Settling => (Status::Settling, None),
    };
    transaction.settlement_code = code;
    transaction.become_status(status);
    let transaction = transaction.clone();
    let kind = match (wanted, transaction.kind) {
        (Wanted::Settled, _) => Some("transaction_settled"),
        (Wanted::Declined, Kind::Sale) => Some("transaction_settlement_declined"),
        (Wanted::Declined, Kind::Credit) => Some("refund_failed"),
        (Wanted::Confirmed | Wanted::Pending | Wanted::Settling, _) => None,
    };
    if wanted == Wanted::Declined {
        // What was counted as moved when it was submitted has not moved.
        books.effects.record(crate::ledger::Kind::Void, &transaction);
    }
    if let Some(kind) = kind {
        books.effects.tell(Notification::new(kind, transaction.show()));
    }
    Ok(Answer::shown(transaction.show()))
}
