//! Which addresses a target's name may lead to: the name is resolved once, every address is classified, and what has
//! been classified is what is dialled.

mod class;

pub use class::{Class, classify};
