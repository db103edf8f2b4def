//! The pass-through: `ANY /proxy/{target}/{tail}` adds a named target's credential, and streams both ways.

pub mod admission;
pub mod allow;
pub mod compress;
pub mod credential;
pub mod door;
pub mod egress;
pub mod header_rules;
pub mod rewrite;
pub mod scan;
pub mod target;
pub mod template;

pub use relay::path;
