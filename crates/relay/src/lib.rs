//! Forwards one HTTP exchange to an upstream, streaming both ways, for the doors of both halves.
