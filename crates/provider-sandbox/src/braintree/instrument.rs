//! What is charged: cards and PayPal accounts, and the fixed nonces that stand for them in Braintree's sandbox.
//!
//! Source: `braintree/test/nonces.py` and `credit_card_numbers.py` of the official Python SDK. A fixed nonce is good
//! any number of times; one that the client API has issued is good once.

use super::xml::Element;

/// A means of payment.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Instrument {
    Card(Card),
    Paypal { email: String },
}

/// A card; its number is one of the public test numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Card {
    pub(super) number: String,
    pub(super) cvv: Option<String>,
    pub(super) month: String,
    pub(super) year: String,
    pub(super) holder: Option<String>,
}

/// What stands behind a nonce.
#[derive(Clone, Debug)]
pub(super) struct Nonce {
    pub(super) instrument: Instrument,
    pub(super) behaviour: Behaviour,
    pub(super) three_d_secure: Option<ThreeDSecure>,
}

/// What becomes of a charge, whatever its amount.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Behaviour {
    /// The amount decides.
    Ordinary,
    /// The processor says no.
    Declined,
    /// The processor cannot be reached.
    Failed,
    /// The gateway's own rules say no, for this reason.
    Rejected(&'static str),
}

/// How 3-D Secure ended for a nonce.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ThreeDSecure {
    pub(super) status: &'static str,
    pub(super) enrolled: &'static str,
    /// Whether the bank answers for the payer, which is what `required` asks for.
    pub(super) liability_shifted: bool,
    pub(super) liability_shift_possible: bool,
}

/// What is known of a nonce by its name alone.
pub(super) enum Fixed {
    Good(Box<Nonce>),
    Consumed,
    /// The card's number fails the check of its last digit.
    InvalidNumber,
}

impl ThreeDSecure {
    /// The payer has proven to be the payer.
    pub(super) const SUCCESSFUL: Self = Self {
        status: "authenticate_successful",
        enrolled: "Y",
        liability_shifted: true,
        liability_shift_possible: true,
    };

    /// The payer has not.
    pub(super) const FAILED: Self =
        Self { status: "authenticate_failed", liability_shifted: false, ..Self::SUCCESSFUL };

    /// The card's bank does not take part.
    pub(super) const NOT_ENROLLED: Self = Self::without("lookup_not_enrolled", "N", false);

    const fn without(status: &'static str, enrolled: &'static str, possible: bool) -> Self {
        Self { status, enrolled, liability_shifted: false, liability_shift_possible: possible }
    }

    /// The last part of `fake-three-d-secure-…-nonce`.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "visa-full-authentication"
            | "two-visa-successful-frictionless-authentication"
            | "two-visa-successful-step-up-authentication" => Self::SUCCESSFUL,
            "visa-attempts-non-participating" => {
                Self { status: "authenticate_attempt_successful", ..Self::SUCCESSFUL }
            }
            "visa-failed-authentication" => Self::FAILED,
            "visa-failed-signature" => Self::without("authenticate_signature_verification_failed", "Y", true),
            "visa-authentication-unavailable" => {
                Self::without("authenticate_unable_to_authenticate", "Y", true)
            }
            "visa-mpi-authenticate-error" => Self::without("authenticate_error", "Y", true),
            "visa-not-enrolled" => Self::NOT_ENROLLED,
            "visa-unavailable" => Self::without("lookup_unavailable", "U", false),
            "visa-bypassed-authentication" => Self::without("lookup_bypassed", "B", false),
            "visa-lookup-timeout"
            | "visa-mpi-lookup-error"
            | "two-visa-error-on-lookup"
            | "two-visa-timeout-on-lookup" => Self::without("lookup_error", "U", false),
            _ => return None,
        })
    }

    pub(super) fn show(self) -> Element {
        Element::node(
            "three-d-secure-info",
            vec![
                Element::text("cavv", "somebase64value"),
                Element::text("ds-transaction-id", "dstxnid"),
                Element::text("eci-flag", if self.liability_shifted { "05" } else { "07" }),
                Element::text("enrolled", self.enrolled),
                Element::boolean("liability-shift-possible", self.liability_shift_possible),
                Element::boolean("liability-shifted", self.liability_shifted),
                Element::text("status", self.status),
                Element::text("three-d-secure-version", "2.1.0"),
                Element::text("xid", "xidvalue"),
            ],
        )
    }
}

/// The fixed nonce of a name.
pub(super) fn fixed(nonce: &str) -> Option<Fixed> {
    let name = nonce.strip_prefix("fake-")?.strip_suffix("-nonce")?;
    if let Some(name) = name.strip_prefix("three-d-secure-") {
        let info = ThreeDSecure::named(name)?;
        return Some(good("4000000000001000", Behaviour::Ordinary, Some(info)));
    }
    Some(match name {
        "consumed" => Fixed::Consumed,
        "luhn-invalid" => Fixed::InvalidNumber,
        "valid" | "valid-debit" | "valid-prepaid" => good("4111111111111111", Behaviour::Ordinary, None),
        "valid-visa" => good("4012888888881881", Behaviour::Ordinary, None),
        "valid-mastercard" => good("5555555555554444", Behaviour::Ordinary, None),
        "valid-amex" => good("378282246310005", Behaviour::Ordinary, None),
        "valid-discover" => good("6011111111111117", Behaviour::Ordinary, None),
        "valid-jcb" => good("3530111333300000", Behaviour::Ordinary, None),
        "valid-maestro" => good("6304000000000000", Behaviour::Ordinary, None),
        "valid-dinersclub" => good("36259600000004", Behaviour::Ordinary, None),
        "processor-declined-visa" => good("4000111111111115", Behaviour::Declined, None),
        "processor-declined-mastercard" => good("5105105105105100", Behaviour::Declined, None),
        "processor-declined-amex" => good("378734493671000", Behaviour::Declined, None),
        "processor-declined-discover" => good("6011000990139424", Behaviour::Declined, None),
        "processor-failure-jcb" => good("3566002020360505", Behaviour::Failed, None),
        "gateway-rejected-fraud" => good("4111111111111111", Behaviour::Rejected("fraud"), None),
        "gateway-rejected-risk-thresholds" => {
            good("4111111111111111", Behaviour::Rejected("risk_threshold"), None)
        }
        "paypal-one-time" | "paypal-billing-agreement" => Fixed::Good(Box::new(Nonce {
            instrument: Instrument::Paypal { email: "jane.doe@paypal.com".into() },
            behaviour: Behaviour::Ordinary,
            three_d_secure: None,
        })),
        _ => return None,
    })
}

fn good(number: &str, behaviour: Behaviour, three_d_secure: Option<ThreeDSecure>) -> Fixed {
    let instrument = Instrument::Card(Card {
        number: number.to_owned(),
        cvv: None,
        month: "12".into(),
        year: "2031".into(),
        holder: None,
    });
    Fixed::Good(Box::new(Nonce { instrument, behaviour, three_d_secure }))
}

impl Nonce {
    /// What the client API issues for a card.
    pub(super) fn of_card(card: Card) -> Self {
        let behaviour = if card.fails_verification() { Behaviour::Declined } else { Behaviour::Ordinary };
        Self { instrument: Instrument::Card(card), behaviour, three_d_secure: None }
    }
}

impl Card {
    /// Public test numbers that no verification accepts.
    pub(super) fn fails_verification(&self) -> bool {
        matches!(
            self.number.as_str(),
            "4000111111111115" | "5105105105105100" | "378734493671000" | "6011000990139424"
        )
    }

    /// Whether the last digit is right (ISO/IEC 7812-1, annex B).
    pub(super) fn number_is_valid(&self) -> bool {
        let digits: Option<Vec<u32>> = self.number.chars().rev().map(|digit| digit.to_digit(10)).collect();
        let Some(digits) = digits.filter(|digits| (12..=19).contains(&digits.len())) else { return false };
        let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
        let sum: u32 = digits
            .iter()
            .enumerate()
            .map(|(place, &digit)| if place % 2 == 1 { doubled(digit) } else { digit })
            .sum();
        sum.is_multiple_of(10)
    }

    /// The issuer's first six digits.
    pub(super) fn bin(&self) -> &str {
        self.number.get(..6).unwrap_or_default()
    }

    /// The last four digits.
    pub(super) fn last_4(&self) -> &str {
        self.number.len().checked_sub(4).and_then(|start| self.number.get(start..)).unwrap_or_default()
    }

    /// The brand in Braintree's words.
    pub(super) fn brand(&self) -> &'static str {
        match self.number.get(..2).unwrap_or_default() {
            "34" | "37" => "American Express",
            "35" => "JCB",
            "36" | "38" => "Diners Club",
            "63" => "Maestro",
            "60" | "64" | "65" => "Discover",
            prefix if prefix.starts_with('5') => "MasterCard",
            prefix if prefix.starts_with('4') => "Visa",
            _ => "Unknown",
        }
    }

    /// The fields that a card has wherever it is shown.
    pub(super) fn show(&self, token: Option<&str>) -> Vec<Element> {
        let unknown = ["commercial", "country-of-issuance", "debit", "durbin-regulated", "healthcare"]
            .into_iter()
            .chain(["issuing-bank", "payroll", "prepaid", "product-id"]);
        let mut fields = vec![
            Element::optional("token", token),
            Element::text("bin", self.bin()),
            Element::text("last-4", self.last_4()),
            Element::text("card-type", self.brand()),
            Element::text("expiration-month", self.month.as_str()),
            Element::text("expiration-year", self.year.as_str()),
            Element::text("customer-location", "US"),
            Element::optional("cardholder-name", self.holder.as_deref()),
            Element::text("image-url", "https://assets.braintreegateway.com/payment_method_logo/card.png"),
        ];
        fields.extend(unknown.map(|name| Element::text(name, "Unknown")));
        fields
    }
}

impl Instrument {
    /// What a transaction calls it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Card(_) => "credit_card",
            Self::Paypal { .. } => "paypal_account",
        }
    }

    /// Whether a second charge would be charged to the same thing.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Card(one), Self::Card(other)) => {
                (&one.number, &one.month, &one.year) == (&other.number, &other.month, &other.year)
            }
            (Self::Paypal { email: one }, Self::Paypal { email: other }) => one == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixed_card_has_a_number_that_is_valid_and_a_brand() {
        for name in ["valid", "valid-visa", "valid-mastercard", "valid-amex", "valid-discover", "valid-jcb"] {
            let Some(Fixed::Good(nonce)) = fixed(&format!("fake-{name}-nonce")) else { panic!("{name}") };
            let Instrument::Card(card) = nonce.instrument else { panic!("{name}") };
            assert!(card.number_is_valid(), "{name}");
            assert_ne!(card.brand(), "Unknown", "{name}");
        }
        assert!(fixed("fake-unheard-of-nonce").is_none());
        assert!(fixed("valid").is_none());
    }

    #[test]
    fn a_number_with_another_last_digit_is_not_valid() {
        let card = |number: &str| Card {
            number: number.into(),
            cvv: None,
            month: "12".into(),
            year: "2031".into(),
            holder: None,
        };
        assert!(card("4111111111111111").number_is_valid());
        for number in ["4111111111111112", "41111", "", "411111111111111x"] {
            assert!(!card(number).number_is_valid(), "{number}");
        }
    }
}
