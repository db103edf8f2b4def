//! Named points at which a test lets the process die, as a machine does: at once, and without cleaning up.
//!
//! They are in builds with debug assertions only; in a release build a point is nothing.

/// Dies here if `SOLITUDE_CRASH_AT` is `NAME`, or at the Nth time if it is `NAME:N`.
#[cfg(debug_assertions)]
pub fn point(name: &str) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    static ARMED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static PASSED: AtomicU32 = AtomicU32::new(0);

    let armed = ARMED.get_or_init(|| std::env::var("SOLITUDE_CRASH_AT").ok().map(|text| read(&text)));
    if let Some((armed, times)) = armed
        && armed == name
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *times
    {
        log::logger().flush();
        // No destructor, no exit hook, no flush of a buffer: the end that `kill -9` makes.
        std::process::abort();
    }
}

/// Nothing in a release build.
#[cfg(not(debug_assertions))]
pub const fn point(_name: &str) {}

/// The name, and at which passing of it.
#[cfg(debug_assertions)]
fn read(text: &str) -> (String, u32) {
    match text.split_once(':').map(|(name, times)| (name, times.parse())) {
        Some((name, Ok(times))) => (name.to_owned(), times),
        _ => (text.to_owned(), 1),
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_named_with_or_without_its_number() {
        assert_eq!(read("payment.begun"), ("payment.begun".into(), 1));
        assert_eq!(read("payment.begun:3"), ("payment.begun".into(), 3));
    }

    #[test]
    fn a_point_that_nobody_has_armed_is_passed() {
        point("tests.never");
    }
}
