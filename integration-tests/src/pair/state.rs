//! The state folder: who has it, where things are in it, and what an earlier pair may have left behind.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use uuid::Uuid;

use super::{PairError, secrets::Secrets};
use crate::postgres::Account;

/// Where root's clusters live when the state folder is closed to the user that Postgres runs as.
const ROOTS_CLUSTERS: &str = "/var/lib/solitude-local";

/// How long an earlier pair's guards and Postgres may take to end.
const LIMIT: Duration = Duration::from_secs(30);

/// A state folder that this process alone has.
pub(super) struct State {
    folder: PathBuf,
    data: PathBuf,
    /// The folder around it, of a state that nobody needs afterwards.
    temporary: Option<TempDir>,
    /// Released when this process ends, however it ends.
    _lock: File,
}

impl State {
    /// Takes the folder, and waits until whatever an earlier pair ran in it is gone.
    pub(super) fn take(folder: &Path) -> Result<Self, PairError> {
        let account = Account::to_drop_to();
        // Postgres walks through it as another user; what is secret in it is closed by itself.
        let mode = if account.is_some() { 0o711 } else { 0o700 };
        DirBuilder::new().recursive(true).mode(mode).create(folder).map_err(PairError::file(folder))?;
        let folder = folder.canonicalize().map_err(PairError::file(folder))?;
        let lock = open_lock(&folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PairError::InUse(folder)),
            Err(TryLockError::Error(source)) => return Err(PairError::File { path: folder, source }),
        }
        if account.is_some() {
            open_to_others(&folder)?;
        }
        let data = data_folder(&folder, account.as_ref())?;
        let state = Self { folder, data, temporary: None, _lock: lock };
        state.remove_pair_file()?;
        wait_for_guards(&state.guards())?;
        end_old_postgres(&state.data)?;
        Ok(state)
    }

    /// Makes and takes a folder that is removed at the end.
    pub(super) fn temporary() -> Result<Self, PairError> {
        let made = tempfile::Builder::new()
            .prefix("solitude-demo-")
            .permissions(fs::Permissions::from_mode(0o711))
            .tempdir()
            .map_err(PairError::file(std::env::temp_dir()))?;
        let mut state = Self::take(&made.path().join("state"))?;
        state.temporary = Some(made);
        Ok(state)
    }

    /// Whether all of it is removed at the end.
    pub(super) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// What must be removed when this process can no longer do it.
    pub(super) fn to_remove(&self) -> Vec<PathBuf> {
        let folders = self.temporary.iter().map(|made| made.path().to_owned());
        folders.chain(self.temporary.iter().map(|_| self.data.clone())).collect()
    }

    /// The folder itself, as an absolute path.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Postgres's data folder.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// The file that all guards of this pair hold.
    pub(super) fn guards(&self) -> PathBuf {
        self.folder.join("guards")
    }

    /// What a tool reads to find the pair.
    pub(super) fn pair_file(&self) -> PathBuf {
        self.folder.join("pair.json")
    }

    /// The pair's secrets.
    pub(super) fn secrets(&self) -> Result<Secrets, PairError> {
        Secrets::in_folder(&self.folder.join("secrets"))
    }

    /// A pair that is not ready has no pair.json.
    pub(super) fn remove_pair_file(&self) -> Result<(), PairError> {
        remove_if_there(&self.pair_file())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        for folder in self.to_remove() {
            // What is gone already is what was wanted.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Removes a file; one that is not there is what was wanted.
pub(super) fn remove_if_there(path: &Path) -> Result<(), PairError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PairError::file(path)(error)),
        _ => Ok(()),
    }
}

fn open_lock(path: &Path) -> Result<File, PairError> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(path)
        .map_err(PairError::file(path))
}

fn open_to_others(folder: &Path) -> Result<(), PairError> {
    let mode = fs::metadata(folder).map_err(PairError::file(folder))?.permissions().mode();
    fs::set_permissions(folder, fs::Permissions::from_mode(mode | 0o011)).map_err(PairError::file(folder))
}

/// The data lives in the state folder. When root's own folders on the way (such as `/root`) are closed to the user that
/// Postgres runs as, it lives elsewhere, and a link in the state folder says where.
fn data_folder(folder: &Path, account: Option<&Account>) -> Result<PathBuf, PairError> {
    let usual = folder.join("postgres");
    let Some(account) = account else { return Ok(usual) };
    if let Ok(place) = fs::read_link(&usual) {
        return Ok(place);
    }
    if account.can_reach(folder) || usual.exists() {
        return Ok(usual);
    }
    let clusters = Path::new(ROOTS_CLUSTERS);
    DirBuilder::new().recursive(true).mode(0o711).create(clusters).map_err(PairError::file(clusters))?;
    let place = clusters.join(Uuid::new_v4().to_string());
    std::os::unix::fs::symlink(&place, &usual).map_err(PairError::file(&usual))?;
    println!("local-pair: Postgres cannot get into {}; its data is in {}", folder.display(), place.display());
    Ok(place)
}

/// The guards of a pair that was killed still end its servers; each holds a shared lock until it has.
fn wait_for_guards(path: &Path) -> Result<(), PairError> {
    let file = open_lock(path)?;
    let deadline = Instant::now() + LIMIT;
    while let Err(error) = file.try_lock() {
        match error {
            TryLockError::WouldBlock if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
            TryLockError::WouldBlock => return Err(PairError::InUse(path.to_owned())),
            TryLockError::Error(source) => return Err(PairError::File { path: path.to_owned(), source }),
        }
    }
    Ok(())
}

/// Ends a Postgres that outlived its guard, and removes the pid file of one that is dead: by now its number may be
/// another process's, which Postgres would take for itself.
fn end_old_postgres(data: &Path) -> Result<(), PairError> {
    let file = data.join("postmaster.pid");
    let Ok(content) = fs::read_to_string(&file) else { return Ok(()) };
    let pid = content.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid.filter(|&pid| is_postgres_of(data, pid)) {
        let deadline = Instant::now() + LIMIT;
        // It fails only when the process is gone, which is what is waited for.
        let _ = kill_process(pid, Signal::QUIT);
        while is_postgres_of(data, pid) {
            if Instant::now() > deadline {
                return Err(PairError::OldPostgres {
                    data: data.to_owned(),
                    pid: pid.as_raw_nonzero().get(),
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
    remove_if_there(&file)
}

/// A server works in its data folder, so a process there with this number is the one that the file speaks of.
fn is_postgres_of(data: &Path, pid: Pid) -> bool {
    let process = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
    let works_in = fs::read_link(process.join("cwd"));
    works_in.is_ok_and(|folder| data.canonicalize().is_ok_and(|data| folder == data))
}
