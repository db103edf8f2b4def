//! A set of digests that are spread evenly: open addressing in many small tables, each grown by itself.
//!
//! A table that doubles when it is full is half empty on average, and holds its content twice while it doubles. These
//! grow by a quarter, and one in 256 at a time, and keep 48 bits of a digest beside the 8 that say which table it is in.
//! So a digest takes 7 to 9 bytes at any moment.

/// How many tables there are.
const TABLES: usize = 256;
/// How large a table begins, in digests.
const FIRST: usize = 4;

/// Digests that have been inserted. They must be spread evenly, as those of a cryptographic hash are.
pub(super) struct Digests(Vec<Table>);

impl Default for Digests {
    fn default() -> Self {
        Self((0..TABLES).map(|_| Table::default()).collect())
    }
}

impl Digests {
    /// Adds a digest of 64 bits, of which 56 count; true when it is new.
    pub(super) fn insert(&mut self, digest: u64) -> bool {
        // The lowest bits choose the table; the highest are kept, and choose the place in it.
        let table = self.0.get_mut(digest as usize % TABLES);
        table.is_some_and(|table| table.insert(Kept::of(digest)))
    }
}

/// The highest 48 bits of a digest, in no more bytes than that.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Kept([u8; 6]);

impl Kept {
    const EMPTY: Self = Self([0; 6]);
    const BITS: u32 = 48;

    fn of(digest: u64) -> Self {
        // An empty place is 0, so that 0 is taken for 1.
        let [kept @ .., _, _] = digest.max(1 << (u64::BITS - Self::BITS)).to_be_bytes();
        Self(kept)
    }

    /// Where it belongs among so many places.
    fn place(self, places: usize) -> usize {
        let [a, b, c, d, e, f] = self.0;
        let number = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        ((u128::from(number) * places as u128) >> Self::BITS) as usize
    }
}

/// Places for digests, at most seven eighths of them taken. A digest is in the first place from its own onwards that was
/// free.
#[derive(Default)]
struct Table {
    places: Vec<Kept>,
    taken: usize,
}

impl Table {
    fn insert(&mut self, digest: Kept) -> bool {
        if (self.taken + 1) * 8 > self.places.len() * 7 {
            self.grow();
        }
        let is_new = self.put(digest);
        self.taken += usize::from(is_new);
        is_new
    }

    fn grow(&mut self) {
        let length = (self.places.len() + self.places.len() / 4).max(self.places.len() + FIRST);
        let old = std::mem::replace(&mut self.places, vec![Kept::EMPTY; length]);
        for digest in old.into_iter().filter(|digest| *digest != Kept::EMPTY) {
            self.put(digest);
        }
    }

    /// Puts a digest into its place; false when it is there. There always is a free place.
    fn put(&mut self, digest: Kept) -> bool {
        let first = digest.place(self.places.len());
        let (before, after) = self.places.split_at_mut(first);
        for place in after.iter_mut().chain(before) {
            if *place == digest {
                return false;
            }
            if *place == Kept::EMPTY {
                *place = digest;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Spreads numbers as a digest would (SplitMix64, Steele and others 2014).
    fn digest(number: u64) -> u64 {
        let mut digest = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        digest = (digest ^ (digest >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        digest = (digest ^ (digest >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        digest ^ (digest >> 31)
    }

    #[test]
    fn each_of_many_digests_is_new_once() {
        let mut digests = Digests::default();
        for number in 1..200_000 {
            assert!(digests.insert(digest(number)), "{number}");
            assert!(!digests.insert(digest(number / 2 + 1)), "{number}");
        }
        for number in 1..200_000 {
            assert!(!digests.insert(digest(number)), "{number}");
        }
    }

    #[test]
    fn a_digest_takes_less_than_nine_bytes_however_many_there_are() {
        let mut digests = Digests::default();
        for number in 1_u64..1_000_000 {
            digests.insert(digest(number));
            if number >= 50_000 && number.is_power_of_two() || number % 100_000 == 0 {
                let bytes: usize =
                    digests.0.iter().map(|table| table.places.capacity() * size_of::<Kept>()).sum();
                assert!((bytes as u64) < 9 * number, "{bytes} for {number}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_have_their_places_too() {
        let mut digests = Digests::default();
        for digest in [1, 2, u64::MAX, u64::MAX - (1 << 16), u64::MAX - (2 << 16), 1 << 16, 2 << 16] {
            assert!(digests.insert(digest));
            assert!(!digests.insert(digest));
        }
    }

    proptest! {
        #[test]
        fn it_answers_as_a_set_does(values in prop::collection::vec(1..2000_u64, 0..500), crowded: bool) {
            let (mut digests, mut set) = (Digests::default(), HashSet::new());
            for value in values {
                // Crowded ones all begin in one place of one table.
                let value = if crowded { (value << 16) | 1 } else { digest(value) };
                prop_assert_eq!(digests.insert(value), set.insert(value));
            }
        }
    }
}
