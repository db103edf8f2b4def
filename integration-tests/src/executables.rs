//! Finds the executables that cargo built beside the running one.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why an executable cannot be had.
#[derive(Debug, Error)]
pub enum ExecutableError {
    /// It was not built.
    #[error("{} is not built; ./dev builds it before it needs it", .0.display())]
    Missing(PathBuf),
    /// The running executable's own path is unknown.
    #[error("the path of the running executable cannot be had: {0}")]
    OwnPath(#[from] io::Error),
}

/// The path of the executable of this name, in the folder of the running one.
///
/// # Errors
/// [`ExecutableError`] when it is not there.
pub fn path(name: &str) -> Result<PathBuf, ExecutableError> {
    let own = env::current_exe()?;
    let folder = own.parent().unwrap_or(Path::new("/"));
    // Tests run from `target/debug/deps`, binaries from `target/debug`.
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    let path = folder.join(name);
    if path.is_file() { Ok(path) } else { Err(ExecutableError::Missing(path)) }
}
