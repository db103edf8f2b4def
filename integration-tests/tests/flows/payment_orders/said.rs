//! What the API asks for and what the provider says, as facts and as events.

use std::sync::atomic::{AtomicUsize, Ordering};

use db_server::{
    domain::payment::{Fact, Refused},
    store::payment_code::PaymentOperationKind::{
        self, Authorize, Capture, CompleteCheckout, Refund, StartCheckout, Void,
    },
};
use uuid::Uuid;
use wire::{
    Currency, Money,
    payment::{
        Action, Advice, AttemptId, Captured, Checkout, Decline, Event, EventKind, Outcome, Payment, Provider,
        Refunded,
    },
};

use super::Api;

/// What is paid, in minor units.
pub const AMOUNT: i64 = 1000;

/// Something that the API asks of the provider.
#[derive(Clone, Debug)]
pub struct Asked {
    pub kind: PaymentOperationKind,
    pub number: u128,
    pub amount: Option<i64>,
    pub last: bool,
}

const fn asked(kind: PaymentOperationKind, number: u128, amount: Option<i64>, last: bool) -> Asked {
    Asked { kind, number, amount, last }
}

pub fn authorize() -> Asked {
    asked(Authorize, 1, Some(AMOUNT), false)
}

pub fn checkout() -> Asked {
    asked(StartCheckout, 2, Some(AMOUNT), false)
}

pub fn complete() -> Asked {
    asked(CompleteCheckout, 3, Some(AMOUNT), false)
}

pub fn void() -> Asked {
    asked(Void, 4, None, false)
}

pub fn capture(number: u128, amount: i64, last: bool) -> Asked {
    asked(Capture, 10 + number, Some(amount), last)
}

pub fn refund(number: u128, amount: i64) -> Asked {
    asked(Refund, 20 + number, Some(amount), false)
}

pub fn begin(asked: Asked) -> Api {
    Box::new(move |books| books.begin(&asked))
}

impl Asked {
    /// The attempt; the same in every order of a scenario.
    pub fn attempt(&self) -> AttemptId {
        let uuid = Uuid::from_u128(0x0192_f0c1_8f5e_7abc_8def_0000_0000_0000 + self.number);
        AttemptId::try_from(uuid).unwrap()
    }

    /// The provider's answer about the payment.
    pub fn answers(self, outcome: Outcome<Payment>) -> Api {
        Box::new(move |books| {
            let operation = Some(books.operation(&self));
            books.absorb(Fact::Payment { operation, outcome: outcome.clone() });
        })
    }

    /// What a look at the payment shows.
    pub fn shows(self, outcome: Outcome<Payment>) -> Api {
        Box::new(move |books| books.absorb(Fact::Payment { operation: None, outcome: outcome.clone() }))
    }

    /// No answer.
    pub fn has_no_answer(self) -> Api {
        Box::new(move |books| {
            let operation = books.operation(&self);
            books.absorb(Fact::Unknown { operation, why: None });
        })
    }

    /// Nothing is found of it where it should be, and we give it up.
    pub fn given_up(self) -> Api {
        Box::new(move |books| {
            let operation = books.operation(&self);
            let refusal = Refused {
                code: "not_found".to_owned(),
                message: "The provider knows of nothing.".to_owned(),
            };
            books.absorb(Fact::NotDone { operation, refusal, why: None });
        })
    }

    pub fn answers_with_page(self) -> Api {
        Box::new(move |books| {
            let url = "https://provider.example.test/page".to_owned();
            let result = Checkout { reference: "pi_1".to_owned(), status: "created".to_owned(), url };
            let operation = books.operation(&self);
            books.absorb(Fact::Checkout { operation, outcome: Outcome::Succeeded { result } });
        })
    }

    pub fn answers_captured(self) -> Api {
        self.answers_capture(succeeded)
    }

    /// The provider's answer about a capture.
    pub fn answers_capture(self, outcome: fn(Captured) -> Outcome<Captured>) -> Api {
        Box::new(move |books| {
            let reference = format!("c{}", self.number - 10);
            let amount = eur(self.amount.unwrap());
            let result =
                Captured { reference, status: "said".to_owned(), amount, settlement_declined: false };
            let operation = books.operation(&self);
            books.absorb(Fact::Capture { operation, outcome: outcome(result) });
        })
    }

    /// The provider's answer about a refund.
    pub fn refunds(self, outcome: fn(Refunded) -> Outcome<Refunded>) -> Api {
        Box::new(move |books| {
            let operation = Some(books.operation(&self));
            books.absorb(Fact::Refund { operation, outcome: outcome(self.refunded()) });
        })
    }

    fn refunded(&self) -> Refunded {
        Refunded {
            reference: format!("re_{}", self.number),
            attempt: Some(self.attempt()),
            status: "said".to_owned(),
            amount: eur(self.amount.unwrap()),
        }
    }
}

fn eur(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

/// The payment, of which so much is taken.
pub fn payment(captured: i64) -> Payment {
    let captures = match captured {
        300 => vec!["c1"],
        600 => vec!["c1", "c2"],
        800 => vec!["c1", "c2", "c3"],
        _ => Vec::new(),
    };
    Payment {
        reference: "pi_1".to_owned(),
        attempt: None,
        status: "said".to_owned(),
        amount: eur(AMOUNT),
        captured,
        settlement_declined: 0,
        refunded: None,
        voided: false,
        captures: captures.into_iter().map(ToOwned::to_owned).collect(),
        payment_method: None,
    }
}

pub fn succeeded<T>(result: T) -> Outcome<T> {
    Outcome::Succeeded { result }
}

pub fn pending<T>(result: T) -> Outcome<T> {
    Outcome::Pending { result }
}

pub fn requires_action(result: Payment, data: &str) -> Outcome<Payment> {
    Outcome::RequiresAction { action: Action { url: None, data: Some(data.into()) }, result }
}

pub fn declined<T>(result: T, code: &str) -> Outcome<T> {
    let (code, message) = (code.to_owned(), "no".to_owned());
    let decline = Decline { code, message, advice: Advice::OtherMethod };
    Outcome::Declined { decline, result: Some(result) }
}

pub fn capture_fails(result: Captured) -> Outcome<Captured> {
    declined(result, "DECLINED")
}

/// The payment, of which so much did not come in after it had been taken.
pub fn settlement_declined(of: Payment, amount: i64, code: &str) -> Outcome<Payment> {
    declined(Payment { captured: of.captured - amount, settlement_declined: amount, ..of }, code)
}

/// A part of the payment that did not come in after it had been taken.
pub fn part_not_settled(part: Payment) -> Outcome<Payment> {
    let amount = part.amount.minor_units;
    declined(Payment { captured: 0, settlement_declined: amount, ..part }, "4001")
}

pub fn refund_fails(result: Refunded) -> Outcome<Refunded> {
    declined(result, "expired_or_canceled_card")
}

pub fn unknown() -> Outcome<Payment> {
    Outcome::Unknown { reason: "no answer".to_owned() }
}

/// The payment after two captures were asked for, of which so much is taken.
pub fn of_two_captures(captured: i64) -> Outcome<Payment> {
    succeeded(Payment { captures: vec!["c1".to_owned(), "c2".to_owned()], ..payment(captured) })
}

/// An event about a capture that is a payment of its own at the provider.
pub fn part_event(asked: &Asked, outcome: fn(Payment) -> Outcome<Payment>) -> Event {
    let amount = eur(asked.amount.unwrap());
    let taken = outcome(payment(0)).name() == "succeeded";
    let captured = if taken { amount.minor_units } else { 0 };
    let part = Payment { reference: format!("c{}", asked.number - 10), amount, ..payment(captured) };
    let part = Payment { captures: Vec::new(), ..part };
    Event { attempt: Some(asked.attempt()), ..event("part", outcome(part)) }
}

/// An event about the payment that `authorize` has made.
pub fn event(kind: &str, outcome: Outcome<Payment>) -> Event {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    Event {
        id: format!("evt_{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        provider: Provider::Stripe,
        kind: EventKind::Payment,
        provider_kind: kind.to_owned(),
        occurred: None,
        attempt: Some(authorize().attempt()),
        payment_reference: Some("pi_1".to_owned()),
        payment: Some(outcome),
        refund: None,
        subscription: None,
        body: serde_json::Value::Null,
    }
}

pub fn refund_event(asked: &Asked, outcome: fn(Refunded) -> Outcome<Refunded>) -> Event {
    Event {
        kind: EventKind::Refund,
        attempt: Some(asked.attempt()),
        payment: None,
        refund: Some(outcome(asked.refunded())),
        ..event("refund", unknown())
    }
}

/// The same without our attempt: what was made is known by the provider's ids only.
pub fn known_by_reference(mut event: Event) -> Event {
    event.attempt = None;
    event
}
