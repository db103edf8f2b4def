//! Searches for many patterns at once, by samples: an automaton reads every byte, this reads every few.
//!
//! All patterns are at least `window` bytes long. Of each, the four-byte samples within its last `window` bytes are
//! entered in a small table. A text is then sampled at every `window - 3` bytes only: wherever a pattern occurs, exactly
//! one sample falls into its window, is found in the table, and leads to a comparison with the whole pattern. (The
//! method of Wu and Manber, "A fast algorithm for multi-pattern searching", 1994, with samples in place of shifts.)

use std::collections::{BTreeSet, HashMap};

use secrecy::{ExposeSecret, SecretSlice};

/// The bytes of a sample.
const SAMPLE: usize = 4;

/// Larger windows make no difference that can be measured, and larger tables.
const MAX_WINDOW: usize = 32;

/// Patterns end here, in bytes: what begins with that much of a secret is refused without waiting for the rest.
pub(super) const MAX_LENGTH: usize = 256;

/// The search for a set of patterns. It has no `Debug`: the patterns are secrets.
pub(super) struct Matcher {
    /// Sorted, none twice.
    patterns: Vec<SecretSlice<u8>>,
    window: usize,
    longest: usize,
    samples: Filter,
    places: HashMap<u32, Vec<Place>>,
    /// The first three bytes of each pattern.
    beginnings: Filter,
}

/// Where a sample comes from.
struct Place {
    pattern: usize,
    /// From the pattern's first byte.
    offset: usize,
}

impl Matcher {
    /// Prepares the search. Patterns shorter than a sample are left out.
    pub(super) fn new(patterns: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let patterns =
            patterns.into_iter().filter(|pattern| pattern.len() >= super::LEAST_LENGTH).map(|mut pattern| {
                pattern.truncate(MAX_LENGTH);
                pattern
            });
        let patterns: BTreeSet<Vec<u8>> = patterns.collect();
        let shortest = patterns.iter().map(Vec::len).min().unwrap_or(MAX_WINDOW);
        let window = shortest.min(MAX_WINDOW);
        let longest = patterns.iter().map(Vec::len).max().unwrap_or(0);
        let mut matcher = Self {
            samples: Filter::new(patterns.len() * window),
            beginnings: Filter::new(patterns.len()),
            places: HashMap::new(),
            patterns: patterns.into_iter().map(SecretSlice::from).collect(),
            window,
            longest,
        };
        matcher.enter_samples();
        matcher
    }

    fn enter_samples(&mut self) {
        for (pattern, bytes) in self.patterns.iter().enumerate() {
            let bytes = bytes.expose_secret();
            for (offset, sample) in bytes.windows(SAMPLE).enumerate().skip(bytes.len() - self.window) {
                let sample = number(sample);
                self.samples.insert(sample);
                self.places.entry(sample).or_default().push(Place { pattern, offset });
            }
            self.beginnings.insert(number(&bytes[..BEGINNING]));
        }
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
        self.places.get(&sample).into_iter().flatten().any(|place| {
            let pattern = self.patterns[place.pattern].expose_secret();
            at.checked_sub(place.offset).and_then(|start| text.get(start..start + pattern.len()))
                == Some(pattern)
        })
    }

    /// The length in bytes of the longest end of a text that is the beginning of a pattern and not all of it.
    pub(super) fn unfinished(&self, text: &[u8]) -> usize {
        let first = text.len() - text.len().min(self.longest.saturating_sub(1));
        let may_begin = |start: usize| match text.get(start..start + BEGINNING) {
            Some(beginning) => self.beginnings.may_contain(number(beginning)),
            None => true,
        };
        let begins = |start: &usize| may_begin(*start) && self.begins_with(&text[*start..]);
        (first..text.len()).find(begins).map_or(0, |start| text.len() - start)
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

/// How much of a beginning decides whether it is looked up.
const BEGINNING: usize = 3;

/// Up to four bytes as a number.
fn number(bytes: &[u8]) -> u32 {
    match bytes {
        [first, second, third, fourth] => u32::from_le_bytes([*first, *second, *third, *fourth]),
        _ => bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)),
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

    /// Knuth's multiplicative hash: the highest bits are the best mixed.
    fn place(&self, number: u32) -> (usize, u64) {
        let hash = number.wrapping_mul(0x9E37_79B1) >> self.shift;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }
}
