//! `[login]`: people with a name and a password, and the tokens that they get.

use std::time::Duration;

use chassis::settings::Section;
use chrono::TimeDelta;
use jws::{SigningKey, VerifyingKey};

use super::{
    database::KeyList,
    pin::{MAX_FAILURES, MAX_WINDOW},
    positive, secret,
};
use crate::{caller::token::Tokens, domain::pin::PinRules};

/// The longest life of a token: whoever steals one has it for so long.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How people log in.
#[derive(Debug)]
pub struct LoginSettings {
    /// What makes and checks their tokens; `/login` answers 501 without it.
    pub tokens: Option<Tokens>,
    /// How often a password may be guessed.
    pub rules: PinRules,
}

/// `private`: whether nobody else can read what comes in.
pub(super) fn read(section: &Section, private: bool) -> Option<LoginSettings> {
    let lifetime = positive(section, "lifetime", Duration::from_secs(60 * 60));
    if lifetime > MAX_LIFETIME {
        section.fault("lifetime", "expected at most 24 h");
    }
    let max_failures = section.or("max_failures", 5_u32);
    if !(1..=MAX_FAILURES).contains(&max_failures) {
        section.fault("max_failures", format!("expected a whole number from 1 to {MAX_FAILURES}"));
    }
    let window = positive(section, "failure_window", Duration::from_secs(300));
    if window > MAX_WINDOW {
        section.fault("failure_window", "expected at most 365 days");
    }
    let tokens = tokens(section, lifetime);
    if tokens.is_some() && !private {
        section.fault(
            "key",
            "passwords and tokens are only for a server with [server.tls], with an https auth.public_url, \
             or on a loopback address",
        );
    }
    let rules = PinRules {
        max_failures: i32::try_from(max_failures).ok()?,
        window: TimeDelta::from_std(window.min(MAX_WINDOW)).ok()?,
    };
    Some(LoginSettings { tokens, rules })
}

fn tokens(section: &Section, lifetime: Duration) -> Option<Tokens> {
    let KeyList(keys) = section.optional("key")?;
    let keys: Vec<_> = keys.into_iter().filter_map(|key| secret(section, "key", Some(key))).collect();
    let verifying: Result<Vec<_>, _> = keys.iter().map(VerifyingKey::hmac).collect();
    let Some(first) = keys.first() else {
        section.fault("key", "at least one key is needed");
        return None;
    };
    match (SigningKey::hmac(first), verifying) {
        (Ok(signing), Ok(verifying)) => Some(Tokens::new(signing, verifying, lifetime)),
        (Err(error), _) | (_, Err(error)) => {
            section.fault("key", error.to_string());
            None
        }
    }
}
