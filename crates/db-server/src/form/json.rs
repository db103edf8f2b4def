//! Parses one JSON object and refuses a key that occurs twice. Of the few fields that are objects, the last one counts.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::BodyError;

/// Parses the fields of one object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, BodyError> {
    let mut duplicate = None;
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = Fields { duplicate: &mut duplicate }
        .deserialize(&mut deserializer)
        .and_then(|fields| deserializer.end().map(|()| fields));
    match (parsed, duplicate) {
        (_, Some(key)) => Err(BodyError::DuplicateKey(key)),
        (Ok(fields), None) => Ok(fields),
        (Err(error), None) if error.is_data() => Err(BodyError::NotAnObject),
        (Err(error), None) => Err(BodyError::Malformed(error)),
    }
}

/// Reads an object and keeps the first key that occurs twice.
struct Fields<'a> {
    duplicate: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if fields.contains_key(&key) {
                *self.duplicate = Some(key);
                return Err(A::Error::custom("duplicate key"));
            }
            fields.insert(key, access.next_value()?);
        }
        Ok(fields)
    }
}
