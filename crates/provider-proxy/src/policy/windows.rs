//! The sliding windows: which refunds of the last day count, for whom, and how much.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use wire::Money;

use super::{
    Limits, Refusal,
    limits::{DAY, HOUR},
};

/// What a refund takes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// Whose windows it counts in.
    pub(super) caller: Option<Arc<str>>,
    /// Stands for the request: the same one again takes no place of its own.
    pub(super) key: String,
    /// How much it is about.
    pub(super) amount: Money,
}

/// A refund that counts.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Unique in the file.
    pub(super) id: u64,
    /// Milliseconds since the epoch.
    pub(super) at: u64,
    pub(super) place: Place,
    /// Requests that are under way with it.
    under_way: u32,
    /// Whether one of its requests may have moved money.
    kept: bool,
}

/// All refunds that count.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// In the order of their time.
    entries: VecDeque<Entry>,
    next: u64,
    latest: u64,
}

impl Windows {
    /// Goes on from what a file says. What was under way when it was written may have moved money.
    pub(super) fn from_file(read: Vec<(u64, u64, Place)>, next: u64) -> Self {
        let mut entries: Vec<Entry> = read
            .into_iter()
            .map(|(id, at, place)| Entry { id, at, place, under_way: 0, kept: true })
            .collect();
        entries.sort_by_key(|entry| (entry.at, entry.id));
        let latest = entries.last().map_or(0, |entry| entry.at);
        Self { entries: entries.into(), next, latest }
    }

    /// Takes a place at this time (milliseconds since the epoch), or joins the one that the same request has. Without
    /// `beside_itself` it does not join one that is under way: then both could move money.
    ///
    /// # Errors
    /// [`Refusal`]; then nothing has changed.
    pub(super) fn reserve(
        &mut self,
        place: Place,
        beside_itself: bool,
        limits: &Limits,
        now: u64,
    ) -> Result<Entry, Refusal> {
        // A clock that is set back makes no window shorter.
        let now = now.max(self.latest);
        self.latest = now;
        while self.entries.front().is_some_and(|entry| !is_within(entry.at, now, DAY)) {
            self.entries.pop_front();
        }
        let same = |entry: &&mut Entry| entry.place == place && (beside_itself || entry.under_way == 0);
        if let Some(entry) = self.entries.iter_mut().find(same) {
            entry.under_way += 1;
            return Ok(entry.clone());
        }
        let of_caller = || self.entries.iter().filter(|entry| entry.place.caller == place.caller);
        let count = of_caller().filter(|entry| is_within(entry.at, now, HOUR)).count() as u64;
        let currency = place.amount.currency;
        let sum = of_caller()
            .map(|entry| entry.place.amount)
            .filter(|amount| amount.currency == currency)
            .map(|amount| i128::from(amount.minor_units))
            .sum();
        limits.window(count, sum, place.amount)?;
        let entry = Entry { id: self.next, at: now, place, under_way: 1, kept: false };
        self.next += 1;
        self.entries.push_back(entry.clone());
        Ok(entry)
    }

    /// One request is over, and may have moved money.
    pub(super) fn keep(&mut self, id: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.under_way = entry.under_way.saturating_sub(1);
            entry.kept = true;
        }
    }

    /// One request is over, and has moved nothing. Says whether the place is free again: it is not while another request
    /// has it, or has had it and may have moved money.
    pub(super) fn give_back(&mut self, id: u64) -> bool {
        let Some(index) = self.entries.iter().position(|entry| entry.id == id) else { return false };
        let Some(entry) = self.entries.get_mut(index) else { return false };
        entry.under_way = entry.under_way.saturating_sub(1);
        let is_free = entry.under_way == 0 && !entry.kept;
        if is_free {
            self.entries.remove(index);
        }
        is_free
    }

    /// What counts now, for a file that is written anew.
    pub(super) fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The first id that no refund has had.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }
}

fn is_within(at: u64, now: u64, window: Duration) -> bool {
    u128::from(now.saturating_sub(at)) < window.as_millis()
}
