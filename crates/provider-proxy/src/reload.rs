//! Swaps targets and secrets while requests run.
