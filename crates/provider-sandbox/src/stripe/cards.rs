//! Stripe's test cards and the tokens that stand for them, with what each one does.
//!
//! Source: Stripe's page "Test cards". No other number is taken: a real one has no business here.

/// What happens to a charge of a payment method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Behaviour {
    /// It is paid.
    Pays,
    /// The issuer refuses.
    Declines(Decline),
    /// Attaching it to a customer works, charging it does not.
    DeclinesWhenCharged(Decline),
    /// The holder must first authenticate (3-D Secure); then this decline, or none.
    Authenticates(Option<Decline>),
    /// A bank debit: it is `processing` until the bank has said yes or no.
    Debits,
    /// It is paid, and its refunds are pending first.
    RefundsLate,
    /// It is paid, and its refunds fail afterwards.
    RefundsFail,
    /// It is paid, and the holder disputes it at once.
    Disputes,
}

/// How an issuer refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Decline {
    pub(super) code: &'static str,
    pub(super) decline_code: &'static str,
    pub(super) message: &'static str,
    pub(super) advice: Option<&'static str>,
}

/// A test card.
#[derive(Clone, Copy, Debug)]
pub(super) struct Card {
    pub(super) number: &'static str,
    /// The tokens that stand for it.
    pub(super) tokens: &'static [&'static str],
    pub(super) brand: &'static str,
    pub(super) behaviour: Behaviour,
}

const LATER: Option<&str> = Some("try_again_later");
const NEVER: Option<&str> = Some("do_not_try_again");
const CONFIRM: Option<&str> = Some("confirm_card_data");

const fn declined(
    decline_code: &'static str,
    message: &'static str,
    advice: Option<&'static str>,
) -> Decline {
    Decline { code: "card_declined", decline_code, message, advice }
}

const DECLINED: &str = "Your card was declined.";
const GENERIC: Decline = declined("generic_decline", DECLINED, LATER);
const FUNDS: Decline = declined("insufficient_funds", "Your card has insufficient funds.", LATER);
const LOST: Decline = declined("lost_card", DECLINED, NEVER);
const STOLEN: Decline = declined("stolen_card", DECLINED, NEVER);
const FRAUD: Decline = declined("fraudulent", DECLINED, NEVER);
const VELOCITY: Decline = declined(
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    LATER,
);
const EXPIRED: Decline = Decline {
    code: "expired_card",
    decline_code: "expired_card",
    message: "Your card has expired.",
    advice: CONFIRM,
};
const CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: "incorrect_cvc",
    message: "Your card's security code is incorrect.",
    advice: CONFIRM,
};
const PROCESSING: Decline = Decline {
    code: "processing_error",
    decline_code: "processing_error",
    message: "An error occurred while processing your card. Try again in a little bit.",
    advice: LATER,
};

const fn card(
    number: &'static str,
    tokens: &'static [&'static str],
    brand: &'static str,
    behaviour: Behaviour,
) -> Card {
    Card { number, tokens, brand, behaviour }
}

/// All of them.
#[rustfmt::skip]
const CARDS: &[Card] = &[
    card("4242424242424242", &["pm_card_visa"], "visa", Behaviour::Pays),
    card("4000056655665556", &["pm_card_visa_debit"], "visa", Behaviour::Pays),
    card("5555555555554444", &["pm_card_mastercard"], "mastercard", Behaviour::Pays),
    card("378282246310005", &["pm_card_amex"], "amex", Behaviour::Pays),
    card("6011111111111117", &["pm_card_discover"], "discover", Behaviour::Pays),
    card("3566002020360505", &["pm_card_jcb"], "jcb", Behaviour::Pays),
    card("4000000000000002", &["pm_card_visa_chargeDeclined", "pm_card_chargeDeclined"], "visa", Behaviour::Declines(GENERIC)),
    card("4000000000009995", &["pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedInsufficientFunds"], "visa", Behaviour::Declines(FUNDS)),
    card("4000000000009987", &["pm_card_visa_chargeDeclinedLostCard", "pm_card_chargeDeclinedLostCard"], "visa", Behaviour::Declines(LOST)),
    card("4000000000009979", &["pm_card_visa_chargeDeclinedStolenCard", "pm_card_chargeDeclinedStolenCard"], "visa", Behaviour::Declines(STOLEN)),
    card("4000000000000069", &["pm_card_chargeDeclinedExpiredCard"], "visa", Behaviour::Declines(EXPIRED)),
    card("4000000000000127", &["pm_card_chargeDeclinedIncorrectCvc"], "visa", Behaviour::Declines(CVC)),
    card("4000000000000119", &["pm_card_chargeDeclinedProcessingError"], "visa", Behaviour::Declines(PROCESSING)),
    card("4000000000006975", &["pm_card_visa_chargeDeclinedVelocityLimitExceeded", "pm_card_chargeDeclinedVelocityLimitExceeded"], "visa", Behaviour::Declines(VELOCITY)),
    card("4100000000000019", &["pm_card_radarBlock", "pm_card_chargeDeclinedFraudulent"], "visa", Behaviour::Declines(FRAUD)),
    card("4000000000000341", &["pm_card_chargeCustomerFail"], "visa", Behaviour::DeclinesWhenCharged(GENERIC)),
    card("4000002760003184", &["pm_card_authenticationRequired"], "visa", Behaviour::Authenticates(None)),
    card("4000000000003220", &["pm_card_threeDSecure2Required"], "visa", Behaviour::Authenticates(None)),
    card("4000000000003063", &["pm_card_threeDSecureRequired"], "visa", Behaviour::Authenticates(None)),
    card("4000008400001629", &["pm_card_threeDSecureRequiredChargeDeclined"], "visa", Behaviour::Authenticates(Some(GENERIC))),
    card("4000008260003178", &["pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"], "visa", Behaviour::Authenticates(Some(FUNDS))),
    card("4000000000007726", &["pm_card_pendingRefund"], "visa", Behaviour::RefundsLate),
    card("4000000000005126", &["pm_card_refundFail"], "visa", Behaviour::RefundsFail),
    card("4000000000000259", &["pm_card_createDispute"], "visa", Behaviour::Disputes),
];

/// The bank account that is debited; Stripe's own token for one that works.
pub(super) const BANK_ACCOUNT: &str = "pm_usBankAccount_success";

/// The card that a token stands for.
pub(super) fn by_token(token: &str) -> Option<&'static Card> {
    CARDS.iter().find(|card| card.tokens.contains(&token))
}

/// The card of a number.
pub(super) fn by_number(number: &str) -> Option<&'static Card> {
    CARDS.iter().find(|card| card.number == number)
}

impl Card {
    /// The last four digits.
    pub(super) fn last4(&self) -> &'static str {
        self.number.get(self.number.len() - 4..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_one_of_a_card_and_every_token_stands_for_one() {
        for (index, card) in CARDS.iter().enumerate() {
            let digits = card.number.bytes().rev().enumerate().map(|(place, digit)| {
                let digit = u32::from(digit - b'0');
                if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
            });
            assert_eq!(digits.sum::<u32>() % 10, 0, "{}", card.number);
            assert!(CARDS[..index].iter().all(|other| other.number != card.number), "{}", card.number);
            for token in card.tokens {
                assert_eq!(by_token(token).unwrap().number, card.number);
            }
        }
        assert!(by_number("4111111111111111").is_none());
    }
}
