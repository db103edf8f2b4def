//! The kinds of credentials: what is added to a request, and what a caller may not send in its place.
