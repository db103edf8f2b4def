//! Which addresses a target's name may lead to.
