//! Makes the ids of requests that come without one.

use std::{
    cell::RefCell,
    time::{SystemTime, UNIX_EPOCH},
};

use uuid::{Builder, Uuid};

/// How many random bytes one id takes.
const EACH: usize = 10;

thread_local! {
    /// Random bytes that are fetched for many ids at once, each of which would be a system call otherwise.
    static RANDOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A UUID of version 7 (RFC 9562), whose first 48 bits are the time in milliseconds.
pub(super) fn generate(now: SystemTime) -> String {
    let id = random().map_or_else(Uuid::now_v7, |random| {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    });
    id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).to_owned()
}

/// None where the system has no random bytes at the moment.
fn random() -> Option<[u8; EACH]> {
    RANDOM.with_borrow_mut(|bytes| {
        if bytes.is_empty() {
            bytes.resize(100 * EACH, 0);
            if getrandom::fill(bytes).is_err() {
                bytes.clear();
            }
        }
        let left = bytes.len().checked_sub(EACH)?;
        let taken = bytes.get(left..)?.try_into().ok();
        bytes.truncate(left);
        taken
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_ids_are_the_same_and_all_are_of_version_7() {
        let ids: HashSet<String> = (0..1000).map(|_| generate(SystemTime::now())).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            assert_eq!(Uuid::parse_str(&id).unwrap().get_version_num(), 7, "{id}");
        }
    }
}
