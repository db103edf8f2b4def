//! What a campaign does, drawn from its seed: who dies and when, what goes wrong at the providers, who buys what.

use std::time::Duration;

use wire::payment::Provider;

use super::{
    dice::Dice,
    points::{Program, names_of_purchases},
};

/// One kill.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kill {
    /// How long after everybody is up again.
    pub after: Duration,
    /// Who.
    pub victim: Victim,
}

/// Who is killed, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Victim {
    /// `kill -9` of the db-server with this number.
    DbServer(usize),
    /// `kill -9` of provider-proxy.
    ProviderProxy,
    /// Postgres, stopped in immediate mode.
    Postgres,
    /// The db-server with this number, started again to die by itself at this point.
    DbServerAt(usize, String),
    /// provider-proxy, the same.
    ProviderProxyAt(String),
}

/// The kills of a campaign.
#[must_use]
pub fn kills(seed: u64, count: u32, db_servers: usize) -> Vec<Kill> {
    let mut dice = Dice::new(seed, 1);
    let last = u64::try_from(db_servers.saturating_sub(1)).unwrap_or_default();
    (0..count)
        .map(|_| {
            let after = Duration::from_millis(dice.between(20, 900));
            let number = usize::try_from(dice.between(0, last)).unwrap_or_default();
            let victim = match dice.between(1, 100) {
                1..=30 => Victim::DbServer(number),
                31..=55 => Victim::ProviderProxy,
                56..=68 => Victim::Postgres,
                69..=90 => Victim::DbServerAt(number, at(&mut dice, Program::DbServer)),
                _ => Victim::ProviderProxyAt(at(&mut dice, Program::ProviderProxy)),
            };
            Kill { after, victim }
        })
        .collect()
}

/// A point, and the how manieth passing of it.
fn at(dice: &mut Dice, program: Program) -> String {
    let names = names_of_purchases(program);
    format!("{}:{}", dice.pick(&names), dice.between(1, 4))
}

/// A purchase and what follows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Purchase {
    /// Its number in the campaign.
    pub number: u64,
    /// Where.
    pub provider: Provider,
    /// With what.
    pub with: With,
    /// How much, in cents of a euro.
    pub amount: i64,
    /// Whether it is taken at once.
    pub capture: bool,
    /// What is done with what was authorized.
    pub then: Then,
    /// What of it goes back, in cents, one after the other.
    pub refunds: Vec<i64>,
}

/// With what is paid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum With {
    /// A nonce of the payer's page.
    Nonce,
    /// A nonce of a card whose bank says no.
    Declined,
    /// A stored method.
    Stored,
    /// The provider's page, where the payer agrees.
    Checkout,
}

/// What is done with what was authorized.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Then {
    /// It is taken in these parts, in cents; the last one is the last capture.
    Captures(Vec<i64>),
    /// It is given up.
    Cancel,
}

/// The purchase of this number in a campaign.
#[must_use]
pub fn purchase(seed: u64, number: u64) -> Purchase {
    let mut dice = Dice::new(seed, 1_000 + number);
    let provider = *dice.pick(&[
        Provider::Stripe,
        Provider::Stripe,
        Provider::Braintree,
        Provider::Braintree,
        Provider::Paypal,
        Provider::Reference,
    ]);
    let with = match provider {
        Provider::Stripe | Provider::Braintree => match dice.between(1, 100) {
            1..=50 => With::Nonce,
            51..=90 => With::Stored,
            _ => With::Declined,
        },
        Provider::Paypal | Provider::Reference => With::Checkout,
    };
    // Amounts at which Braintree's sandbox plays a bank that refuses are beyond these.
    let amount = i64::try_from(dice.between(200, 19_999)).unwrap_or(200);
    let capture = provider == Provider::Reference || dice.percent(55);
    let captures = captures(&mut dice, provider, amount);
    let then = if dice.percent(25) { Then::Cancel } else { Then::Captures(captures) };
    let refunds = if provider == Provider::Reference { Vec::new() } else { parts(&mut dice, amount / 4) };
    Purchase { number, provider, with, amount, capture, then, refunds }
}

/// The whole, or a part that is the last; in parts where the sandbox's cards and accounts all allow it.
fn captures(dice: &mut Dice, provider: Provider, amount: i64) -> Vec<i64> {
    match dice.between(1, 3) {
        1 => vec![amount],
        2 => vec![amount / 2],
        _ if provider == Provider::Stripe => vec![amount - 1],
        _ => vec![amount / 3, amount / 3],
    }
}

/// None, one or two parts of at most so much.
fn parts(dice: &mut Dice, most: i64) -> Vec<i64> {
    let count = dice.between(0, 2);
    let most = u64::try_from(most.max(1)).unwrap_or(1);
    (0..count).map(|_| i64::try_from(dice.between(1, most)).unwrap_or(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_fixes_the_plan() {
        assert_eq!(kills(7, 40, 2), kills(7, 40, 2));
        assert_ne!(kills(7, 40, 2), kills(8, 40, 2));
        assert_eq!(purchase(7, 3), purchase(7, 3));
    }

    #[test]
    fn everybody_is_killed_and_everything_is_bought() {
        let kills = kills(1, 200, 2);
        assert!(kills.iter().any(|kill| kill.victim == Victim::DbServer(0)));
        assert!(kills.iter().any(|kill| kill.victim == Victim::DbServer(1)));
        assert!(kills.iter().any(|kill| kill.victim == Victim::ProviderProxy));
        assert!(kills.iter().any(|kill| kill.victim == Victim::Postgres));
        assert!(kills.iter().any(|kill| matches!(kill.victim, Victim::DbServerAt(..))));
        let purchases: Vec<_> = (0..200).map(|number| purchase(1, number)).collect();
        for provider in Provider::ALL {
            assert!(purchases.iter().any(|purchase| purchase.provider == provider));
        }
        let gone_back = |purchase: &Purchase| purchase.refunds.iter().sum::<i64>();
        assert!(purchases.iter().all(|purchase| gone_back(purchase) <= purchase.amount / 2));
        assert!(purchases.iter().any(|purchase| purchase.then == Then::Cancel && !purchase.capture));
    }
}
