//! Texts with places for the caller's claims: `/shops/{claims.sub}`.

use serde_json::{Map, Value};
use thiserror::Error;

/// A text with places for claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Text(Box<str>),
    Claim(Box<str>),
}

/// A claim that a template needs is missing, or cannot stand there. Shows its name only.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the claim {claim} is missing, or cannot stand where it is needed")]
pub struct ClaimError {
    /// The claim's name, as settings write it.
    pub claim: Box<str>,
}

const OPEN: &str = "{claims.";

impl Template {
    /// Reads a template; braces that do not begin with `{claims.` stand for themselves.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            let (name, after) = after.split_once('}').ok_or("{claims. is not closed")?;
            if name.is_empty() || name.contains(['{', '/']) {
                return Err("{claims.} names no claim");
            }
            parts.push(Part::Claim(name.into()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Self(parts))
    }

    /// The text, when there is no place for a claim.
    pub(super) fn constant(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Writes the text with the claims in their places, each by `write`, which says whether it could.
    ///
    /// # Errors
    /// [`ClaimError`] for a claim that is missing, is no text, or was refused by `write`.
    pub(super) fn fill(
        &self,
        claims: &Map<String, Value>,
        out: &mut String,
        write: fn(&str, &mut String) -> bool,
    ) -> Result<(), ClaimError> {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Claim(name) => match claims.get(&**name) {
                    Some(Value::String(value)) if write(value, out) => {}
                    _ => return Err(ClaimError { claim: name.clone() }),
                },
            }
        }
        Ok(())
    }
}
