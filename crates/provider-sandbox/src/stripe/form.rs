//! Form-encoded parameters with brackets: `metadata[order]=6735&items[0][price]=price_1&expand[]=latest_charge`.
//!
//! Source: the request encoding of Stripe's API. Each operation takes what it knows; what is left over afterwards is
//! `parameter_unknown`, as it is there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::Failure;

/// How deep brackets may be nested.
const DEEPEST: usize = 8;

/// How many metadata entries an object may have, and how long their names and values may be, in characters.
const METADATA: (usize, usize, usize) = (50, 40, 500);

/// The parameters of one request, or of one table in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    fields: Map<String, Value>,
    /// Where the table stands, such as `items[0]`; empty for the whole request.
    place: String,
}

impl Params {
    /// Reads a query string or a form.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Failure> {
        let mut params = Self::default();
        for (name, value) in url::form_urlencoded::parse(text) {
            let path = split(&name).ok_or_else(|| Failure::invalid("Invalid request parameters.", &*name))?;
            insert(&mut params.fields, &path, &value)
                .ok_or_else(|| Failure::invalid(format!("Invalid parameter: {name}"), &*name))?;
        }
        Ok(params)
    }

    /// The whole as one text that is equal for equal parameters in whatever order they came.
    pub(super) fn canonical(&self) -> String {
        Value::Object(self.fields.clone()).to_string()
    }

    /// A text; None when it is absent. An empty one would unset the parameter, and is refused.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        match self.fields.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Err(Failure::empty(&self.full_name(name))),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Failure::invalid("Invalid string", self.full_name(name))),
        }
    }

    /// A text or, for one given empty, `Some(None)`: the parameter is unset.
    pub(super) fn unsettable(&mut self, name: &str) -> Result<Option<Option<String>>, Failure> {
        if self.fields.get(name).and_then(Value::as_str) == Some("") {
            self.fields.remove(name);
            return Ok(Some(None));
        }
        Ok(self.text(name)?.map(Some))
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, name: &str) -> Result<String, Failure> {
        self.text(name)?.ok_or_else(|| Failure::missing(&self.full_name(name)))
    }

    /// One of a few words.
    pub(super) fn one_of(
        &mut self,
        name: &str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let word = words.iter().find(|&&word| word == text).copied();
        word.map(Some).ok_or_else(|| {
            let message = format!("Invalid {name}: must be one of {}", words.join(", "));
            Failure::invalid(message, self.full_name(name))
        })
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let number = text.parse().map(Some);
        number.map_err(|_| Failure::no_integer(&text, &self.full_name(name)))
    }

    /// A whole number of at least one.
    pub(super) fn positive(&mut self, name: &str) -> Result<Option<i64>, Failure> {
        let number = self.integer(name)?;
        if number.is_some_and(|number| number < 1) {
            let message = "This value must be greater than or equal to 1.";
            return Err(Failure::invalid(message, self.full_name(name)).code("parameter_invalid_integer"));
        }
        Ok(number)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, Failure> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Failure::invalid(format!("Invalid boolean: {other}"), self.full_name(name))),
        }
    }

    /// A table of further parameters.
    pub(super) fn table(&mut self, name: &str) -> Result<Option<Self>, Failure> {
        match self.fields.remove(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self { fields, place: self.full_name(name) })),
            Some(_) => Err(Failure::invalid("Invalid object", self.full_name(name))),
        }
    }

    /// A list of tables.
    pub(super) fn tables(&mut self, name: &str) -> Result<Vec<Self>, Failure> {
        let Some(mut list) = self.table(name)? else { return Ok(Vec::new()) };
        let mut names: Vec<String> = list.fields.keys().cloned().collect();
        names.sort_by_key(|name| name.parse::<usize>().unwrap_or(usize::MAX));
        names.iter().map(|name| list.table(name).map(Option::unwrap_or_default)).collect()
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        let Some(mut list) = self.table(name)? else { return Ok(Vec::new()) };
        let mut names: Vec<String> = list.fields.keys().cloned().collect();
        names.sort_by_key(|name| name.parse::<usize>().unwrap_or(usize::MAX));
        names.iter().map(|name| list.required(name)).collect()
    }

    /// Changes metadata: a given entry replaces, an empty value removes, an empty `metadata` removes all.
    pub(super) fn metadata(&mut self, kept: &mut BTreeMap<String, String>) -> Result<(), Failure> {
        if self.fields.get("metadata").and_then(Value::as_str) == Some("") {
            self.fields.remove("metadata");
            kept.clear();
        }
        let Some(mut table) = self.table("metadata")? else { return Ok(()) };
        let (most, longest_name, longest_value) = METADATA;
        for name in table.fields.keys().cloned().collect::<Vec<_>>() {
            let value = table.unsettable(&name)?.flatten();
            let place = table.full_name(&name);
            if name.chars().count() > longest_name {
                return Err(Failure::invalid("Metadata keys can be at most 40 characters long.", place));
            }
            match value {
                None => drop(kept.remove(&name)),
                Some(value) if value.chars().count() > longest_value => {
                    return Err(Failure::invalid("Metadata values can have up to 500 characters.", place));
                }
                Some(value) => drop(kept.insert(name, value)),
            }
        }
        if kept.len() > most {
            return Err(Failure::invalid("Metadata can have at most 50 keys.", self.full_name("metadata")));
        }
        Ok(())
    }

    /// Refuses what nobody has taken.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(name) => Err(Failure::unknown_parameter(&self.full_name(name))),
        }
    }

    fn full_name(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.place) }
    }
}

/// `a[b][]` is `a`, `b` and an empty text.
fn split(name: &str) -> Option<Vec<&str>> {
    let (first, rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    let mut path = vec![first];
    let mut rest = rest;
    while let Some(inner) = rest.strip_prefix('[') {
        let (part, after) = inner.split_once(']')?;
        path.push(part);
        rest = after;
    }
    (rest.is_empty() && !first.is_empty() && path.len() <= DEEPEST).then_some(path)
}

/// None where one name is both a text and a table.
fn insert(fields: &mut Map<String, Value>, path: &[&str], value: &str) -> Option<()> {
    let (&name, rest) = path.split_first()?;
    let name = if name.is_empty() { fields.len().to_string() } else { name.to_owned() };
    if rest.is_empty() {
        return match fields.insert(name, Value::String(value.to_owned())) {
            Some(Value::Object(_)) => None,
            _ => Some(()),
        };
    }
    match fields.entry(name).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(inner) => insert(inner, rest, value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Params {
        Params::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn brackets_become_tables_and_lists() {
        let mut form =
            params("items[1][price]=b&items[0][price]=a&expand[]=x&expand[]=y&metadata[k]=v+%26&n=7");
        let prices: Vec<_> =
            form.tables("items").unwrap().iter_mut().map(|item| item.required("price")).collect();
        assert_eq!(prices.into_iter().map(Result::unwrap).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(form.texts("expand").unwrap(), ["x", "y"]);
        let mut metadata = BTreeMap::from([("old".to_owned(), "1".to_owned())]);
        form.metadata(&mut metadata).unwrap();
        assert_eq!(metadata["k"], "v &");
        assert_eq!(form.integer("n").unwrap(), Some(7));
        form.finish().unwrap();
        params("metadata=").metadata(&mut metadata).unwrap();
        assert!(metadata.is_empty());
    }

    #[test]
    fn what_nobody_knows_is_named_with_its_place() {
        let mut form = params("items[0][prize]=a");
        let mut item = form.tables("items").unwrap().remove(0);
        assert!(item.text("price").unwrap().is_none());
        assert_eq!(item.finish().unwrap_err().param(), Some("items[0][prize]"));
    }

    #[test]
    fn what_is_neither_a_text_nor_a_table_is_refused() {
        for text in ["a=1&a[b]=2", "a[b]=2&a=1", "a[b=1", "[a]=1", "a[b]c=1"] {
            assert!(Params::parse(text.as_bytes()).is_err(), "{text}");
        }
        for (text, name) in [("n=", "n"), ("n=1.5", "n"), ("n[x]=1", "n")] {
            assert_eq!(params(text).integer("n").unwrap_err().param(), Some(name), "{text}");
        }
        assert!(params("n=0").positive("n").is_err());
        assert!(params("b=yes").boolean("b").is_err());
    }

    #[test]
    fn the_order_of_parameters_does_not_matter_to_the_idempotency_key() {
        assert_eq!(params("a=1&b[c]=2").canonical(), params("b[c]=2&a=1").canonical());
        assert_ne!(params("a=1").canonical(), params("a=2").canonical());
    }
}
