//! Finds our own secrets in what a target answers, across the bounds of chunks.
