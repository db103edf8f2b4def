//! The reference provider's requests: method, path and JSON body of each operation.
//!
//! Source: `docs/using.rst`, `lib/sellers.js`, `lib/products.js` and `lib/trans.js` of Mozilla's zippy.

use actix_web::http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;
use wire::{Money, Operation, reference};

use super::error::Error;
use crate::shape::ShapeError;

/// One request to the provider, without URL and credentials.
pub(super) struct Call {
    pub(super) method: Method,
    /// Begins with a slash; every part of it that a caller chose is one percent-encoded segment.
    pub(super) path: String,
    /// JSON, where the method has a body.
    pub(super) body: Option<Vec<u8>>,
}

/// An operation in the provider's protocol.
pub(super) trait Message: Operation {
    /// The provider's request.
    fn call(request: &Self::Request) -> Result<Call, Error>;

    /// How much money it is about; none for what moves none.
    fn amount(_request: &Self::Request) -> Option<Money> {
        None
    }

    /// Whether the answer is about what was asked.
    fn check(_request: &Self::Request, _answer: &Self::Answer) -> Result<(), Error> {
        Ok(())
    }
}

impl Message for reference::CreateSeller {
    fn call(request: &Self::Request) -> Result<Call, Error> {
        post("/sellers", request)
    }
}

impl Message for reference::GetSeller {
    fn call(request: &Self::Request) -> Result<Call, Error> {
        get("/sellers", &request.reference_id)
    }
}

impl Message for reference::UpdateSeller {
    fn call(request: &Self::Request) -> Result<Call, Error> {
        put("/sellers", &request.reference_id, &request.fields)
    }
}

impl Message for reference::CreateProduct {
    fn call(request: &Self::Request) -> Result<Call, Error> {
        post("/products", request)
    }
}

impl Message for reference::GetProduct {
    fn call(request: &Self::Request) -> Result<Call, Error> {
        get("/products", &request.reference_id)
    }
}

impl Message for reference::UpdateProduct {
    fn call(request: &Self::Request) -> Result<Call, Error> {
        put("/products", &request.reference_id, &request.fields)
    }
}

impl Message for reference::GetTerms {
    fn call(request: &Self::Request) -> Result<Call, Error> {
        get("/terms", &request.reference_id)
    }
}

impl Message for reference::UpdateTerms {
    fn call(request: &Self::Request) -> Result<Call, Error> {
        put("/terms", &request.reference_id, &request.fields)
    }
}

impl Message for reference::Start {
    fn call(request: &Self::Request) -> Result<Call, Error> {
        if request.price.minor_units <= 0 {
            return Err(Error::Request(ShapeError::field("price.minor_units", "expected more than 0")));
        }
        post("/transactions", &Transaction::from(request))
    }

    fn amount(request: &Self::Request) -> Option<Money> {
        Some(request.price)
    }

    /// The provider repeats price and currency. An answer about anything else, or about nothing, is no answer to what
    /// was asked: whether the right purchase was started is unknown.
    fn check(request: &Self::Request, answer: &Self::Answer) -> Result<(), Error> {
        let fields = &answer.resource.fields;
        let currency = fields.get("currency").and_then(Value::as_str).unwrap_or_default();
        let price = match fields.get("price") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let same = currency == request.price.currency.code()
            && Money::parse(&price, request.price.currency) == Ok(request.price);
        if !same {
            return Err(Error::Amount(request.price));
        }
        if answer.token().is_none_or(str::is_empty) {
            return Err(Error::Answer(ShapeError::field("token", "missing")));
        }
        Ok(())
    }
}

/// A purchase in the provider's words: the price is a decimal string beside its currency.
#[derive(Serialize)]
struct Transaction<'request> {
    product_id: &'request str,
    region: &'request str,
    carrier: &'request str,
    price: String,
    currency: &'request str,
    pay_method: &'request str,
    callback_success_url: &'request str,
    callback_error_url: &'request str,
    success_url: &'request str,
    error_url: &'request str,
    ext_transaction_id: &'request str,
}

impl<'request> From<&'request reference::StartTransaction> for Transaction<'request> {
    fn from(request: &'request reference::StartTransaction) -> Self {
        Self {
            product_id: &request.product_id,
            region: &request.region,
            carrier: &request.carrier,
            price: request.price.decimal(),
            currency: request.price.currency.code(),
            pay_method: &request.pay_method,
            callback_success_url: &request.callback_success_url,
            callback_error_url: &request.callback_error_url,
            success_url: &request.success_url,
            error_url: &request.error_url,
            ext_transaction_id: &request.ext_transaction_id,
        }
    }
}

/// Reads a transaction; `field` is what the caller named it in.
pub(super) fn get_transaction(field: &str, id: &str) -> Result<Call, Error> {
    Ok(Call { method: Method::GET, path: member("/transactions", field, id)?, body: None })
}

/// A text as one segment of a path or one value of a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

fn post(collection: &str, body: &impl Serialize) -> Result<Call, Error> {
    Ok(Call { method: Method::POST, path: collection.to_owned(), body: Some(json(body)?) })
}

fn get(collection: &str, id: &str) -> Result<Call, Error> {
    Ok(Call { method: Method::GET, path: member(collection, "reference_id", id)?, body: None })
}

fn put(collection: &str, id: &str, body: &impl Serialize) -> Result<Call, Error> {
    Ok(Call { method: Method::PUT, path: member(collection, "reference_id", id)?, body: Some(json(body)?) })
}

fn json(body: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(body).map_err(|error| Error::Unsendable(Box::new(error)))
}

/// RFC 3986: everything but unreserved characters is encoded, slashes included.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Longer than any id that a provider gives.
const LONGEST_ID: usize = 255;

/// The path of one object.
fn member(collection: &str, field: &str, id: &str) -> Result<String, Error> {
    if let Some(message) = why_no_segment(id) {
        return Err(Error::Request(ShapeError::field(field, message)));
    }
    Ok(format!("{collection}/{}", encoded(id)))
}

/// A server behind the provider may decode a path once more than it should, and then follow its dots: such an id never
/// leaves this process.
fn why_no_segment(id: &str) -> Option<&'static str> {
    let decoded = percent_decode_str(id).decode_utf8_lossy();
    let climbs = |text: &str| text.split(['/', '\\']).any(|part| part == "." || part == "..");
    if id.is_empty() {
        Some("expected an id, not an empty text")
    } else if id.len() > LONGEST_ID {
        Some("expected at most 255 bytes")
    } else if id.chars().chain(decoded.chars()).any(char::is_control) {
        Some("expected no control characters")
    } else if climbs(id) || climbs(&decoded) {
        Some("expected no dot segments")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_is_one_segment_whatever_it_holds() {
        for (id, path) in [
            ("solitude:1f", "/sellers/solitude%3A1f"),
            ("a/b", "/sellers/a%2Fb"),
            ("a?b#c&d=e", "/sellers/a%3Fb%23c%26d%3De"),
            ("ü %", "/sellers/%C3%BC%20%25"),
            ("...", "/sellers/..."),
            ("a..b", "/sellers/a..b"),
        ] {
            assert_eq!(member("/sellers", "reference_id", id).unwrap(), path);
        }
    }

    #[test]
    fn an_id_that_could_steer_the_path_is_refused() {
        for id in [
            "",
            ".",
            "..",
            "../x",
            "x/..",
            "x/./y",
            "..\\x",
            "%2e%2e",
            "%2E",
            "x%2f..",
            "%2e%2e%2fx",
            "a\nb",
            "a\0",
            "%0d%0a",
        ] {
            assert!(matches!(member("/sellers", "reference_id", id), Err(Error::Request(_))), "{id:?}");
        }
        assert!(member("/sellers", "reference_id", &"x".repeat(256)).is_err());
    }

    proptest! {
        #[test]
        fn no_id_adds_a_segment_a_query_or_a_fragment(id in ".{0,60}") {
            if let Ok(path) = member("/sellers", "reference_id", &id) {
                let segment = path.strip_prefix("/sellers/").unwrap();
                prop_assert!(!segment.contains(['/', '\\', '?', '#', ' ']));
                prop_assert!(segment != "." && segment != ".." && !segment.is_empty());
                prop_assert_eq!(percent_decode_str(segment).decode_utf8().unwrap(), id);
            }
        }
    }
}
