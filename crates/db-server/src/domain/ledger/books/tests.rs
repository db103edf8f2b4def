//! Whatever is learnt in whatever order, the entries say what the rows say.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::domain::payment::{
    absorb::movements,
    machine::{Evidence, RefundEvidence},
};

const AMOUNT: i64 = 1000;

/// Something that is learnt about a payment.
#[derive(Clone, Debug)]
enum Step {
    Payment(Evidence),
    /// A refund is begun.
    Refund(i64),
    /// This is said of one of the refunds.
    Said(prop::sample::Index, RefundEvidence),
    Fee(i64, &'static str),
}

fn any_step() -> impl Strategy<Value = Step> {
    let evidence = prop_oneof![
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
    ];
    prop_oneof![
        4 => evidence.prop_map(Step::Payment),
        2 => (1..=AMOUNT).prop_map(Step::Refund),
        4 => (any::<prop::sample::Index>(), select(RefundEvidence::ALL)).prop_map(|(i, word)| Step::Said(i, word)),
        1 => (-50_i64..50, select(vec!["EUR", "USD"])).prop_map(|(fee, currency)| Step::Fee(fee, currency)),
    ]
}

/// A payment, its refunds and its entries, as absorb writes them.
#[derive(Clone)]
struct Books {
    payment: BookedPayment,
    refunds: Vec<BookedRefund>,
    /// What is known of each of them.
    known: Vec<RefundEvidence>,
    entries: Vec<EntrySum>,
}

impl Books {
    fn new() -> Self {
        let payment = BookedPayment {
            id: PaymentId(1),
            provider: Provider::Stripe,
            seller_id: SellerId(7),
            amount_minor: AMOUNT,
            currency: "EUR".into(),
            standing: PaymentStatus::Created,
            captured_minor: 0,
            settlement_declined_minor: 0,
            refunded_minor: 0,
            refunding_minor: 0,
            closed: false,
        };
        Self { payment, refunds: Vec::new(), known: Vec::new(), entries: Vec::new() }
    }

    fn after(steps: &[Step]) -> Self {
        let mut books = Self::new();
        for step in steps {
            books.step(step);
        }
        books
    }

    fn step(&mut self, step: &Step) {
        let before = known(&self.payment);
        let (after, refund) = match step {
            Step::Payment(evidence) => (before.with(*evidence).unwrap_or(before), None),
            Step::Refund(amount) => {
                let Ok(after) = before.reserving(*amount) else { return };
                let id = RefundId(i64::try_from(self.refunds.len()).unwrap() + 1);
                let standing = RefundStanding::Created;
                self.known.push(RefundEvidence::Created);
                self.refunds.push(BookedRefund {
                    id,
                    payment_id: PaymentId(1),
                    amount_minor: *amount,
                    standing,
                });
                (after, Some(id))
            }
            Step::Said(index, word) => {
                if self.refunds.is_empty() {
                    return;
                }
                let index = index.index(self.refunds.len());
                let (refund, best) = (&mut self.refunds[index], &mut self.known[index]);
                let next = (*best).max(*word);
                // What was given up may have gone back in another refund meanwhile.
                let moved = before.refund_moved(Some(refund.standing), next.standing(), refund.amount_minor);
                let Ok(after) = moved else { return };
                *best = next;
                refund.standing = next.standing();
                (after, Some(refund.id))
            }
            Step::Fee(fee, currency) => {
                let fee = Movement { kind: MovementKind::Fee, amount_minor: *fee };
                self.post(fee, None, currency);
                return;
            }
        };
        for movement in movements(&before, &after) {
            assert!(movement.amount_minor > 0);
            self.post(movement, refund, "EUR");
        }
        self.payment.standing = after.standing;
        self.payment.captured_minor = after.captured;
        self.payment.settlement_declined_minor = after.settlement_declined;
        self.payment.refunded_minor = after.refunded;
        self.payment.refunding_minor = after.refunding;
        self.payment.closed = after.closed;
    }

    fn post(&mut self, movement: Movement, refund: Option<RefundId>, currency: &str) {
        let BookedPayment { id: payment_id, provider, seller_id, .. } = self.payment;
        for &(debit, credit) in pairs(movement.kind) {
            for (account, sum_minor) in [(debit, movement.amount_minor), (credit, -movement.amount_minor)] {
                self.entries.push(EntrySum {
                    payment_id,
                    provider,
                    seller_id,
                    refund_id: refund,
                    movement: movement.kind,
                    account: account.name(provider, seller_id),
                    currency: currency.to_owned(),
                    sum_minor,
                });
            }
        }
    }

    fn differences(&self) -> Vec<Difference> {
        compare(&self.payment, &self.refunds, &self.entries)
    }

    fn captured() -> Self {
        let steps = [Step::Payment(Evidence::Captured(AMOUNT)), Step::Refund(300), Step::Fee(30, "EUR")];
        let mut books = Self::after(&steps);
        books.step(&Step::Said(proptest_index(), RefundEvidence::Succeeded));
        books
    }
}

/// The first of however many.
fn proptest_index() -> prop::sample::Index {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    any::<prop::sample::Index>().new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

proptest! {
    #[test]
    fn after_whatever_is_learnt_entries_and_rows_say_the_same(steps in vec(any_step(), 0..20)) {
        let mut books = Books::new();
        for step in &steps {
            books.step(step);
            prop_assert_eq!(books.differences(), Vec::new());
        }
        prop_assert_eq!(books.entries.iter().map(|entry| entry.sum_minor).sum::<i64>(), 0);
    }

    #[test]
    fn each_is_rebuilt_from_the_other(steps in vec(any_step(), 0..20)) {
        let books = Books::after(&steps);
        let of_rows = Amounts::of_payment(&known(&books.payment));
        let of_entries = Amounts::of_totals(|kind| total(&books.entries, kind, "EUR"));
        prop_assert_eq!(of_rows, of_entries);
        let mut found = Sums::new();
        for entry in books.entries.iter().filter(|entry| entry.movement != MovementKind::Fee) {
            *found.entry((entry.account.clone(), entry.currency.clone())).or_default() += entry.sum_minor;
        }
        found.retain(|_, sum| *sum != 0);
        prop_assert_eq!(sums(Provider::Stripe, SellerId(7), "EUR", &of_rows.movements()), found);
    }

    #[test]
    fn an_entry_that_is_changed_or_gone_is_a_difference(
        steps in vec(any_step(), 1..20),
        which in any::<prop::sample::Index>(),
        by in prop_oneof![-500_i64..0, 1_i64..500],
    ) {
        let books = Books::after(&steps);
        if !books.entries.is_empty() {
            let at = which.index(books.entries.len());
            let mut changed = books.clone();
            changed.entries[at].sum_minor += by;
            prop_assert_ne!(changed.differences(), Vec::new());
            let mut moved = books.clone();
            moved.entries[at].account.push('1');
            let mut gone = books;
            if gone.entries.remove(at).sum_minor != 0 {
                prop_assert_ne!(moved.differences(), Vec::new());
                prop_assert_ne!(gone.differences(), Vec::new());
            }
        }
    }
}

#[test]
fn what_differs_is_named() {
    let names = |change: fn(&mut Books)| {
        let mut books = Books::captured();
        change(&mut books);
        let differences = books.differences();
        differences.iter().map(|one| (one.subject.name(), one.rows, one.entries)).collect::<Vec<_>>()
    };
    let one = |name: &str, rows, entries| vec![(name.to_owned(), Some(rows), entries)];
    assert_eq!(names(|_| ()), []);
    assert_eq!(names(|books| books.payment.captured_minor = 900), one("captured", 900, 1000));
    assert_eq!(names(|books| books.payment.refunded_minor = 0), one("refunded", 0, 300));
    assert_eq!(names(|books| books.refunds[0].standing = RefundStanding::Pending), one("refund:1", 0, 300));
    assert_eq!(names(|books| books.refunds.clear()), one("refund:1", 0, 300));
    assert_eq!(names(|books| books.payment.closed = false), []);
    let fee_elsewhere = names(|books| {
        for entry in books.entries.iter_mut().filter(|entry| entry.account == "fees:stripe") {
            entry.account = "fees:paypal".into();
        }
    });
    let expected = [("account:fees:paypal", 0, 30), ("account:receivable:stripe", 700, 670)];
    assert_eq!(fee_elsewhere, expected.map(|(name, rows, entries)| (name.to_owned(), Some(rows), entries)));
}

#[test]
fn entries_of_another_seller_are_none_of_this_payments() {
    let mut books = Books::captured();
    for entry in &mut books.entries {
        entry.seller_id = SellerId(8);
    }
    assert_ne!(books.differences(), []);
}

#[test]
fn entries_of_nobody_are_told_with_what_was_taken() {
    let books = Books::captured();
    let difference = without_payment(PaymentId(1), &books.entries);
    assert_eq!((difference.subject, difference.rows, difference.entries), (Subject::Payment, None, AMOUNT));
}
