//! `POST /transactions/advanced_search_ids` and `/transactions/advanced_search`.
//!
//! The first gives all ids, the second the transactions of some of them; so do the SDKs search.

use chrono::{DateTime, Utc};

use super::answer::{Answer, Handled};
use super::books::Books;
use super::refusal::Refusal;
use super::transaction::{Kind, Transaction};
use super::xml::{Element, Node};

/// How many transactions are fetched at once.
const PAGE: usize = 50;

/// The ids that fit, the newest first.
pub(super) fn ids(books: &Books, search: &Node) -> Handled {
    let found = matching(books, search)?;
    let ids: Vec<String> = found.iter().map(|transaction| transaction.id.clone()).collect();
    let results = vec![Element::integer("page-size", PAGE), Element::items("ids", &ids)];
    Ok(Answer::shown(Element::node("search-results", results)))
}

/// The first page of those that fit.
pub(super) fn page(books: &Books, search: &Node) -> Handled {
    let found = matching(books, search)?;
    let mut children = vec![
        Element::integer("current-page-number", 1),
        Element::integer("page-size", PAGE),
        Element::integer("total-items", found.len()),
    ];
    children.extend(found.iter().take(PAGE).map(|transaction| transaction.show()));
    Ok(Answer::shown(Element::collection("credit-card-transactions", children)))
}

fn matching<'books>(books: &'books Books, search: &Node) -> Result<Vec<&'books Transaction>, Refusal> {
    let mut found: Vec<&Transaction> = books.transactions.iter().rev().collect();
    for criterion in search.children() {
        let mut fitting = Vec::new();
        for transaction in found {
            let fits = match criterion.name() {
                "created_at" => is_in_time(transaction.created, criterion)?,
                name => {
                    let field = Field::named(name).ok_or(Refusal::BadRequest)?;
                    fits(&field.of(transaction), criterion)?
                }
            };
            if fits {
                fitting.push(transaction);
            }
        }
        found = fitting;
    }
    Ok(found)
}

/// What can be searched for; anything else is refused, for to leave it out would find everything.
enum Field {
    Id,
    OrderId,
    Status,
    Type,
    CustomerId,
    Token,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" | "ids" => Self::Id,
            "order_id" => Self::OrderId,
            "status" => Self::Status,
            "type" => Self::Type,
            "customer_id" => Self::CustomerId,
            "payment_method_token" => Self::Token,
            _ => return None,
        })
    }

    fn of(&self, transaction: &Transaction) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match self {
            Self::Id => transaction.id.clone(),
            Self::OrderId => text(&transaction.order_id),
            Self::Status => transaction.status.name().to_owned(),
            Self::Type => if transaction.kind == Kind::Sale { "sale" } else { "credit" }.to_owned(),
            Self::CustomerId => text(&transaction.customer_id),
            Self::Token => text(&transaction.token),
        }
    }
}

/// Whether a time, to the second, lies in a range; both of its ends are in it.
fn is_in_time(at: DateTime<Utc>, criterion: &Node) -> Result<bool, Refusal> {
    for operator in criterion.children() {
        let wanted = DateTime::parse_from_rfc3339(operator.content()).map_err(|_| Refusal::BadRequest)?;
        let (at, wanted) = (at.timestamp(), wanted.timestamp());
        let fits = match operator.name() {
            "is" => at == wanted,
            "min" => at >= wanted,
            "max" => at <= wanted,
            _ => return Err(Refusal::BadRequest),
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fits(value: &str, criterion: &Node) -> Result<bool, Refusal> {
    let operators = criterion.children();
    if operators.iter().all(|operator| operator.name() == "item") {
        return Ok(criterion.items().contains(&value));
    }
    for operator in operators {
        let wanted = operator.content();
        let fits = match operator.name() {
            "is" => value == wanted,
            "is_not" => value != wanted,
            "starts_with" => value.starts_with(wanted),
            "ends_with" => value.ends_with(wanted),
            "contains" => value.contains(wanted),
            _ => return Err(Refusal::BadRequest),
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}
