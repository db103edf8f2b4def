//! The comparison that db-server makes by itself, once a night and provider, whichever of the servers comes first.
//!
//! A day is compared after it has ended, at the set time. A server that takes a day holds it for a while; a day that
//! failed, or whose server died, is taken again. Days on which no server ran are made up for, up to a week back.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use wire::payment::Provider;

use super::{Counts, Range, ReconcileError, Report, reconcile};
use crate::{
    database::Database,
    domain::Clock,
    error::chain,
    proxy_client::ProxyClient,
    settings::NightlySettings,
    store::{
        StoreError, code,
        reconciliation::{self, Ended, ReconciliationState},
    },
};

/// For how long a server that has taken a day is taken to be alive; a comparison that takes longer fails.
const HELD: TimeDelta = TimeDelta::hours(6);
/// After which time a day that failed is tried again.
const AGAIN: TimeDelta = TimeDelta::minutes(15);
/// How many days back what was missed is made up for.
const BACK: u64 = 7;
/// How many rows are kept of a comparison.
const KEPT: usize = 1_000;

/// What the nightly comparisons work with.
#[derive(Clone)]
pub struct Nightly {
    /// Where our books are.
    pub database: Database,
    /// What time it is.
    pub clock: Clock,
    /// When, and with whom.
    pub settings: NightlySettings,
}

impl Nightly {
    /// Makes every comparison that is due and that nobody else is making, and gives how many that were. What goes wrong
    /// with one is in the log and in its row.
    pub async fn run_due(&self, proxy: &ProxyClient) -> usize {
        let mut made = 0;
        for &provider in &self.settings.providers {
            match self.run_days(proxy, provider).await {
                Ok(days) => made += days,
                Err(error) => log::warn!("the nightly comparison with {provider} waits: {}", chain(&error)),
            }
        }
        made
    }

    async fn run_days(&self, proxy: &ProxyClient, provider: Provider) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let Some(last) = last_day(now, &self.settings) else { return Ok(0) };
        let Some(first) = last.checked_sub_days(Days::new(BACK - 1)) else { return Ok(0) };
        let code = code::Provider::from(provider);
        let known =
            self.database.read_one(move |connection| reconciliation::since(connection, code, first)).await?;
        let mut made = 0;
        let begin = known.first().map_or(last, |row| row.day);
        for day in begin.iter_days().take_while(|day| *day <= last) {
            let is_settled =
                |state| matches!(state, ReconciliationState::Agrees | ReconciliationState::Differs);
            if !known.iter().any(|row| row.day == day && is_settled(row.state)) {
                made += usize::from(self.run_day(proxy, provider, day).await?);
            }
        }
        Ok(made)
    }

    /// Takes a day, unless somebody else has it, and compares it.
    async fn run_day(
        &self,
        proxy: &ProxyClient,
        provider: Provider,
        day: NaiveDate,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let code = code::Provider::from(provider);
        let claim = move |connection: &mut _| reconciliation::claim(connection, code, day, now, now + HELD);
        let Some(claimed) = self.database.write_one(claim).await? else { return Ok(false) };
        let result = reconcile(&self.database, proxy, provider, Range::day(day), now).await;
        tell(provider, day, &result);
        let ended = ended(&result, self.clock.now());
        self.database.write_one(move |connection| reconciliation::end(connection, claimed, &ended)).await?;
        Ok(true)
    }
}

/// The last day that has ended and whose time to be compared has come; none before the first one.
fn last_day(now: DateTime<Utc>, settings: &NightlySettings) -> Option<NaiveDate> {
    let today = now.date_naive();
    let days = if now.time() >= settings.at { 1 } else { 2 };
    today.checked_sub_days(Days::new(days))
}

fn tell(provider: Provider, day: NaiveDate, result: &Result<Report, ReconcileError>) {
    match result {
        Ok(report) => {
            let Counts { agreed, missing, extra, wrong_amount, open } = report.counts;
            let text = format!(
                "{provider}, {day}: {agreed} agree, {missing} missing, {extra} extra, {wrong_amount} of another \
                 amount, {open} open, {} posted",
                report.fees_posted_in_words()
            );
            if report.agrees() {
                log::info!("the books agree with the provider's list: {text}");
            } else {
                log::error!("the books do not agree with the provider's list: {text}");
            }
        }
        Err(error) => log::error!("the books were not compared: {provider}, {day}: {}", chain(error)),
    }
}

fn ended(result: &Result<Report, ReconcileError>, now: DateTime<Utc>) -> Ended {
    let report = match result {
        Ok(report) => report,
        Err(error) => {
            return Ended {
                state: ReconciliationState::Failed,
                held_until: Some(now + AGAIN),
                agreed: 0,
                missing: 0,
                extra: 0,
                wrong_amount: 0,
                open: 0,
                rows: None,
                failure: Some(chain(error).to_string()),
            };
        }
    };
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let kept = report.rows.get(..KEPT).unwrap_or(&report.rows);
    let state = if report.agrees() { ReconciliationState::Agrees } else { ReconciliationState::Differs };
    Ended {
        state,
        held_until: None,
        agreed: number(report.counts.agreed),
        missing: number(report.counts.missing),
        extra: number(report.counts.extra),
        wrong_amount: number(report.counts.wrong_amount),
        open: number(report.counts.open),
        rows: Some(serde_json::to_string(kept).unwrap_or_else(|_| "[]".to_owned())),
        failure: None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;

    use super::*;

    #[test]
    fn a_day_is_compared_once_it_has_ended_and_its_time_has_come() {
        let settings = NightlySettings { providers: vec![], at: NaiveTime::from_hms_opt(4, 30, 0).unwrap() };
        for (now, day) in [
            ("2026-03-02T00:00:00Z", "2026-02-28"),
            ("2026-03-02T04:29:59Z", "2026-02-28"),
            ("2026-03-02T04:30:00Z", "2026-03-01"),
            ("2026-03-02T23:59:59Z", "2026-03-01"),
        ] {
            assert_eq!(last_day(now.parse().unwrap(), &settings), Some(day.parse().unwrap()), "{now}");
        }
    }
}
