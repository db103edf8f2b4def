//! The audit log: one JSON line for each request, allowed or refused, chained by hashes.
