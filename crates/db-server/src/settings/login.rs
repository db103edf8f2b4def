//! `[login]`: people with a name and a password, and the tokens that they get.

use std::time::Duration;

use chassis::settings::Section;
use jws::{SigningKey, VerifyingKey};

use super::{database::KeyList, pin, positive, secret};
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
    let rules = pin::rules(section);
    let tokens = tokens(section, lifetime);
    if tokens.is_some() && !private {
        section.fault(
            "key",
            "passwords and tokens are only for a server with [server.tls], with an https auth.public_url, \
             or on a loopback address",
        );
    }
    Some(LoginSettings { tokens, rules: rules? })
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
