//! Each row of the provider's against each state of our books.

use proptest::prelude::*;
use wire::payment::AttemptId;

use super::*;
use crate::store::reconcile::BookedAttempt;

fn money(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

fn movement(kind: MovementKind, reference: &str, payment: Option<&str>, minor_units: i64) -> Movement {
    Movement {
        kind,
        reference: reference.to_owned(),
        payment: payment.map(str::to_owned),
        attempt: None,
        amount: money(minor_units),
        fee: None,
        status: MovementStatus::Succeeded,
        at: "2026-01-02T03:04:05Z".to_owned(),
    }
}

fn payment(reference: Option<&str>, captures: &[&str]) -> BookedPayment {
    BookedPayment {
        id: PaymentId(1),
        uuid: Uuid::nil(),
        provider_reference: reference.map(str::to_owned),
        checkout_reference: None,
        captures: captures.iter().map(|capture| (*capture).to_owned()).collect(),
        captured_minor: 1000,
        currency: "EUR".to_owned(),
    }
}

fn of_payment(payment: BookedPayment) -> Known {
    Known { payments: vec![payment], ..Known::default() }
}

/// What comes of a row: the verdict, or none when it agrees or is a part.
fn verdict(movement: &Movement, known: &Known) -> Option<Verdict> {
    match decide(movement, known).0 {
        Decision::Agrees | Decision::Part(_) => None,
        Decision::Differs(row) => Some(row.verdict),
    }
}

#[test]
fn a_charge_is_of_the_payment_that_has_one_of_its_ids() {
    let charge = |reference, payment| movement(MovementKind::Charge, reference, payment, 1000);
    let missing = Some(Verdict::Missing);
    for (movement, payment, expected) in [
        // Charges with ids of their own, of which our books know only the payment's.
        (charge("ch_1", Some("pi_1")), payment(Some("pi_1"), &[]), None),
        (charge("ch_1", Some("pi_1")), payment(Some("pi_1"), &["pi_1"]), None),
        (charge("ch_1", Some("pi_2")), payment(Some("pi_1"), &[]), missing),
        // Captures that the list knows without their order.
        (charge("CAP1", None), payment(Some("ORDER1"), &["CAP1"]), None),
        (charge("CAP2", Some("ORDER1")), payment(Some("ORDER1"), &["CAP1"]), missing),
        // A sale that is its own capture, and a part of one.
        (charge("t1", Some("t1")), payment(Some("t1"), &[]), None),
        (charge("part", Some("t1")), payment(Some("t1"), &["part"]), None),
        (charge("part", Some("t1")), payment(Some("t1"), &["other"]), missing),
        (charge("t1", None), payment(None, &[]), missing),
    ] {
        let (decision, seen) = decide(&movement, &of_payment(payment.clone()));
        let found = match decision {
            Decision::Part(_) => None,
            Decision::Differs(row) => Some(row.verdict),
            Decision::Agrees => panic!("a charge of a payment is a part of it"),
        };
        assert_eq!(found, expected, "{movement:?} {payment:?}");
        assert_eq!(seen.is_some(), expected.is_none());
    }
    let mut checkout = payment(None, &[]);
    checkout.checkout_reference = Some("ORDER1".to_owned());
    assert_eq!(verdict(&charge("CAP1", Some("ORDER1")), &of_payment(checkout)), None);
}

#[test]
fn what_waits_for_an_outcome_is_open() {
    let mut pending = movement(MovementKind::Charge, "ch_1", Some("pi_1"), 1000);
    pending.status = MovementStatus::Pending;
    let known = of_payment(payment(Some("pi_1"), &[]));
    let (decision, seen) = decide(&pending, &known);
    assert!(matches!(decision, Decision::Differs(Row { verdict: Verdict::Open, .. })));
    assert_eq!(seen, Some(Seen::Payment(PaymentId(1))));
    // A capture that our books do not know yet.
    let capture = movement(MovementKind::Charge, "CAP2", Some("ORDER1"), 1000);
    let mut known = of_payment(payment(Some("ORDER1"), &["CAP1"]));
    assert_eq!(verdict(&capture, &known), Some(Verdict::Missing));
    known.unsettled.insert(PaymentId(1));
    assert_eq!(verdict(&capture, &known), Some(Verdict::Open));
}

#[test]
fn an_attempt_explains_a_row_only_while_its_outcome_is_not_known() {
    let attempt = AttemptId::new();
    for kind in [MovementKind::Charge, MovementKind::Refund] {
        let mut unknown = movement(kind, "x", None, 1000);
        unknown.attempt = Some(attempt);
        for (state, expected) in [
            (OperationState::Open, Verdict::Open),
            (OperationState::Unknown, Verdict::Open),
            (OperationState::Watching, Verdict::Open),
            (OperationState::Settled, Verdict::Missing),
        ] {
            let mut known = of_payment(payment(Some("pi_1"), &[]));
            known.attempts = vec![BookedAttempt { attempt: attempt.uuid(), payment_id: PaymentId(1), state }];
            let (decision, _) = decide(&unknown, &known);
            let Decision::Differs(row) = decision else { panic!("{state:?}") };
            assert_eq!((row.verdict, row.ours.is_some()), (expected, true), "{state:?}");
        }
    }
}

#[test]
fn a_refund_agrees_in_amount_currency_and_standing() {
    use MovementStatus::{Pending, Succeeded};
    for (standing, status, amount, currency, expected) in [
        (RefundStanding::Succeeded, Succeeded, 400, "EUR", None),
        (RefundStanding::Succeeded, Succeeded, 399, "EUR", Some(Verdict::WrongAmount)),
        (RefundStanding::Succeeded, Succeeded, 400, "USD", Some(Verdict::WrongAmount)),
        (RefundStanding::Succeeded, Succeeded, 400, "none", Some(Verdict::WrongAmount)),
        (RefundStanding::Succeeded, Pending, 400, "EUR", Some(Verdict::Open)),
        (RefundStanding::Created, Succeeded, 400, "EUR", Some(Verdict::Open)),
        (RefundStanding::Pending, Pending, 400, "EUR", Some(Verdict::Open)),
        (RefundStanding::Pending, Succeeded, 399, "EUR", Some(Verdict::WrongAmount)),
        (RefundStanding::Failed, Succeeded, 400, "EUR", Some(Verdict::Missing)),
        (RefundStanding::Failed, Pending, 400, "EUR", Some(Verdict::Open)),
    ] {
        let refund = BookedRefund {
            id: RefundId(1),
            uuid: Uuid::nil(),
            provider_reference: Some("re_1".to_owned()),
            amount_minor: amount,
            currency: currency.to_owned(),
            standing,
        };
        let known = Known { refunds: vec![refund], ..Known::default() };
        let mut listed = movement(MovementKind::Refund, "re_1", Some("pi_1"), 400);
        listed.status = status;
        assert_eq!(verdict(&listed, &known), expected, "{standing:?} {status:?} {amount} {currency}");
        listed.kind = MovementKind::Charge;
        assert_eq!(verdict(&listed, &known), Some(Verdict::Missing), "a charge is no refund");
    }
}

#[test]
fn a_transaction_of_an_older_path_agrees_as_a_whole() {
    use TransactionStatus::{Cancelled, Checked, Completed, Errored, Failed, Pending, Received, Started};
    for (status, amount, expected) in [
        (Completed, Some(1000), None),
        (Checked, Some(1000), None),
        (Checked, Some(999), Some(Verdict::WrongAmount)),
        (Checked, None, Some(Verdict::WrongAmount)),
        (Pending, Some(1000), Some(Verdict::Open)),
        (Received, Some(1000), Some(Verdict::Open)),
        (Started, Some(1000), Some(Verdict::Open)),
        (Failed, Some(1000), Some(Verdict::Missing)),
        (Cancelled, Some(1000), Some(Verdict::Missing)),
        (Errored, Some(999), Some(Verdict::Missing)),
    ] {
        for (kind, other, reference) in [
            (MovementKind::Charge, TransactionType::Refund, "t1"),
            (MovementKind::Charge, TransactionType::Refund, "pi_1"),
            (MovementKind::Refund, TransactionType::Payment, "t1"),
        ] {
            let mut transaction = BookedTransaction {
                id: TransactionId(1),
                uuid: "u".to_owned(),
                uid_support: Some(reference.to_owned()),
                kind: if other == TransactionType::Refund {
                    TransactionType::Payment
                } else {
                    TransactionType::Refund
                },
                status,
                amount_minor: amount,
                currency: Some("EUR".to_owned()),
            };
            let listed = movement(kind, "t1", Some("pi_1"), 1000);
            let known = |transaction| Known { transactions: vec![transaction], ..Known::default() };
            assert_eq!(verdict(&listed, &known(transaction.clone())), expected, "{status:?} {reference}");
            transaction.kind = other;
            assert_eq!(verdict(&listed, &known(transaction)), Some(Verdict::Missing));
        }
    }
}

proptest! {
    /// Whatever a provider lists, nothing of it agrees with books that are empty, and nothing is passed over.
    #[test]
    fn empty_books_agree_with_nothing(reference in "[a-z0-9]{1,20}", of in proptest::option::of("[a-z0-9]{1,20}"),
            amount in 1_i64..1_000_000, refund: bool, pending: bool, is_ours: bool) {
        let kind = if refund { MovementKind::Refund } else { MovementKind::Charge };
        let mut listed = movement(kind, &reference, of.as_deref(), amount);
        listed.status = if pending { MovementStatus::Pending } else { MovementStatus::Succeeded };
        listed.attempt = is_ours.then(AttemptId::new);
        prop_assert_eq!(verdict(&listed, &Known::default()), Some(Verdict::Missing));
        let asked = asked(&[listed]);
        prop_assert!(asked.references.contains(&reference));
        prop_assert_eq!((asked.references.len(), asked.attempts.len()), (1 + usize::from(of.is_some()), usize::from(is_ours)));
    }
}
