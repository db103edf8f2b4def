//! What holds for every sequence of events, in every order.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const AMOUNT: i64 = 1000;

const NEW: Known = Known {
    amount: AMOUNT,
    standing: Created,
    captured: 0,
    settlement_declined: 0,
    refunded: 0,
    refunding: 0,
    closed: false,
};

fn any_evidence() -> impl Strategy<Value = Evidence> {
    prop_oneof![
        select(vec![
            Evidence::RequiresAction,
            Evidence::Pending,
            Evidence::Failed,
            Evidence::Declined,
            Evidence::Authorized,
            Evidence::Voided,
            Evidence::LastCapture,
        ]),
        (0..=AMOUNT + 5).prop_map(Evidence::Captured),
        (0..=AMOUNT + 5).prop_map(Evidence::SettlementDeclined),
    ]
}

fn all(evidence: &[Evidence]) -> Known {
    evidence.iter().fold(NEW, |known, &evidence| known.with(evidence).unwrap_or(known))
}

/// One refund: how much, and what is said of it after it was begun.
type Story = (i64, Vec<RefundEvidence>);

fn any_refunds() -> impl Strategy<Value = Vec<Story>> {
    vec((1..=AMOUNT, vec(select(RefundEvidence::ALL), 0..4)), 0..8)
}

#[test]
fn the_table_has_every_state_once_in_the_order_of_their_numbers() {
    for (number, row) in (0_i16..).zip(&TABLE) {
        assert_eq!(row.standing.code(), number);
    }
    assert_eq!(TABLE.len() + 1, PaymentStatus::ALL.len());
}

#[test]
fn nothing_is_asked_about_a_payment_while_an_outcome_is_unknown() {
    let known = all(&[Evidence::Captured(AMOUNT)]);
    for &operation in PaymentOperationKind::ALL {
        assert_eq!(known.permits(Unknown, operation, 1), Err(Refusal::Unknown));
    }
    assert_eq!(known.permits(Captured, Refund, AMOUNT), Ok(()));
    assert_eq!(known.permits(Captured, Refund, AMOUNT + 1), Err(Refusal::AboveCaptured));
}

#[test]
fn an_authorization_is_captured_in_parts_until_the_last() {
    let held = all(&[Evidence::Authorized]);
    assert_eq!(held.permits(Authorized, Capture, AMOUNT + 1), Err(Refusal::AboveAuthorized));
    let part = held.with(Evidence::Captured(400)).unwrap();
    assert_eq!(part.permits(Captured, Capture, 600), Ok(()));
    assert_eq!(part.permits(Captured, Void, 0), Err(Refusal::Status));
    let last = part.with(Evidence::LastCapture).unwrap();
    assert_eq!(last.permits(Captured, Capture, 1), Err(Refusal::Status));
}

#[test]
fn more_than_was_asked_for_is_never_believed() {
    assert_eq!(NEW.with(Evidence::Captured(AMOUNT + 1)), Err(Refusal::TooMuch));
    assert_eq!(NEW.with(Evidence::SettlementDeclined(AMOUNT + 1)), Err(Refusal::TooMuch));
}

#[test]
fn money_that_the_provider_took_after_a_refusal_is_on_the_books() {
    for refusal in [Evidence::Declined, Evidence::Failed] {
        for order in [[refusal, Evidence::Captured(AMOUNT)], [Evidence::Captured(AMOUNT), refusal]] {
            assert_eq!((all(&order).standing, all(&order).captured), (Captured, AMOUNT));
        }
    }
}

#[test]
fn what_was_taken_and_did_not_come_in_has_failed_however_often_it_is_said_to_be_taken() {
    let (taken, lost) = (Evidence::Captured(AMOUNT), Evidence::SettlementDeclined(AMOUNT));
    for order in
        [vec![taken, lost], vec![lost, taken], vec![lost], vec![taken, lost, Evidence::Declined, taken]]
    {
        let known = all(&order);
        assert_eq!((known.standing, known.captured, known.taken()), (Failed, 0, AMOUNT));
        for &operation in PaymentOperationKind::ALL {
            assert_eq!(known.permits(Failed, operation, 1), Err(Refusal::Status));
        }
    }
}

#[test]
fn a_part_that_did_not_come_in_leaves_the_others_and_what_is_held() {
    let held = all(&[Evidence::Authorized, Evidence::Captured(300), Evidence::SettlementDeclined(300)]);
    assert_eq!((held.standing, held.captured, held.closed), (Authorized, 0, false));
    assert_eq!(held.permits(Authorized, Capture, 700), Ok(()));
    assert_eq!(held.permits(Authorized, Capture, 701), Err(Refusal::AboveAuthorized));
    assert_eq!(all(&[Evidence::SettlementDeclined(300), Evidence::Voided]).standing, Failed);
    let parts = held.with(Evidence::Captured(500)).unwrap();
    assert_eq!((parts.standing, parts.captured, parts.refundable()), (Captured, 200, 200));
}

#[test]
fn what_has_gone_back_of_what_did_not_come_in_has_gone_back_all_the_same() {
    let refunded = all(&[Evidence::Captured(AMOUNT)]).reserving(300).unwrap();
    let pending = refunded.with(Evidence::SettlementDeclined(AMOUNT)).unwrap();
    let moved = |to| pending.refund_moved(Some(RefundStanding::Created), to, 300).unwrap();
    let gone = moved(RefundStanding::Succeeded);
    assert_eq!((gone.captured, gone.refunded, gone.refunding), (0, 300, 0));
    assert_eq!((gone.standing, gone.reserving(1)), (Failed, Err(Refusal::AboveCaptured)));
    assert_eq!(moved(RefundStanding::Failed).refundable(), 0);
}

proptest! {
    #[test]
    fn the_order_of_events_makes_no_difference(
        evidence in vec(any_evidence(), 0..8),
        seed in any::<prop::sample::Index>(),
    ) {
        let known = all(&evidence);
        let mut other = evidence.clone();
        other.reverse();
        prop_assert_eq!(all(&other), known);
        if !other.is_empty() {
            let at = seed.index(other.len());
            other.rotate_left(at);
        }
        prop_assert_eq!(all(&other), known);
    }

    #[test]
    fn what_was_heard_before_changes_nothing(evidence in vec(any_evidence(), 0..8)) {
        let twice: Vec<_> = evidence.iter().chain(&evidence).copied().collect();
        prop_assert_eq!(all(&twice), all(&evidence));
    }

    #[test]
    fn a_final_state_is_left_only_for_what_the_provider_did_with_the_money(evidence in vec(any_evidence(), 0..12)) {
        let mut known = NEW;
        for evidence in evidence {
            let next = known.with(evidence).unwrap_or(known);
            let settled_otherwise = next.settlement_declined > known.settlement_declined;
            if is_final(known.standing) && next.standing != known.standing && !settled_otherwise {
                // A request that failed here may turn out to have been declined there: no money either way.
                let refused = known.standing == Failed && next.standing == Declined;
                prop_assert!(refused || [Authorized, Cancelled, Captured].contains(&next.standing));
                prop_assert!(strength(next.standing) > strength(known.standing));
            }
            prop_assert!(known.standing != Captured || next.standing == Captured || settled_otherwise);
            prop_assert!(next.taken() >= known.taken());
            known = next;
        }
    }

    #[test]
    fn amounts_stay_within_what_was_asked_for_and_taken(
        evidence in vec(any_evidence(), 0..8),
        refunds in any_refunds(),
    ) {
        let mut known = all(&evidence);
        for (amount, said) in refunds {
            let Ok(mut next) = known.reserving(amount) else { continue };
            let mut best = RefundEvidence::Created;
            for word in said {
                let stronger = best.max(word);
                // What was given up may have gone back in another refund meanwhile.
                let Ok(moved) = next.refund_moved(Some(best.standing()), stronger.standing(), amount) else {
                    continue;
                };
                (next, best) = (moved, stronger);
                prop_assert!(next.refunded >= 0 && next.refunding >= 0);
                prop_assert!(next.refunded + next.refunding <= next.taken());
                // Of what did not come in nothing more goes back.
                prop_assert!(next.refunded + next.refunding <= next.captured);
            }
            known = next;
        }
        prop_assert!(0 <= known.captured && 0 <= known.settlement_declined && known.taken() <= known.amount);
        prop_assert_eq!(known.captured > 0, known.standing == Captured);
    }

    #[test]
    fn a_refund_that_is_told_twice_moves_once(said in vec(select(RefundEvidence::ALL), 1..6)) {
        let known = all(&[Evidence::Captured(AMOUNT)]).reserving(300).unwrap();
        let told = |words: &[RefundEvidence]| {
            words.iter().fold((known, RefundEvidence::Created), |(known, best), &word| {
                let next = best.max(word);
                (known.refund_moved(Some(best.standing()), next.standing(), 300).unwrap(), next)
            })
        };
        let mut other: Vec<_> = said.iter().chain(&said).copied().collect();
        other.reverse();
        prop_assert_eq!(told(&other), told(&said));
    }
}
