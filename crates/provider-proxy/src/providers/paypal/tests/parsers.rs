//! No answer makes the readers panic, and none that is damaged is a success of another amount.

use actix_web::http::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use proptest::prelude::*;

use super::*;
use crate::providers::{
    exchange::Received,
    paypal::{client::success, error::Refusal, messages, outcome},
};

fn received(status: u16, body: Vec<u8>) -> Received {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Received { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
}

fn read_all(body: &[u8]) {
    let success_answer = received(200, body.to_vec());
    if let Ok(order) = success::<messages::Order>(&success_answer) {
        drop(outcome::of_order(&order));
    }
    if let Ok(capture) = success::<messages::Capture>(&success_answer) {
        drop(outcome::of_capture(&capture));
    }
    if let Ok(refund) = success::<messages::Refund>(&success_answer) {
        drop(outcome::of_refund(&refund));
    }
    drop(success::<messages::PaymentToken>(&success_answer));
    for status in [400, 404, 409, 422] {
        let refused = received(status, body.to_vec());
        if let Ok(refusal) = Refusal::read(&refused) {
            let outcome = refusal.outcome::<()>(&refused);
            assert!(!matches!(outcome.name(), "succeeded" | "pending" | "requires_action"));
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        read_all(&body);
    }

    #[test]
    fn no_damaged_answer_makes_a_reader_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        for text in [
            fixture!("order_captured"), fixture!("order_authorized"), fixture!("capture"), fixture!("refund"),
            fixture!("payment_token_card"), fixture!("refused_instrument_declined"),
        ] {
            let mut body = text.as_bytes().to_vec();
            let at = at.index(body.len());
            if cut { body.truncate(at) } else { body[at] = byte }
            read_all(&body);
        }
    }

    #[test]
    fn no_part_of_an_order_is_an_order(at in any::<prop::sample::Index>()) {
        let text = fixture!("order_captured").trim_end();
        let part = text.as_bytes()[..at.index(text.len())].to_vec();
        prop_assert!(success::<messages::Order>(&received(200, part)).is_err());
    }
}
