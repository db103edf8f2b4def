//! Compares what a provider says it has taken and given back with our books.
//!
//! The provider's list is the one half, our rows the other. A row that only one of them has, or that they have with
//! different amounts, is not believed at once: lists are behind, and a movement may be dated on the other side of
//! midnight. The provider is asked about the payment or refund itself, and what it says then decides.

mod compare;
mod evidence;
mod fees;
pub mod nightly;
mod run;
mod window;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use thiserror::Error;
use wire::{
    Money,
    payment::{MovementKind, Provider},
};

use crate::{
    database::Database,
    proxy_client::{ProxyClient, ProxyError},
    store::StoreError,
};

/// Whole days in UTC: from the first one up to another, which is not among them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Range {
    /// The first day.
    pub from: NaiveDate,
    /// The first day that is too late.
    pub to: NaiveDate,
}

impl Range {
    /// One day.
    #[must_use]
    pub fn day(day: NaiveDate) -> Self {
        Self { from: day, to: day.checked_add_days(Days::new(1)).unwrap_or(day) }
    }

    /// Its first instant.
    #[must_use]
    pub fn begin(self) -> DateTime<Utc> {
        self.from.and_time(NaiveTime::MIN).and_utc()
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(self) -> DateTime<Utc> {
        self.to.and_time(NaiveTime::MIN).and_utc()
    }
}

/// What is the matter with a row.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The provider has moved money that is not in our books.
    Missing,
    /// Our books have money that the provider has not moved.
    Extra,
    /// Both have it, with different amounts or currencies.
    WrongAmount,
    /// Its outcome is not known yet, here or at the provider: no error, and nothing that agrees.
    Open,
}

impl Verdict {
    /// The word for it in JSON and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::WrongAmount => "wrong_amount",
            Self::Open => "open",
        }
    }
}

/// A row of ours, by its public id.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ours {
    /// A payment.
    Payment(String),
    /// A refund.
    Refund(String),
    /// A transaction of one of the older paths.
    Transaction(String),
}

/// Something that does not agree.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Row {
    /// What is the matter with it.
    pub verdict: Verdict,
    /// Which way the money went.
    pub kind: MovementKind,
    /// The provider's id of the movement, or of the payment when it has listed no movement.
    pub reference: Option<String>,
    /// The row of ours that it is about.
    pub ours: Option<Ours>,
    /// How much the provider says; of a payment, all that was taken.
    pub at_provider: Option<Money>,
    /// How much our books say.
    pub in_books: Option<Money>,
    /// When, by the provider's clock (RFC 3339).
    pub at: Option<String>,
}

/// How many rows there are of each kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    /// Payments and refunds that agree.
    pub agreed: u64,
    /// [`Verdict::Missing`].
    pub missing: u64,
    /// [`Verdict::Extra`].
    pub extra: u64,
    /// [`Verdict::WrongAmount`].
    pub wrong_amount: u64,
    /// [`Verdict::Open`].
    pub open: u64,
}

/// What a comparison came to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Report {
    /// With which provider.
    pub provider: Provider,
    /// Of which days.
    #[serde(flatten)]
    pub range: Range,
    /// How many rows there are of each kind.
    pub counts: Counts,
    /// How many fees were posted in the ledger, none of which was there before.
    pub fees_posted: u64,
    /// All that does not agree: the provider's rows first, then ours.
    pub rows: Vec<Row>,
}

impl Report {
    fn new(provider: Provider, range: Range) -> Self {
        Self { provider, range, counts: Counts::default(), fees_posted: 0, rows: Vec::new() }
    }

    /// Whether nothing is missing, extra or of another amount.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        let Counts { missing, extra, wrong_amount, .. } = self.counts;
        missing == 0 && extra == 0 && wrong_amount == 0
    }

    /// How many fees were posted, such as `1 fee` or `2 fees`.
    #[must_use]
    pub fn fees_posted_in_words(&self) -> String {
        let plural = if self.fees_posted == 1 { "" } else { "s" };
        format!("{} fee{plural}", self.fees_posted)
    }

    fn add(&mut self, row: Row) {
        let counts = &mut self.counts;
        *match row.verdict {
            Verdict::Missing => &mut counts.missing,
            Verdict::Extra => &mut counts.extra,
            Verdict::WrongAmount => &mut counts.wrong_amount,
            Verdict::Open => &mut counts.open,
        } += 1;
        self.rows.push(row);
    }
}

/// Why nothing was compared.
#[derive(Debug, Error)]
pub enum ReconcileError {
    /// The provider's list cannot be had.
    #[error("the provider's list cannot be had: {0}")]
    Proxy(#[from] ProxyError),
    /// The database has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A list of the provider's goes on where it has been before.
    #[error("the provider's list has no end")]
    Endless,
}

/// Compares the days of a provider with our books. What has not begun by `now` is left out.
///
/// What the list says that the provider has kept of a movement is posted in the ledger, once for each movement, where the
/// movement agrees with our books. Nothing else is changed.
///
/// # Errors
/// [`ReconcileError`]; nothing may be concluded then.
pub async fn reconcile(
    database: &Database,
    proxy: &ProxyClient,
    provider: Provider,
    range: Range,
    now: DateTime<Utc>,
) -> Result<Report, ReconcileError> {
    run::Run::new(database, proxy, provider, range, now).finish().await
}
