//! What may be done about an operation whose outcome is not known: how it is looked up at each provider, until when it
//! may be asked again under its attempt, and from when on "there is nothing" is evidence.
//!
//! The one place for these rules; `docs/providers/unknown-outcomes.md` shows them, and a test compares.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use wire::payment::Provider::{self, Braintree, Paypal, Reference, Stripe};

use crate::store::payment_code::PaymentOperationKind::{
    self, Authorize, Capture, CompleteCheckout, Refund, StartCheckout, Void,
};

/// By what an operation is looked up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// By its attempt; a payment whose id is known, by that.
    Attempt,
    /// By the provider's id of the payment, which shows what has become of it.
    Payment,
    /// By the provider's id of the checkout.
    Checkout,
    /// Not at all: nothing that it could have made takes money.
    Nothing,
}

/// The rule for one operation at one provider. All ages are in minutes.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// At which provider.
    pub provider: Provider,
    /// What was asked.
    pub operation: PaymentOperationKind,
    /// By what it is looked up first.
    pub by: By,
    /// Until which age it may be looked up.
    pub look_until: Option<i64>,
    /// Until which age it may be asked again under its attempt, when nothing was found: counted from when it was begun.
    pub again_until: Option<i64>,
    /// Whether what is pending is asked again, because only the answer says how it stands.
    pub again_while_pending: bool,
    /// From when on "there is nothing" is evidence that it was not done: counted from when it was last asked.
    pub nothing_from: Option<i64>,
    /// Whether the payer pays on the page itself: from when there is one it is looked at until it has been paid on,
    /// whether or not anybody comes back or tells.
    pub pays_on_page: bool,
    /// Why asking again cannot move the money twice, and why nothing is nothing.
    pub why: &'static str,
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// A rule that is told by its differences from this one.
const NONE: Rule = Rule {
    provider: Stripe,
    operation: Authorize,
    by: By::Payment,
    look_until: None,
    again_until: None,
    again_while_pending: false,
    nothing_from: None,
    pays_on_page: false,
    why: "",
};

const STRIPE: Rule = Rule {
    provider: Stripe,
    again_until: Some(23 * HOUR),
    nothing_from: Some(25 * HOUR),
    why: "Stripe keeps the key for 24 h and answers it as it did first. It reads its own books, which are not behind, \
          and none that was asked within the 23 h is still under way two hours later.",
    ..NONE
};
const PAYPAL: Rule = Rule {
    provider: Paypal,
    again_until: Some(44 * DAY),
    why: "PayPal keeps the key for 45 days, longer than anybody looks, and answers how it stands now.",
    ..NONE
};
const BRAINTREE: Rule = Rule {
    provider: Braintree,
    nothing_from: Some(10),
    why: "Never asked again: Braintree keeps no keys. It gives a request up after 60 s, and the payment itself is read, \
          which is not behind; the rest is for clocks that differ.",
    ..NONE
};

/// Every rule. What is not in it cannot be asked of that provider.
pub const RULES: [Rule; 16] = [
    Rule {
        operation: Authorize,
        by: By::Attempt,
        again_until: Some(110),
        nothing_from: Some(3 * HOUR),
        why: "Stripe keeps the key for 24 h and answers it as it did first. The list that is looked through ends two \
              hours after the attempt was made, so that nothing is asked later than what it would show.",
        ..STRIPE
    },
    Rule { operation: Capture, ..STRIPE },
    Rule { operation: Void, ..STRIPE },
    Rule { operation: Refund, by: By::Attempt, ..STRIPE },
    Rule {
        operation: Authorize,
        by: By::Attempt,
        look_until: Some(5 * HOUR + 45),
        again_until: Some(4 * HOUR),
        nothing_from: Some(4 * HOUR + 30),
        why: "PayPal keeps the key of an order for 6 h: asked again within them it answers the order that there is. The \
              question is made with that key, too; after the 6 h no answer could be told from \"never\", and a person \
              decides.",
        ..PAYPAL
    },
    Rule {
        operation: StartCheckout,
        by: By::Nothing,
        again_until: Some(5 * HOUR),
        nothing_from: Some(6 * HOUR),
        why: "An order takes no money before its payer agrees and it is completed, and nobody has been sent to one whose \
              page was never answered.",
        ..PAYPAL
    },
    Rule {
        operation: CompleteCheckout,
        by: By::Checkout,
        again_until: Some(30 * DAY),
        nothing_from: Some(10),
        why: "An order is executed once, whoever asks and however often. One that is not there was not executed: only \
              orders that nobody has agreed to are forgotten.",
        ..PAYPAL
    },
    Rule { operation: Capture, again_while_pending: true, ..PAYPAL },
    Rule { operation: Void, ..PAYPAL },
    Rule { operation: Refund, by: By::Attempt, ..PAYPAL },
    Rule {
        operation: Authorize,
        by: By::Attempt,
        why: "Never asked again: Braintree keeps no keys, and its search may be behind. It gives a request up after \
              60 s, and the search is behind by less than five minutes; the rest is for clocks that differ.",
        ..BRAINTREE
    },
    Rule { operation: Capture, ..BRAINTREE },
    Rule { operation: Void, ..BRAINTREE },
    Rule {
        operation: Refund,
        by: By::Attempt,
        why: "Never asked again: Braintree keeps no keys. It gives a request up after 60 s, and the search is behind by \
              less than five minutes; the rest is for clocks that differ.",
        ..BRAINTREE
    },
    Rule {
        provider: Reference,
        operation: StartCheckout,
        by: By::Nothing,
        again_until: Some(HOUR),
        nothing_from: Some(2 * HOUR),
        pays_on_page: true,
        why: "Asked again it starts another transaction. The payer can agree to the one whose page is shown, and to no \
              other, and has paid then.",
        ..NONE
    },
    Rule {
        provider: Reference,
        operation: CompleteCheckout,
        by: By::Checkout,
        why: "It only reads what the payer has done, as the look-up does.",
        ..NONE
    },
];

/// The rule for an operation at a provider, if it can be asked there.
#[must_use]
pub fn rule(provider: Provider, operation: PaymentOperationKind) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.provider == provider && rule.operation == operation)
}

/// Whether a payer at this provider pays on the page that a checkout shows, and not only when it is completed.
#[must_use]
pub fn pays_on_page(provider: Provider) -> bool {
    rule(provider, StartCheckout).is_some_and(|rule| rule.pays_on_page)
}

impl Rule {
    /// Whether an operation of this age may be asked again under its attempt.
    #[must_use]
    pub fn may_ask_again(&self, age: TimeDelta) -> bool {
        self.again_until.is_some_and(|minutes| age < TimeDelta::minutes(minutes))
    }

    /// Whether an operation of this age can still be looked up.
    #[must_use]
    pub fn may_look(&self, age: TimeDelta) -> bool {
        self.by != By::Nothing && self.look_until.is_none_or(|minutes| age < TimeDelta::minutes(minutes))
    }

    /// Whether "there is nothing" is evidence, so long after it was last asked.
    #[must_use]
    pub fn nothing_is_evidence(&self, quiet: TimeDelta) -> bool {
        self.nothing_from.is_some_and(|minutes| quiet >= TimeDelta::minutes(minutes))
    }

    /// From when on "there is nothing" is evidence, if it is last asked then.
    #[must_use]
    pub fn nothing_counts_from(&self, quiet_since: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.nothing_from.map(|minutes| quiet_since + TimeDelta::minutes(minutes))
    }
}

/// The rules as a table for people.
#[must_use]
pub fn markdown() -> String {
    let mut text = "| Provider | Operation | Looked up by | Asked again within | \"Nothing\" is evidence after | Why this \
                    is safe |\n| --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for rule in RULES {
        let by = match rule.by {
            By::Attempt => "attempt",
            By::Payment => "the payment",
            By::Checkout => "the checkout",
            By::Nothing => "nothing",
        };
        let page = if rule.pays_on_page { "; once there is a page, the checkout" } else { "" };
        let until = rule.look_until.map(|minutes| format!(", until {}", span(minutes))).unwrap_or_default();
        let or_never = |minutes: Option<i64>| minutes.map_or_else(|| "never".to_owned(), span);
        let pending = if rule.again_while_pending { ", also while pending" } else { "" };
        let _ = writeln!(
            text,
            "| {} | `{}` | {by}{until}{page} | {}{pending} | {} | {} |",
            rule.provider,
            rule.operation.name(),
            or_never(rule.again_until),
            or_never(rule.nothing_from),
            rule.why,
        );
    }
    text
}

fn span(minutes: i64) -> String {
    match (minutes / DAY, minutes % DAY / HOUR, minutes % HOUR) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, 0) => format!("{days} days"),
        (days, hours, 0) => format!("{} h", days * 24 + hours),
        (days, hours, minutes) => format!("{} h {minutes} min", days * 24 + hours),
    }
}

#[cfg(test)]
mod tests;
