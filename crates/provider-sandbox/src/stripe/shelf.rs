//! Objects of one kind in the order in which they were made, listed as Stripe lists them.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::error::Failure;
use super::form::Params;

/// How many objects a list shows when nobody says.
const USUAL: i64 = 10;
/// How many it shows at most.
const MOST: i64 = 100;

/// An object with an id of its own.
pub(super) trait Object: Serialize {
    /// What stands in "No such …".
    const NAME: &'static str;

    fn id(&self) -> &str;

    /// When it was made, in seconds since 1970.
    fn created(&self) -> i64;

    /// As the API shows it.
    fn show(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// All objects of one kind.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    items: Vec<T>,
    places: HashMap<String, usize>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { items: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Object> Shelf<T> {
    /// Adds an object, and gives it back as it is shown.
    pub(super) fn add(&mut self, object: T) -> Value {
        let shown = object.show();
        self.places.insert(object.id().to_owned(), self.items.len());
        self.items.push(object);
        shown
    }

    pub(super) fn find(&self, id: &str) -> Option<&T> {
        self.places.get(id).and_then(|&place| self.items.get(place))
    }

    pub(super) fn find_mut(&mut self, id: &str) -> Option<&mut T> {
        self.places.get(id).and_then(|&place| self.items.get_mut(place))
    }

    /// The object that the path names.
    pub(super) fn in_path(&self, id: &str) -> Result<&T, Failure> {
        self.find(id).ok_or_else(|| Failure::no_such(T::NAME, id, "id").in_path())
    }

    /// The object that the path names, to be changed.
    pub(super) fn in_path_mut(&mut self, id: &str) -> Result<&mut T, Failure> {
        self.find_mut(id).ok_or_else(|| Failure::no_such(T::NAME, id, "id").in_path())
    }

    /// The object that a parameter names.
    pub(super) fn in_param(&self, id: &str, param: &str) -> Result<&T, Failure> {
        self.find(id).ok_or_else(|| Failure::no_such(T::NAME, id, param))
    }

    /// All of them, the first one first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter()
    }

    /// One page, the last one first: `limit`, `starting_after`, `ending_before` and `created[…]` are taken.
    pub(super) fn list(
        &self,
        url: &str,
        params: &mut Params,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Value, Failure> {
        let limit = limit(params)?;
        let created = Created::take(params)?;
        let after = params.text("starting_after")?;
        let before = params.text("ending_before")?;
        let end = after.map_or(Ok(self.items.len()), |id| self.place(&id, "starting_after"))?;
        let begin = before.map_or(Ok(0), |id| self.place(&id, "ending_before").map(|place| place + 1))?;
        let range = self.items.get(begin..end.max(begin)).unwrap_or_default();
        let mut found = range.iter().rev().filter(|item| created.holds(item.created()) && wanted(item));
        let data: Vec<Value> = found.by_ref().take(limit).map(T::show).collect();
        let has_more = found.next().is_some();
        Ok(json!({"object": "list", "data": data, "has_more": has_more, "url": url}))
    }

    fn place(&self, id: &str, param: &str) -> Result<usize, Failure> {
        self.places.get(id).copied().ok_or_else(|| Failure::no_such(T::NAME, id, param))
    }
}

/// How many objects a page may have.
pub(super) fn limit(params: &mut Params) -> Result<usize, Failure> {
    let limit = params.integer("limit")?.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        let message = format!("Invalid limit: must be between 1 and {MOST}");
        return Err(Failure::invalid(message, "limit").code("parameter_invalid_integer"));
    }
    Ok(usize::try_from(limit).unwrap_or_default())
}

/// `created=N` or `created[gte]=N` and so on.
#[derive(Debug, Default)]
struct Created {
    least: Option<i64>,
    most: Option<i64>,
}

impl Created {
    fn take(params: &mut Params) -> Result<Self, Failure> {
        if let Ok(Some(exactly)) = params.clone().integer("created") {
            drop(params.integer("created"));
            return Ok(Self { least: Some(exactly), most: Some(exactly) });
        }
        let Some(mut table) = params.table("created")? else { return Ok(Self::default()) };
        let after = table.integer("gt")?.map(|time| time.saturating_add(1));
        let before = table.integer("lt")?.map(|time| time.saturating_sub(1));
        let created = Self {
            least: table.integer("gte")?.max(after),
            most: [table.integer("lte")?, before].into_iter().flatten().min(),
        };
        table.finish()?;
        Ok(created)
    }

    fn holds(&self, time: i64) -> bool {
        self.least.is_none_or(|least| time >= least) && self.most.is_none_or(|most| time <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing(String, i64);

    impl Object for Thing {
        const NAME: &'static str = "thing";

        fn id(&self) -> &str {
            &self.0
        }

        fn created(&self) -> i64 {
            self.1
        }

        fn show(&self) -> Value {
            json!(self.0)
        }
    }

    fn page(shelf: &Shelf<Thing>, query: &str) -> (Value, bool) {
        let mut params = Params::parse(query.as_bytes()).unwrap();
        let page = shelf.list("/v1/things", &mut params, |_| true).unwrap();
        params.finish().unwrap();
        (page["data"].clone(), page["has_more"].as_bool().unwrap())
    }

    #[test]
    fn a_list_begins_with_the_last_and_goes_on_where_it_is_told() {
        let mut shelf = Shelf::default();
        for index in 0..5 {
            shelf.add(Thing(format!("t{index}"), 100 + index));
        }
        assert_eq!(page(&shelf, "limit=2"), (json!(["t4", "t3"]), true));
        assert_eq!(page(&shelf, "limit=2&starting_after=t3"), (json!(["t2", "t1"]), true));
        assert_eq!(page(&shelf, "limit=2&starting_after=t1"), (json!(["t0"]), false));
        assert_eq!(page(&shelf, "ending_before=t3"), (json!(["t4"]), false));
        assert_eq!(page(&shelf, "created[gte]=101&created[lt]=103"), (json!(["t2", "t1"]), false));
        assert_eq!(page(&shelf, "created=104"), (json!(["t4"]), false));
        for wrong in ["limit=0", "limit=101", "limit=x", "starting_after=t9", "created[after]=1"] {
            let mut params = Params::parse(wrong.as_bytes()).unwrap();
            assert!(shelf.list("", &mut params, |_| true).is_err(), "{wrong}");
        }
    }
}
