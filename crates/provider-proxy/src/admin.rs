//! The listener for those who run this server: metrics, health and readiness.
