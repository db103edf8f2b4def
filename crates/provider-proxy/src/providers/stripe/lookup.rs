//! What became of something, by Stripe's id or by our attempt.
//!
//! Stripe's search is behind by up to a minute, in bad times by an hour; its lists are not. An attempt is a UUID of
//! version 7 and says when it was made: what the search does not find is looked for in the list of that time. Where that
//! list is too long, the search has the last word, once it cannot be behind any more.

use wire::payment::{AttemptId, Found, Lookup, LookupBy};

use super::{
    Stripe,
    client::{Call, id},
    messages::{Page, PaymentIntent, Refund, attempt},
    payment::{outcome, refund_outcome, unexpected},
};
use crate::{error::ProxyError, providers::exchange::Unintelligible};

/// How far Stripe's clock may be behind ours, in seconds.
const BEFORE: i64 = 300;
/// How long after an attempt was made its payment is looked for in the list, in seconds: longer than the search is
/// ever behind, and a request may have waited before it was sent.
const AFTER: i64 = 2 * 3600;
/// How far the search is behind at most, in seconds (Stripe's API reference, "Search": up to an hour during outages).
const BEHIND: i64 = 3600;
/// The largest page that Stripe gives.
const PAGE: &str = "100";
/// How many pages are read before it is said that there are too many.
const PAGES: usize = 10;

/// What of a list was seen.
enum Seen<T> {
    /// What was looked for.
    Found(T),
    /// All of it; what was looked for is not there.
    All,
    /// Not all of it: it is too long.
    TooLong,
}

/// What the search says.
enum Searched {
    /// The id of the payment.
    Found(String),
    /// Nothing, as far as it knows by now.
    Nothing,
    /// It cannot be asked.
    Unavailable,
}

impl Stripe {
    pub(super) async fn look_up(&self, request: &Lookup) -> Result<Found, ProxyError> {
        match &request.by {
            LookupBy::Payment { reference } => self.payment(id("by.payment.reference", reference)?).await,
            LookupBy::Refund { reference } => {
                let path = format!("/v1/refunds/{}", id("by.refund.reference", reference)?);
                found_refund(self.client.read(Call::get(path)).await?)
            }
            LookupBy::PaymentAttempt { of } => self.payment_of_attempt(*of).await,
            LookupBy::RefundAttempt { of, payment } => {
                self.refund_of_attempt(*of, id("by.refund_attempt.payment", payment)?).await
            }
        }
    }

    async fn payment(&self, reference: &str) -> Result<Found, ProxyError> {
        let call = Call::get(format!("/v1/payment_intents/{reference}"))
            .with("expand[]", "latest_charge")
            .with("expand[]", "payment_method");
        let Some(intent) = self.client.read::<PaymentIntent>(call).await? else { return Ok(Found::Nothing) };
        Ok(Found::Payment { outcome: outcome(&intent).map_err(unexpected)? })
    }

    async fn payment_of_attempt(&self, of: AttemptId) -> Result<Found, ProxyError> {
        let searched = self.search(of).await;
        let reference = match searched {
            Searched::Found(reference) => reference,
            Searched::Nothing | Searched::Unavailable => match self.list(of).await? {
                Seen::Found(intent) => intent.id,
                Seen::All => return Ok(Found::Nothing),
                Seen::TooLong if matches!(searched, Searched::Nothing) && self.is_searchable(of) => {
                    return Ok(Found::Nothing);
                }
                Seen::TooLong => return Err(too_long()),
            },
        };
        // What the search knows may be old, too.
        self.payment(id("id", &reference)?).await
    }

    /// Whether the search knows all payments that an attempt may have made.
    fn is_searchable(&self, of: AttemptId) -> bool {
        self.clock.unix_seconds() >= made(of) + AFTER + BEHIND
    }

    /// The quick way, which is not there for every account; whatever goes wrong here, the list decides.
    async fn search(&self, of: AttemptId) -> Searched {
        let call = Call::get("/v1/payment_intents/search")
            .with("query", &format!("metadata['attempt']:'{of}'"))
            .with("limit", "1");
        let found = match self.client.read::<Page<PaymentIntent>>(call).await {
            Ok(Some(page)) => page.data.into_iter().next(),
            Ok(None) => return Searched::Unavailable,
            Err(error) => {
                log::warn!("{}", crate::server::chain(&error));
                return Searched::Unavailable;
            }
        };
        match found {
            Some(intent) if attempt(&intent.metadata) == Some(of) => Searched::Found(intent.id),
            // Another payment than the one that was asked for is no answer.
            Some(_) => Searched::Unavailable,
            None => Searched::Nothing,
        }
    }

    async fn list(&self, of: AttemptId) -> Result<Seen<PaymentIntent>, ProxyError> {
        let made = made(of);
        let (from, to) = ((made - BEFORE).to_string(), (made + AFTER).to_string());
        let times = [("created[gte]", from.as_str()), ("created[lte]", to.as_str())];
        let is_it = |intent: &PaymentIntent| attempt(&intent.metadata) == Some(of);
        self.find("/v1/payment_intents", &times, is_it, |one| &one.id).await
    }

    async fn refund_of_attempt(&self, of: AttemptId, payment: &str) -> Result<Found, ProxyError> {
        let is_it = |refund: &Refund| refund.metadata.as_ref().and_then(attempt) == Some(of);
        match self.find("/v1/refunds", &[("payment_intent", payment)], is_it, |one| &one.id).await? {
            Seen::Found(refund) => found_refund(Some(refund)),
            Seen::All => Ok(Found::Nothing),
            Seen::TooLong => Err(too_long()),
        }
    }

    /// Goes through a list page by page.
    async fn find<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        filter: &[(&str, &str)],
        is_it: impl Fn(&T) -> bool,
        id_of: impl Fn(&T) -> &String,
    ) -> Result<Seen<T>, ProxyError> {
        let mut after: Option<String> = None;
        for _ in 0..PAGES {
            let mut call = Call::get(path).with("limit", PAGE).with_some("starting_after", after.as_deref());
            for (name, value) in filter {
                call = call.with(name, value);
            }
            let Some(page) = self.client.read::<Page<T>>(call).await? else { return Ok(Seen::All) };
            after = page.data.last().map(|one| id_of(one).clone());
            let has_more = page.has_more && after.is_some();
            if let Some(found) = page.data.into_iter().find(&is_it) {
                return Ok(Seen::Found(found));
            }
            if !has_more {
                return Ok(Seen::All);
            }
        }
        Ok(Seen::TooLong)
    }
}

/// Nothing can be said of what was not seen.
fn too_long() -> ProxyError {
    unexpected(Unintelligible::field("data", "more objects than are looked through"))
}

fn found_refund(refund: Option<Refund>) -> Result<Found, ProxyError> {
    let Some(refund) = refund else { return Ok(Found::Nothing) };
    Ok(Found::Refund { outcome: refund_outcome(&refund).map_err(unexpected)? })
}

/// When an attempt was made, in seconds since 1970: the first 48 bits are its milliseconds (RFC 9562, 5.7).
fn made(of: AttemptId) -> i64 {
    let milliseconds = of.uuid().as_u128() >> 80;
    i64::try_from(milliseconds / 1000).unwrap_or(0)
}
