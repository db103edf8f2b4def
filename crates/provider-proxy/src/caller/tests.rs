//! Who is let in, by token and by certificate, and what the others are told.
