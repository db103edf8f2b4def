//! `GET /v1/payment_intents/search`: finds payments by their metadata, a little later than they are made.
//!
//! Source: Stripe's page "Search". Of its query language the clauses `metadata['key']:'value'`, `customer:'id'` and
//! `status:'word'` are here, joined by AND. The index may be behind: `PUT /_sandbox/stripe/search` says how far.

use serde_json::{Value, json};

use super::books::{Books, Call};
use super::error::Failure;
use super::payment_intent::PaymentIntent;
use super::shelf::{Object as _, limit};

/// One clause of a query.
#[derive(Debug, Eq, PartialEq)]
enum Clause {
    Metadata(String, String),
    Customer(String),
    Status(String),
}

pub(super) fn payment_intents(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let query = call.params.required("query")?;
    let limit = limit(&mut call.params)?;
    let page = call.params.text("page")?;
    call.finish()?;
    let clauses = parse(&query).ok_or_else(|| {
        Failure::invalid(format!("The query '{query}' is not one that the sandbox reads."), "query")
    })?;
    let skipped = page.map_or(Ok(0), |page| page.parse::<usize>());
    let skipped = skipped.map_err(|_| Failure::invalid("Invalid page", "page"))?;
    let newest = call.origin.seconds() - books.search_lag;
    let found: Vec<&PaymentIntent> = books
        .payment_intents
        .iter()
        .rev()
        .filter(|intent| books.search_lag == 0 || intent.created() <= newest)
        .filter(|intent| clauses.iter().all(|clause| clause.holds(intent)))
        .collect();
    let data: Vec<Value> = found.iter().skip(skipped).take(limit).map(|intent| intent.show()).collect();
    let next = skipped + data.len();
    let has_more = next < found.len();
    Ok(json!({
        "object": "search_result", "url": "/v1/payment_intents/search", "has_more": has_more,
        "next_page": has_more.then(|| next.to_string()), "data": data
    }))
}

impl Clause {
    fn holds(&self, intent: &PaymentIntent) -> bool {
        match self {
            Self::Metadata(name, value) => intent.metadata.get(name) == Some(value),
            Self::Customer(id) => intent.customer.as_ref() == Some(id),
            Self::Status(word) => intent.status.name() == word,
        }
    }
}

fn parse(query: &str) -> Option<Vec<Clause>> {
    query.split(" AND ").map(|clause| parse_clause(clause.trim())).collect()
}

fn parse_clause(text: &str) -> Option<Clause> {
    let (field, value) = text.split_once("]:").map_or_else(
        || text.split_once(':').map(|(field, value)| (field.to_owned(), value)),
        |(field, value)| Some((format!("{field}]"), value)),
    )?;
    let value = unquote(value)?;
    if let Some(name) = field.strip_prefix("metadata[").and_then(|rest| rest.strip_suffix(']')) {
        return Some(Clause::Metadata(unquote(name)?, value));
    }
    match field.as_str() {
        "customer" => Some(Clause::Customer(value)),
        "status" => Some(Clause::Status(value)),
        _ => None,
    }
}

/// A text in single or double quotes.
fn unquote(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(quote)).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_clauses_joined_by_and() {
        let clauses = parse("metadata['attempt']:'0190-1' AND status:\"succeeded\"").unwrap();
        let expected =
            [Clause::Metadata("attempt".into(), "0190-1".into()), Clause::Status("succeeded".into())];
        assert_eq!(clauses, expected);
        for wrong in ["", "amount>1000", "metadata[attempt]:'x'", "status:succeeded", "status:'a'b'"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
