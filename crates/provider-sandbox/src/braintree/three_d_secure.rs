//! 3-D Secure, as the script on the payer's side does it: a nonce is looked up, and a new one comes back that says
//! whether the payer has proven to be the payer. Some cards ask the payer on a page.
//!
//! The test card 4000000000001000 is authenticated without a question and 4000000000001091 with one
//! (developer.paypal.com/braintree, "3D Secure testing"). No other card takes part.

use super::books::{Books, new_id};
use super::instrument::{Instrument, Nonce, ThreeDSecure};
use crate::waiting::{Decision, Undecided, Waiting};

/// A payer who is asked.
#[derive(Clone, Debug)]
pub(super) struct Verification {
    /// The new nonce, which is good for nothing that requires 3-D Secure before the payer has answered.
    nonce: String,
    amount: String,
    currency: &'static str,
}

/// What a lookup gives.
pub(super) struct LookedUp {
    pub(super) nonce: String,
    pub(super) info: ThreeDSecure,
    /// The question's id, when the payer is asked.
    pub(super) question: Option<String>,
}

/// What a card takes part in.
enum Card {
    Frictionless,
    Asked,
    NotEnrolled,
}

/// Uses a nonce up and gives a new one; None when it is unknown.
pub(super) fn look_up(books: &mut Books, nonce: &str, amount: String) -> Option<LookedUp> {
    let found = books.take_nonce(nonce).ok()?;
    let (info, asked) = match kind(&found) {
        Card::Frictionless => (ThreeDSecure::SUCCESSFUL, false),
        Card::Asked => (ThreeDSecure::FAILED, true),
        Card::NotEnrolled => (ThreeDSecure::NOT_ENROLLED, false),
    };
    let nonce = books.issue(Nonce { three_d_secure: Some(info), ..found });
    let question = asked.then(|| {
        let id = new_id();
        let verification = Verification { nonce: nonce.clone(), amount, currency: "USD" };
        books.verifications.insert(id.clone(), verification);
        id
    });
    Some(LookedUp { nonce, info, question })
}

fn kind(nonce: &Nonce) -> Card {
    match &nonce.instrument {
        Instrument::Card(card) => match card.number.as_str() {
            "4000000000001000" => Card::Frictionless,
            "4000000000001091" => Card::Asked,
            _ => Card::NotEnrolled,
        },
        Instrument::Paypal { .. } => Card::NotEnrolled,
    }
}

/// The questions that are open.
pub(super) fn waiting(books: &Books) -> Vec<Waiting> {
    let describe = |(id, verification): (&String, &Verification)| Waiting {
        provider: crate::provider::Provider::Braintree,
        id: id.clone(),
        text: format!("3-D Secure of {}", verification.nonce),
        amount: verification.amount.clone(),
        currency: verification.currency.to_owned(),
    };
    books.verifications.iter().map(describe).collect()
}

/// The payer answers.
pub(super) fn decide(books: &mut Books, id: &str, decision: Decision) -> Result<(), Undecided> {
    let verification = books.verifications.remove(id).ok_or(Undecided::NotWaiting)?;
    let refused = || Undecided::Refused("the nonce was used before the payer answered".into());
    let nonce = books.nonce_mut(&verification.nonce).ok_or_else(refused)?;
    nonce.three_d_secure = Some(match decision {
        Decision::Approve => ThreeDSecure::SUCCESSFUL,
        Decision::Decline => ThreeDSecure::FAILED,
    });
    Ok(())
}
