//! Finds the programs of a PostgreSQL server.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The variable that names the folder of the programs; `./dev` sets it where it had to fetch them itself.
pub const VARIABLE: &str = "SOLITUDE_POSTGRES_BIN";

/// Gives the folder that holds `initdb` and `postgres`: the one that [`VARIABLE`] names, else one on `PATH`, else the
/// newest of those where distributions put them.
#[must_use]
pub fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE) {
        return Some(PathBuf::from(named)).filter(|folder| is_complete(folder));
    }
    on_path().or_else(installed)
}

fn is_complete(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    // `initdb` may be a link into the server's own folder; `postgres` and its libraries are found from there.
    env::split_paths(&path)
        .filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok())
        .filter_map(|initdb| initdb.parent().map(Path::to_owned))
        .find(|folder| is_complete(folder))
}

/// `/usr/lib/postgresql/17/bin` (Debian) and `/usr/pgsql-17/bin` (PostgreSQL's packages for Red Hat).
fn installed() -> Option<PathBuf> {
    let debian = versions(Path::new("/usr/lib/postgresql"), "");
    let red_hat = versions(Path::new("/usr"), "pgsql-");
    let found = debian.into_iter().chain(red_hat).filter(|(_, folder)| is_complete(folder));
    found.max_by_key(|(version, _)| *version).map(|(_, folder)| folder)
}

fn versions(parent: &Path, prefix: &str) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    let version = |entry: &fs::DirEntry| entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok();
    entries.filter_map(|entry| Some((version(&entry)?, entry.path().join("bin")))).collect()
}
