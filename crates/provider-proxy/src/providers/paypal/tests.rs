//! Each operation against recorded answers: what is sent, and what becomes of what comes back.

mod answers;
mod failures;
mod movements;
mod parsers;
mod requests;
mod tokens;

use wire::{
    Currency, Money,
    payment::{
        AttemptId, Authorize, Capture, CompleteCheckout, Lookup, LookupBy, Refund, Source, StartCheckout,
        Void,
    },
};

/// The attempt of the recorded orders.
const ATTEMPT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn attempt() -> AttemptId {
    ATTEMPT.parse().unwrap()
}

fn euro(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

fn start(capture: bool) -> StartCheckout {
    StartCheckout {
        attempt: attempt(),
        amount: euro(1000),
        capture,
        return_url: "https://shop.example/return".into(),
        cancel_url: "https://shop.example/cancel".into(),
        description: Some("A book".into()),
        product: None,
    }
}

fn complete(amount: i64, capture: bool) -> CompleteCheckout {
    CompleteCheckout { attempt: attempt(), checkout: "ORDER1".into(), amount: euro(amount), capture }
}

fn authorize(token: &str, capture: bool) -> Authorize {
    Authorize {
        attempt: attempt(),
        amount: euro(1000),
        source: Source::PaymentMethod { token: token.into(), customer: None },
        capture,
        description: None,
        return_url: None,
        metadata: Default::default(),
    }
}

fn capture(last: bool) -> Capture {
    Capture { attempt: attempt(), payment: "ORDER1".into(), amount: euro(1000), last }
}

fn void() -> Void {
    Void { attempt: attempt(), payment: "ORDER1".into() }
}

fn refund(capture: Option<&str>) -> Refund {
    Refund {
        attempt: attempt(),
        payment: "ORDER1".into(),
        capture: capture.map(ToOwned::to_owned),
        amount: euro(400),
    }
}

fn lookup(by: LookupBy) -> Lookup {
    Lookup { attempt: AttemptId::new(), by }
}

/// A recorded answer.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/providers/paypal/fixtures/", $name, ".json"))
    };
}
use fixture;
