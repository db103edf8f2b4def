//! Programs of the benchmarks, each on a processor of its own.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::BenchError;
use crate::process::Launch;

/// The processor of what is measured.
pub(super) const PROXY: &str = "1";
/// That of what asks it and of what it asks.
pub(super) const CLIENTS: &str = "0";

/// On this processor alone; `taskset` becomes the program that it starts.
///
/// # Errors
/// [`BenchError::NoProgram`] without taskset.
pub(super) fn pinned(name: &str, processor: &str, program: &Path) -> Result<Launch, BenchError> {
    let launch = Launch::new(name, self::program("taskset", &[])?);
    Ok(launch.arguments(["-c", processor]).argument(program))
}

/// A program on `PATH`, or in one of these folders.
///
/// # Errors
/// [`BenchError::NoProgram`].
pub(super) fn program(name: &'static str, folders: &[PathBuf]) -> Result<PathBuf, BenchError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut programs = env::split_paths(&path).chain(folders.iter().cloned()).map(|folder| folder.join(name));
    programs.find(|program| Path::is_file(program)).ok_or(BenchError::NoProgram(name))
}
