//! The pass-through: `ANY /proxy/{target}/{tail}` adds a named target's credential, and streams both ways.

pub mod admission;
pub mod credential;
pub mod door;
pub mod egress;
pub mod scan;
pub mod target;
