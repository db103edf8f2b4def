//! How many requests a target gets at once and in a time, and none while it fails.
