//! One page of a list.

/// Which part of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page {
    /// How many rows at most.
    pub limit: i64,
    /// How many rows come before it.
    pub offset: i64,
}

/// One page of a list, newest first, and how long the list is.
#[derive(Clone, Debug)]
pub struct Listed<R> {
    /// The rows of the page.
    pub rows: Vec<R>,
    /// How many rows there are on all pages.
    pub total: i64,
}
