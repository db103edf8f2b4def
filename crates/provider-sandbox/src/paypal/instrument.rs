//! `payment_source`: what pays an order, and what it will come to.
//!
//! Source: PayPal's "Card testing": a card named `CCREJECT-…` is declined with that reason; the numbers that ask for
//! 3-D Secure are those of PayPal's 3-D Secure test scenarios.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Refusal;
use super::state::Books;

/// `payment_source` as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct WrittenSource {
    pub(super) card: Option<WrittenCard>,
    pub(super) paypal: Option<WrittenWallet>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct WrittenCard {
    pub(super) name: Option<String>,
    pub(super) number: Option<String>,
    pub(super) expiry: Option<String>,
    pub(super) vault_id: Option<String>,
    pub(super) attributes: Option<Attributes>,
    pub(super) verification_method: Option<String>,
    pub(super) experience_context: Option<Context>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct WrittenWallet {
    pub(super) vault_id: Option<String>,
    pub(super) experience_context: Option<Context>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Attributes {
    verification: Option<Verification>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Verification {
    method: Option<String>,
}

/// Where the payer goes afterwards.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Context {
    pub(super) return_url: Option<String>,
    pub(super) cancel_url: Option<String>,
}

/// What pays.
#[derive(Clone, Debug)]
pub(super) enum Instrument {
    /// A PayPal account.
    Wallet {
        /// Where the account was stored before, so that its owner need not be asked.
        stored: bool,
    },
    /// A card.
    Card(Card),
}

/// A card.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) name: Option<String>,
    pub(super) number: String,
    pub(super) expiry: Option<String>,
    /// Whether the payer must pass 3-D Secure first.
    pub(super) challenge: bool,
    /// Whether the payer passed it.
    pub(super) authenticated: Option<bool>,
}

/// Cards whose bank asks for 3-D Secure.
const CHALLENGED: [&str; 2] = ["4000000000001091", "4000000000001109"];

/// What a card's name makes of it: PayPal's trigger and the processor's code.
const REJECTIONS: [(&str, &str); 8] = [
    ("CCREJECT-REFUSED", "0500"),
    ("CCREJECT-SF", "9500"),
    ("CCREJECT-EC", "5400"),
    ("CCREJECT-IRC", "5180"),
    ("CCREJECT-IF", "5120"),
    ("CCREJECT-LS", "9520"),
    ("CCREJECT-BANK_ERROR", "5100"),
    ("CCREJECT-CVV_F", "00N7"),
];

/// The processor's code for a card whose payer did not pass 3-D Secure.
const NOT_AUTHENTICATED: &str = "5650";

impl Instrument {
    /// Reads a `payment_source`; None when there is none.
    pub(super) fn read(source: Option<&WrittenSource>, books: &Books) -> Result<Option<Self>, Refusal> {
        let Some(source) = source else { return Ok(None) };
        match (&source.card, &source.paypal) {
            (Some(card), None) => Card::read(card, books).map(|card| Some(Self::Card(card))),
            (None, Some(wallet)) => {
                if let Some(id) = &wallet.vault_id {
                    books.stored_wallet(id)?;
                }
                Ok(Some(Self::Wallet { stored: wallet.vault_id.is_some() }))
            }
            (None, None) if source.others.is_empty() => Ok(None),
            _ => Err(Refusal::issue("UNSUPPORTED_PAYMENT_SOURCE").at("/payment_source", "")),
        }
    }

    /// Whether nobody needs to be asked before it pays.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Wallet { stored } => *stored,
            Self::Card(card) => !card.challenge || card.authenticated.is_some(),
        }
    }

    /// The processor's code of the decline that it meets.
    pub(super) fn rejection(&self) -> Option<&'static str> {
        let Self::Card(card) = self else { return None };
        if card.authenticated == Some(false) {
            return Some(NOT_AUTHENTICATED);
        }
        let name = card.name.as_deref()?;
        REJECTIONS.iter().find(|(trigger, _)| *trigger == name).map(|(_, code)| *code)
    }

    /// The processor's code of what is good.
    pub(super) fn acceptance(&self) -> Option<&'static str> {
        matches!(self, Self::Card(_)).then_some("0000")
    }

    pub(super) fn show(&self) -> Value {
        match self {
            Self::Wallet { .. } => json!({"paypal": {
                "email_address": "payer@example.com", "account_id": PAYER_ID, "account_status": "VERIFIED",
                "name": {"given_name": "Pay", "surname": "Er"}, "address": {"country_code": "DE"},
            }}),
            Self::Card(card) => json!({"card": card.show()}),
        }
    }
}

/// The one payer of the sandbox.
pub(super) const PAYER_ID: &str = "QYR5Z8XDVJNXQ";

impl Card {
    pub(super) fn read(written: &WrittenCard, books: &Books) -> Result<Self, Refusal> {
        let mut card = match (&written.vault_id, &written.number) {
            (Some(id), None) => books.stored_card(id)?,
            (None, Some(number)) => Self::new(written, number)?,
            _ => return Err(Refusal::missing("/payment_source/card/number")),
        };
        let attributes = written.attributes.as_ref().and_then(|attributes| attributes.verification.as_ref());
        let method = attributes
            .and_then(|verification| verification.method.as_deref())
            .or(written.verification_method.as_deref());
        card.authenticated = None;
        card.challenge = match method {
            Some("SCA_ALWAYS") => true,
            Some("SCA_WHEN_REQUIRED") => CHALLENGED.contains(&card.number.as_str()),
            _ => false,
        };
        Ok(card)
    }

    fn new(written: &WrittenCard, number: &str) -> Result<Self, Refusal> {
        let at = "/payment_source/card/number";
        if !(12..=19).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::invalid(at, ""));
        }
        let expiry = written.expiry.clone().ok_or_else(|| Refusal::missing("/payment_source/card/expiry"))?;
        let is_month = chrono::NaiveDate::parse_from_str(&format!("{expiry}-01"), "%Y-%m-%d").is_ok();
        if !is_month {
            return Err(Refusal::invalid("/payment_source/card/expiry", &expiry));
        }
        Ok(Self {
            name: written.name.clone(),
            number: number.to_owned(),
            expiry: Some(expiry),
            challenge: false,
            authenticated: None,
        })
    }

    pub(super) fn brand(&self) -> &'static str {
        match self.number.as_bytes() {
            [b'4', ..] => "VISA",
            [b'5', b'1'..=b'5', ..] | [b'2', b'2'..=b'7', ..] => "MASTERCARD",
            [b'3', b'4' | b'7', ..] => "AMEX",
            [b'6', ..] => "DISCOVER",
            _ => "UNKNOWN",
        }
    }

    pub(super) fn last_digits(&self) -> &str {
        self.number.get(self.number.len().saturating_sub(4)..).unwrap_or_default()
    }

    pub(super) fn show(&self) -> Value {
        let mut shown = json!({"last_digits": self.last_digits(), "brand": self.brand(), "type": "CREDIT"});
        if let Some(name) = &self.name {
            shown["name"] = json!(name);
        }
        if let Some(expiry) = &self.expiry {
            shown["expiry"] = json!(expiry);
        }
        if let Some(passed) = self.authenticated {
            let (shift, status) = if passed { ("POSSIBLE", "Y") } else { ("NO", "N") };
            shown["authentication_result"] = json!({
                "liability_shift": shift,
                "three_d_secure": {"enrollment_status": "Y", "authentication_status": status},
            });
        }
        shown
    }
}
