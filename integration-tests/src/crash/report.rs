//! The figures of a campaign, for a person.

use std::time::Duration;

use super::{asking::Counts, storm::Deaths};

/// What there is to tell.
pub(super) struct Figures<'a> {
    pub seed: u64,
    pub kills: u32,
    pub deaths: &'a Deaths,
    pub points: Vec<String>,
    pub counts: &'a Counts,
    pub purchases: u64,
    pub lines: usize,
    pub open_after_the_storm: i64,
    pub storm: Duration,
    pub total: Duration,
}

impl Figures<'_> {
    /// The lines.
    pub fn lines(&self) -> String {
        let Self {
            seed,
            kills,
            deaths,
            points,
            counts,
            purchases,
            lines,
            open_after_the_storm,
            storm,
            total,
        } = self;
        let rows = [
            ("kills planned", kills.to_string()),
            ("  kill -9 of a db-server", deaths.db_server.get().to_string()),
            ("  kill -9 of provider-proxy", deaths.provider_proxy.get().to_string()),
            ("  Postgres in immediate mode", deaths.postgres.get().to_string()),
            ("  at a named point", deaths.at_points.get().to_string()),
            ("faults at the providers", deaths.faults.get().to_string()),
            ("batches of webhooks in another order", deaths.batches.get().to_string()),
            ("purchases", purchases.to_string()),
            ("operations", counts.operations.get().to_string()),
            ("tries again after a broken connection", counts.broken.get().to_string()),
            ("tries again after 409", counts.busy.get().to_string()),
            ("tries again after 5xx", counts.trouble.get().to_string()),
            ("tries again after the answer", counts.duplicates.get().to_string()),
            ("answered as unknown (202)", counts.unknown.get().to_string()),
            ("open after the storm", open_after_the_storm.to_string()),
            ("lines in the providers' ledger", lines.to_string()),
            ("seconds of storm", storm.as_secs().to_string()),
            ("seconds in all", total.as_secs().to_string()),
        ];
        let table: Vec<_> = rows.iter().map(|(name, value)| format!("    {name:<38} {value:>8}")).collect();
        let mut reached: Vec<_> =
            points.iter().map(|point| point.split(':').next().unwrap_or(point)).collect();
        reached.sort_unstable();
        reached.dedup();
        let reached = reached.join(", ");
        format!("crash campaign, seed {seed}\n{}\n    points reached: {reached}", table.join("\n"))
    }
}
