//! Verifies callers, and remembers the tokens that were good: db-server sends the same one many times.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

use actix_web::{
    HttpRequest,
    http::header::{AUTHORIZATION, HeaderMap},
};
use chassis::server::Peer;
use jws::{Expected, VerifyError, verify};
use serde_json::Value;
use wire::identity::{Claims, LONGEST_LIFE};

use super::{Caller, CallerError};
use crate::config::{CallerEntry, CallerSettings, IdentitySettings};

/// How many good tokens one worker remembers.
const MOST_TOKENS: usize = 1024;

/// The verifier of one worker thread.
pub struct CallerVerifier {
    identity: Option<IdentitySettings>,
    /// None where no client certificates are demanded.
    entries: Option<Vec<Rc<CallerEntry>>>,
    /// By their last bytes, which are of the signature: as good as random, and quicker to hash than the whole.
    tokens: RefCell<HashMap<[u8; TAIL], Verified>>,
}

/// How many bytes of a token find it among those that are remembered.
const TAIL: usize = 32;

/// What stands before a token.
const SCHEME: &[u8] = b"Bearer ";

/// A good token, what it says, and until when, in seconds since the epoch.
struct Verified {
    token: Box<str>,
    caller: Rc<Caller>,
    end: u64,
}

impl CallerVerifier {
    /// Verifies tokens where there is an `[identity]`, certificates where there are `[callers]`.
    #[must_use]
    pub fn new(identity: Option<&IdentitySettings>, callers: Option<&CallerSettings>) -> Self {
        Self {
            identity: identity.cloned(),
            entries: callers.map(CallerSettings::shared),
            tokens: RefCell::default(),
        }
    }

    /// Who sends this request, which comes now.
    ///
    /// # Errors
    /// [`CallerError`]; nothing has been done then.
    pub fn verify(&self, request: &HttpRequest, now: SystemTime) -> Result<Rc<Caller>, CallerError> {
        let entry = self.entry(request)?;
        let caller = match &self.identity {
            None => Rc::new(Caller::anonymous()),
            Some(identity) => self.token(identity, bearer(request.headers())?, now)?,
        };
        Ok(match entry {
            None => caller,
            entry => Rc::new(Caller { entry, ..(*caller).clone() }),
        })
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.tokens.borrow().len()
    }

    /// The entry of the connection's certificate.
    fn entry(&self, request: &HttpRequest) -> Result<Option<Rc<CallerEntry>>, CallerError> {
        let Some(entries) = &self.entries else { return Ok(None) };
        let peer = request.conn_data::<Peer>().ok_or(CallerError::UnknownCertificate)?;
        let index = peer.known_as(|peer| entries.iter().position(|entry| peer.is(&entry.san)));
        let entry = index.and_then(|index| entries.get(index)).ok_or(CallerError::UnknownCertificate)?;
        Ok(Some(Rc::clone(entry)))
    }

    fn token(
        &self,
        identity: &IdentitySettings,
        token: &[u8],
        now: SystemTime,
    ) -> Result<Rc<Caller>, CallerError> {
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // The hash has a key that nobody outside knows, so that how long this takes tells nothing of other tokens.
        let tail = token.last_chunk::<TAIL>().ok_or(CallerError::Token(VerifyError::Malformed))?;
        if let Some(known) = self.tokens.borrow().get(tail).filter(|known| known.token.as_bytes() == token) {
            return match seconds < known.end {
                true => Ok(Rc::clone(&known.caller)),
                false => Err(CallerError::Token(VerifyError::Expired)),
            };
        }
        let text = str::from_utf8(token).map_err(|_| CallerError::Token(VerifyError::Malformed))?;
        let verified = check(identity, text, now)?;
        let caller = Rc::clone(&verified.caller);
        self.remember(*tail, verified, seconds);
        Ok(caller)
    }

    fn remember(&self, tail: [u8; TAIL], verified: Verified, now: u64) {
        let mut tokens = self.tokens.borrow_mut();
        if tokens.len() >= MOST_TOKENS {
            tokens.retain(|_, known| now < known.end);
        }
        if tokens.len() >= MOST_TOKENS {
            tokens.clear();
        }
        tokens.insert(tail, verified);
    }
}

fn check(identity: &IdentitySettings, token: &str, now: SystemTime) -> Result<Verified, CallerError> {
    let claims = verify(token, &identity.keys).map_err(CallerError::Token)?;
    let IdentitySettings { issuer, audience, leeway, .. } = identity;
    Expected { now, leeway: *leeway, issuer, audience }.check(&claims).map_err(CallerError::Token)?;
    let read: Claims =
        serde_json::from_value(Value::Object(claims.clone())).map_err(|_| CallerError::Claims)?;
    if read.exp.saturating_sub(read.iat) > LONGEST_LIFE {
        return Err(CallerError::LongLived);
    }
    let caller = Caller {
        name: read.sub.into(),
        authorities: read.authorities.into(),
        claims: Rc::new(claims),
        entry: None,
    };
    Ok(Verified {
        token: token.into(),
        caller: Rc::new(caller),
        end: read.exp.saturating_add(leeway.as_secs()),
    })
}

/// The one bearer token (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&[u8], CallerError> {
    let mut values = headers.get_all(AUTHORIZATION);
    let (Some(value), None) = (values.next(), values.next()) else { return Err(CallerError::NoToken) };
    // Whether the rest is text is looked at once for each token, when it is verified.
    let (scheme, token) = value.as_bytes().split_at_checked(SCHEME.len()).ok_or(CallerError::NoToken)?;
    if scheme.eq_ignore_ascii_case(SCHEME) { Ok(token) } else { Err(CallerError::NoToken) }
}
