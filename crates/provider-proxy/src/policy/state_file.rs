//! The file in which refunds are written down before they are sent: one JSON object a line, appended.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use wire::Money;

use super::windows::{Entry, Place, Windows};

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// There are limits, and no file for them.
    #[error("policy.state_file was missing when the process started, or the process ends")]
    None,
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process writes it.
    #[error("{}: another process writes it", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// One of its lines is none of ours; without it, more could be refunded than may be.
    #[error("{}: line {line} is no refund", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The thread that wrote it was stopped.
    #[error("the writing of the file was cut off")]
    CutOff,
}

/// One line.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    /// A refund takes its place.
    Refund {
        id: u64,
        /// Milliseconds since the epoch.
        at: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller: Option<String>,
        key: String,
        amount: Money,
    },
    /// A place is free again.
    Back { id: u64 },
    /// Smaller ids have been used.
    Next { id: u64 },
}

/// The file, open and locked.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    file: File,
    /// How much of it is whole lines, in bytes.
    length: u64,
    lines: usize,
    /// How many lines it may have until it is written anew.
    most: usize,
}

/// A file is not written anew before it has this many lines.
const FEW: usize = 1024;

impl StateFile {
    /// Opens it, and gives what it says. Half a line at its end, as a crash leaves it, was of a refund that had not been
    /// sent yet: it is cut off.
    pub(super) fn open(path: &Path) -> Result<(Self, Windows), StateError> {
        let fault = |source| StateError::File { path: path.to_owned(), source };
        let mut file = options().create(true).append(true).open(path).map_err(fault)?;
        lock(&file, path)?;
        // Another process may have replaced it before it gave up its lock.
        let named = fs::metadata(path).map_err(fault)?;
        if named.ino() != file.metadata().map_err(fault)?.ino() {
            return Err(StateError::InUse { path: path.to_owned() });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fault)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        let (windows, lines) = read(bytes.get(..whole).unwrap_or_default(), path)?;
        let length = whole as u64;
        if whole < bytes.len() {
            log::warn!("{}: half a line at the end is cut off", path.display());
            file.set_len(length).map_err(fault)?;
        }
        file.sync_all().and_then(|()| sync_folder(path)).map_err(fault)?;
        let mut this = Self { path: path.to_owned(), file, length, lines, most: FEW };
        this.compact(&windows);
        Ok((this, windows))
    }

    /// Writes to something that is open already, as if it had this path.
    #[cfg(test)]
    pub(super) fn with(path: &Path, file: File) -> Self {
        Self { path: path.to_owned(), file, length: 0, lines: 0, most: FEW }
    }

    /// Adds a refund, and waits until it is on the disk.
    pub(super) fn refund(&mut self, entry: &Entry) -> Result<(), StateError> {
        self.append(&line_of(entry), true)
    }

    /// Adds that a place is free again. Lost in a crash, the place stays taken.
    pub(super) fn back(&mut self, id: u64) -> Result<(), StateError> {
        self.append(&Line::Back { id }, false)
    }

    /// Whether it has grown so much that it should be written anew.
    pub(super) const fn is_long(&self) -> bool {
        self.lines > self.most
    }

    /// Writes it anew with what counts now, if it is long. Without success it stays as it is.
    pub(super) fn compact(&mut self, windows: &Windows) {
        let live = windows.entries().len();
        if self.is_long()
            && let Err(error) = self.replace(windows)
        {
            log::error!("{}: cannot be written anew: {error}", self.path.display());
        }
        self.most = FEW.max(2 * live).max(if self.is_long() { 2 * self.lines } else { 0 });
    }

    fn replace(&mut self, windows: &Windows) -> io::Result<()> {
        let mut text = Vec::new();
        for line in windows.entries().map(line_of).chain([Line::Next { id: windows.next() }]) {
            serde_json::to_writer(&mut text, &line)?;
            text.push(b'\n');
        }
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let path = PathBuf::from(name);
        let mut file = options().create(true).append(true).open(&path)?;
        file.set_len(0)?;
        file.try_lock().map_err(io::Error::from)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&path, &self.path)?;
        sync_folder(&self.path)?;
        self.file = file;
        self.length = text.len() as u64;
        self.lines = windows.entries().len() + 1;
        Ok(())
    }

    fn append(&mut self, line: &Line, sync: bool) -> Result<(), StateError> {
        self.try_append(line, sync).map_err(|source| StateError::File { path: self.path.clone(), source })
    }

    fn try_append(&mut self, line: &Line, sync: bool) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        // What a write that failed has left, if anything.
        if self.file.metadata()?.len() != self.length {
            self.file.set_len(self.length)?;
        }
        self.file.write_all(&text)?;
        if sync {
            self.file.sync_data()?;
        }
        self.length += text.len() as u64;
        self.lines += 1;
        Ok(())
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // Who refunds how much is nobody's business but the operator's.
    options.read(true).mode(0o600);
    options
}

fn lock(file: &File, path: &Path) -> Result<(), StateError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StateError::InUse { path: path.to_owned() },
        TryLockError::Error(source) => StateError::File { path: path.to_owned(), source },
    })
}

/// A file's name is on the disk only once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn line_of(entry: &Entry) -> Line {
    let Place { caller, key, amount } = entry.place.clone();
    Line::Refund { id: entry.id, at: entry.at, caller: caller.map(|name| name.to_string()), key, amount }
}

/// Reads whole lines; gives how many there are as well.
fn read(text: &[u8], path: &Path) -> Result<(Windows, usize), StateError> {
    let mut places = BTreeMap::new();
    let mut next = 0;
    let mut lines = 0;
    for (index, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        lines = index + 1;
        match serde_json::from_slice(line) {
            Ok(Line::Refund { id, at, caller, key, amount }) => {
                let place = Place { caller: caller.map(Into::into), key, amount };
                places.insert(id, (at, place));
                next = next.max(id.saturating_add(1));
            }
            Ok(Line::Back { id }) => drop(places.remove(&id)),
            Ok(Line::Next { id }) => next = next.max(id),
            Err(_) => return Err(StateError::NotOurs { path: path.to_owned(), line: lines }),
        }
    }
    let entries = places.into_iter().map(|(id, (at, place))| (id, at, place)).collect();
    Ok((Windows::from_file(entries, next), lines))
}
