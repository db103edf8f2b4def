//! Settings from TOML: every key named in full, every fault reported at once, no value ever shown.
//!
//! A service asks a [`Reader`] for each key that it knows. The reader notes what is wrong and goes on, so that
//! [`Reader::finish`] can name all faults together, unknown keys included. Why not a struct with
//! `deny_unknown_fields`: serde stops at the first fault (docs/adr/0003).

mod digest;
mod faults;
mod file;
mod reader;
mod value;

pub use digest::Digest;
pub use faults::{Fault, Faults};
pub use file::{SettingsError, find_file, parse_file, read_file};
pub use reader::{Reader, Section, Shown};
pub use secrecy::{ExposeSecret, SecretString};
pub use value::Value;
