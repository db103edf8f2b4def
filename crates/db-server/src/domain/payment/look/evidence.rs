//! Whether what a provider answers to a request that is sent again says what has become of the first.

use wire::payment::Outcome;

use crate::domain::payment::Fact;

/// Statuses with which a provider refuses a request after it has looked whether it knows it. Others, such as 401 and
/// 429, come before that, and say nothing about an earlier request with the same attempt.
const CONSIDERED: [u16; 3] = [400, 402, 422];

/// Whether the answer to a request that was sent before says what has become of that. That this one was not sent says
/// nothing, and neither does a refusal that comes before the provider looks whether it knows it.
pub(super) fn is_evidence(fact: &Fact) -> bool {
    match fact {
        Fact::Payment { outcome, .. } => says(outcome),
        Fact::Checkout { outcome, .. } => says(outcome),
        Fact::Capture { outcome, .. } => says(outcome),
        Fact::Refund { outcome, .. } => says(outcome),
        Fact::NotDone { .. } | Fact::Unknown { .. } => false,
    }
}

fn says<T>(outcome: &Outcome<T>) -> bool {
    match outcome {
        Outcome::Rejected { rejection } => CONSIDERED.contains(&rejection.status),
        Outcome::Unknown { .. } => false,
        Outcome::Succeeded { .. }
        | Outcome::RequiresAction { .. }
        | Outcome::Pending { .. }
        | Outcome::Declined { .. } => true,
    }
}
