//! Searches for many patterns at once, by samples: an automaton reads every byte, this reads every few.
//!
//! All patterns are at least `window` bytes long. Of each, the four-byte samples within its last `window` bytes are
//! entered in a small table. A text is then sampled at every `window - 3` bytes only: wherever a pattern occurs, exactly
//! one sample falls into its window, is found in the table, and leads to a comparison with the whole pattern. (The
//! method of Wu and Manber, "A fast algorithm for multi-pattern searching", 1994, with samples in place of shifts.)

use std::{cmp::Ordering, sync::Arc};

use secrecy::{ExposeSecret, SecretSlice};

/// A form of a secret.
pub(super) type Pattern = Arc<SecretSlice<u8>>;

/// The bytes of a sample.
const SAMPLE: usize = 4;

/// Larger windows make no difference that can be measured, and larger tables.
const MAX_WINDOW: usize = 32;

/// More samples would fill the filter, so that too many are looked up; windows are smaller instead.
const MAX_SAMPLES: usize = 8 * 1024;

/// Patterns end here, in bytes: what begins with that much of a secret is refused without waiting for the rest.
const MAX_LENGTH: usize = 256;

/// A pattern of some bytes.
pub(super) fn pattern(mut bytes: Vec<u8>) -> Pattern {
    bytes.truncate(MAX_LENGTH);
    Arc::new(SecretSlice::from(bytes))
}

/// The search for a set of patterns. It has no `Debug`: the patterns are secrets.
pub(super) struct Matcher {
    /// Sorted, none twice.
    patterns: Vec<Pattern>,
    window: usize,
    longest: usize,
    samples: Filter,
    places: Places,
    /// The first three bytes of each pattern.
    beginnings: Filter,
}

impl Matcher {
    /// Prepares the search. Patterns shorter than a secret may be are left out.
    pub(super) fn new(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let length = |pattern: &Pattern| pattern.expose_secret().len();
        let mut patterns: Vec<Pattern> =
            patterns.into_iter().filter(|pattern| length(pattern) >= super::LEAST_LENGTH).collect();
        patterns.sort_unstable_by(compare);
        patterns.dedup_by(|one, other| compare(one, other) == Ordering::Equal);
        let shortest = patterns.iter().map(length).min().unwrap_or(MAX_WINDOW);
        let affordable = SAMPLE + MAX_SAMPLES / patterns.len().max(1);
        let window = shortest.min(MAX_WINDOW).min(affordable.max(super::LEAST_LENGTH));
        let longest = patterns.iter().map(length).max().unwrap_or(0);
        let mut samples = Filter::new(patterns.len() * window);
        let mut beginnings = Filter::new(patterns.len());
        let mut places = Vec::with_capacity(patterns.len() * window);
        for (index, pattern) in (0..).zip(&patterns) {
            let bytes = pattern.expose_secret();
            for (offset, sample) in bytes.windows(SAMPLE).enumerate().skip(bytes.len() - window) {
                let sample = number(sample);
                samples.insert(sample);
                places.push(Place { sample, pattern: index, offset });
            }
            beginnings.insert(number(&bytes[..BEGINNING]));
        }
        Self { patterns, window, longest, samples, places: Places::new(&places), beginnings }
    }

    /// Whether any pattern occurs in the text.
    pub(super) fn finds(&self, text: &[u8]) -> bool {
        if self.patterns.is_empty() || text.len() < self.window {
            return false;
        }
        let step = self.window + 1 - SAMPLE;
        let mut at = step - 1;
        while let Some(sample) = text.get(at..at + SAMPLE) {
            let sample = number(sample);
            if self.samples.may_contain(sample) && self.matches_around(text, at, sample) {
                return true;
            }
            at += step;
        }
        false
    }

    #[cold]
    fn matches_around(&self, text: &[u8], at: usize, sample: u32) -> bool {
        self.places.of(sample).any(|place| {
            let pattern = self.patterns[place.pattern].expose_secret();
            let start = at.checked_sub(place.offset);
            start.and_then(|start| text.get(start..start + pattern.len())) == Some(pattern)
        })
    }

    /// The length in bytes of the longest end of a text that is the beginning of a pattern and not all of it.
    pub(super) fn unfinished(&self, text: &[u8]) -> usize {
        let tail = &text[text.len() - text.len().min(self.longest.saturating_sub(1))..];
        let begins = |start: &usize| self.begins_with(&tail[*start..]);
        let long = tail.windows(BEGINNING).enumerate();
        let mut likely = long
            .filter(|(_, beginning)| self.beginnings.may_contain(number(beginning)))
            .map(|(start, _)| start)
            // Ends too short to be filtered.
            .chain(tail.len().saturating_sub(BEGINNING - 1)..tail.len());
        likely.find(begins).map_or(0, |start| tail.len() - start)
    }

    fn begins_with(&self, beginning: &[u8]) -> bool {
        let at = self.patterns.partition_point(|pattern| pattern.expose_secret() < beginning);
        self.patterns.get(at).is_some_and(|pattern| pattern.expose_secret().starts_with(beginning))
    }

    /// How many patterns there are.
    pub(super) fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The length of the longest pattern, in bytes.
    pub(super) const fn longest(&self) -> usize {
        self.longest
    }
}

fn compare(one: &Pattern, other: &Pattern) -> Ordering {
    one.expose_secret().cmp(other.expose_secret())
}

/// Where a sample comes from.
#[derive(Clone, Copy, Default)]
struct Place {
    sample: u32,
    pattern: usize,
    /// From the pattern's first byte.
    offset: usize,
}

/// All places, in buckets by the hash of their samples.
struct Places {
    /// Where each bucket begins, and the end of the last.
    starts: Vec<usize>,
    places: Vec<Place>,
    shift: u32,
}

impl Places {
    fn new(places: &[Place]) -> Self {
        let width = places.len().next_power_of_two().trailing_zeros().clamp(1, 24);
        let shift = u32::BITS - width;
        let bucket = |place: &Place| (hash(place.sample) >> shift) as usize;
        let mut starts = vec![0; (1 << width) + 1];
        for place in places {
            starts[bucket(place) + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut next = starts.clone();
        let mut sorted = vec![Place::default(); places.len()];
        for place in places {
            let at = &mut next[bucket(place)];
            sorted[*at] = *place;
            *at += 1;
        }
        Self { starts, places: sorted, shift }
    }

    fn of(&self, sample: u32) -> impl Iterator<Item = &Place> {
        let bucket = (hash(sample) >> self.shift) as usize;
        let places = self.starts.get(bucket).zip(self.starts.get(bucket + 1));
        let places = places.and_then(|(start, end)| self.places.get(*start..*end)).unwrap_or_default();
        places.iter().filter(move |place| place.sample == sample)
    }
}

/// How much of a beginning decides whether it is looked up.
const BEGINNING: usize = 3;

/// The three or four bytes of a beginning or a sample as a number.
fn number(bytes: &[u8]) -> u32 {
    match bytes {
        [first, second, third, fourth] => u32::from_le_bytes([*first, *second, *third, *fourth]),
        [first, second, third] => u32::from_le_bytes([*first, *second, *third, 0]),
        _ => 0,
    }
}

/// Says "no" for nearly every number that was not inserted: one bit for each value of a hash.
struct Filter {
    bits: Box<[u64]>,
    shift: u32,
}

impl Filter {
    /// At least 64 bits for each number, as long as that fits a processor's nearest cache (32 KiB).
    fn new(numbers: usize) -> Self {
        let width = (numbers * 64).next_power_of_two().trailing_zeros().clamp(12, 18);
        Self { bits: vec![0; 1 << (width - 6)].into_boxed_slice(), shift: u32::BITS - width }
    }

    fn insert(&mut self, number: u32) {
        let (word, bit) = self.place(number);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
    }

    fn may_contain(&self, number: u32) -> bool {
        let (word, bit) = self.place(number);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    fn place(&self, number: u32) -> (usize, u64) {
        let hash = hash(number) >> self.shift;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }
}

/// Knuth's multiplicative hash: its highest bits are the best mixed.
const fn hash(number: u32) -> u32 {
    number.wrapping_mul(0x9E37_79B1)
}
