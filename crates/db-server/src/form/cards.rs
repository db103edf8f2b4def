//! Finds the fields of a request that hold a payment card's number, at any depth.

use std::collections::BTreeSet;

use chassis::card_number;
use serde_json::{Map, Value};

use crate::{field_errors::ALL, uri};

/// The fields that hold one. A field whose own name does is taken out, so that nobody repeats the name; it counts as
/// an error of the whole request.
pub(super) fn take(values: &mut Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    values.retain(|name, value| {
        let named = card_number::is_in(name);
        if named {
            found.insert(ALL.to_owned());
        } else if holds(value) {
            found.insert(name.clone());
        }
        !named
    });
    found
}

fn holds(value: &Value) -> bool {
    match value {
        // The id in the path of a resource is a number of our own making.
        Value::String(text) => card_number::is_in(text) && !uri::is_ours(text),
        Value::Array(items) => items.iter().any(holds),
        Value::Object(fields) => fields.iter().any(|(name, value)| card_number::is_in(name) || holds(value)),
        // A number is never a text, and no field keeps one that is this long.
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
