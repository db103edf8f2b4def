//! Prometheus metrics; no label holds a secret or a value that a caller chooses.
