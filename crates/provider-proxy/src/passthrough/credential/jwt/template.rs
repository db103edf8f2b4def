//! A claim's value, with places for what is known of the caller.

use chassis::{environment::Environment, settings};
use serde_json::{Map, Value};

use super::super::CredentialError;
use crate::caller::Caller;

/// A value of JSON in which texts may hold `{caller.sub}`, `{caller.authorities}` and `{claims.NAME}`. A text that is
/// nothing but one of these becomes that claim with its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Template {
    Fixed(Value),
    Whole(Place),
    Text(Vec<Piece>),
    List(Vec<Template>),
    Table(Vec<(String, Template)>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Fixed(String),
    Filled(Place),
}

/// What is filled in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    Subject,
    Authorities,
    Claim(String),
}

impl Template {
    /// The value for a caller.
    ///
    /// # Errors
    /// [`CredentialError::Claim`] when the caller's token lacks a claim, or has one within a text that is no text, number or flag.
    pub(super) fn fill(&self, caller: &Caller) -> Result<Value, CredentialError> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Whole(place) => place.value(caller)?,
            Self::Text(pieces) => {
                let pieces: Result<String, CredentialError> =
                    pieces.iter().map(|piece| piece.text(caller)).collect();
                Value::String(pieces?)
            }
            Self::List(items) => {
                Value::Array(items.iter().map(|item| item.fill(caller)).collect::<Result<_, _>>()?)
            }
            Self::Table(fields) => {
                let fill = |(name, template): &(String, Self)| Ok((name.clone(), template.fill(caller)?));
                Value::Object(fields.iter().map(fill).collect::<Result<Map<_, _>, CredentialError>>()?)
            }
        })
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        Ok(match value {
            toml::Value::String(text) => Self::parse(text)?,
            toml::Value::Integer(number) => Self::Fixed((*number).into()),
            toml::Value::Boolean(flag) => Self::Fixed((*flag).into()),
            toml::Value::Array(items) => {
                Self::List(items.iter().map(Self::from_toml).collect::<Result<_, _>>()?)
            }
            toml::Value::Table(table) => {
                let read = |(name, value): (&String, _)| Ok((name.clone(), Self::from_toml(value)?));
                Self::Table(table.iter().map(read).collect::<Result<_, String>>()?)
            }
            toml::Value::Float(_) | toml::Value::Datetime(_) => {
                return Err("expected text, a whole number, a flag, a list or a table".into());
            }
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, behind) = behind.split_once('}').ok_or("a { is not closed")?;
            if !before.is_empty() {
                pieces.push(Piece::Fixed(before.to_owned()));
            }
            pieces.push(Piece::Filled(Place::parse(name)?));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Fixed(rest.to_owned()));
        }
        Ok(match &pieces[..] {
            [Piece::Filled(place)] => Self::Whole(place.clone()),
            [] | [Piece::Fixed(_)] => Self::Fixed(text.into()),
            _ => Self::Text(pieces),
        })
    }
}

impl Piece {
    fn text(&self, caller: &Caller) -> Result<String, CredentialError> {
        match self {
            Self::Fixed(text) => Ok(text.clone()),
            Self::Filled(place) => match place.value(caller)? {
                Value::String(text) => Ok(text),
                Value::Number(number) => Ok(number.to_string()),
                Value::Bool(flag) => Ok(flag.to_string()),
                Value::Null | Value::Array(_) | Value::Object(_) => Err(place.missing()),
            },
        }
    }
}

impl Place {
    fn parse(name: &str) -> Result<Self, String> {
        match name.split_once('.') {
            Some(("caller", "sub")) => Ok(Self::Subject),
            Some(("caller", "authorities")) => Ok(Self::Authorities),
            Some(("claims", claim)) if !claim.is_empty() => Ok(Self::Claim(claim.to_owned())),
            _ => Err("in braces expected caller.sub, caller.authorities or claims.NAME".into()),
        }
    }

    fn value(&self, caller: &Caller) -> Result<Value, CredentialError> {
        match self {
            Self::Subject => Ok(Value::from(&*caller.name)),
            Self::Authorities => Ok(Value::from(&*caller.authorities)),
            Self::Claim(name) => caller.claims.get(name).cloned().ok_or_else(|| self.missing()),
        }
    }

    fn missing(&self) -> CredentialError {
        let claim = match self {
            Self::Subject => "sub",
            Self::Authorities => "authorities",
            Self::Claim(name) => name,
        };
        CredentialError::Claim { claim: claim.to_owned() }
    }
}

impl settings::Value for Template {
    fn read(value: &toml::Value, _: &Environment) -> Result<Self, String> {
        Self::from_toml(value)
    }

    fn placeholder() -> Self {
        Self::Fixed(Value::Null)
    }
}
