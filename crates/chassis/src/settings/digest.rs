//! Whether a file still holds what it did.

use std::{
    fmt, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

/// What a file held, or that it could not be read. Two are equal when the file has not changed between them.
///
/// Times of change would not do: they are as coarse as the kernel's clock.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Digest(Option<u64>);

impl Digest {
    /// Looks at a file now.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self(fs::read(path).ok().map(|content| {
            let mut hasher = DefaultHasher::new();
            content.hash(&mut hasher);
            hasher.finish()
        }))
    }
}

/// Nothing: the file may hold a secret that can be guessed.
impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Digest")
    }
}
