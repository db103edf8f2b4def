//! Where a file is put together, and how it appears: a hidden name beside its place, flushed with its folder.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::ReportError;

/// The three names of one file in one folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    folder: PathBuf,
    name: String,
}

const UNFINISHED: &str = ".unfinished";
const READY: &str = ".ready";

impl Place {
    pub(super) fn new(folder: &Path, name: String) -> Self {
        Self { folder: folder.to_owned(), name }
    }

    /// Where readers look.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// Where it is being written; worth nothing when its run has ended.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.folder.join(format!(".{}{UNFINISHED}", self.name))
    }

    /// Where it is complete and waits for its rows to be committed.
    pub(super) fn ready(&self) -> PathBuf {
        self.folder.join(format!(".{}{READY}", self.name))
    }

    /// Puts the unfinished file where readers look; what was there is replaced.
    pub(super) fn replace(&self) -> Result<(), ReportError> {
        fs::rename(self.unfinished(), self.path()).map_err(|source| self.fault(source))?;
        self.sync()
    }

    /// Says that the unfinished file is complete.
    pub(super) fn make_ready(&self) -> Result<(), ReportError> {
        fs::rename(self.unfinished(), self.ready()).map_err(|source| self.fault(source))?;
        self.sync()
    }

    /// Puts the ready file where readers look; it keeps its other name. What has the name already is not touched, and
    /// an error.
    pub(super) fn publish(&self) -> Result<(), ReportError> {
        fs::hard_link(self.ready(), self.path()).map_err(|source| self.fault(source))?;
        self.sync()
    }

    /// Whether readers can see the ready file, be it under another name.
    pub(super) fn is_published(&self) -> Result<bool, ReportError> {
        let metadata = fs::metadata(self.ready()).map_err(|source| self.fault(source))?;
        Ok(metadata.nlink() > 1)
    }

    /// Forgets the name of the ready file.
    pub(super) fn forget_ready(&self) -> Result<(), ReportError> {
        remove(&self.ready())?;
        self.sync()
    }

    /// Removes the unfinished file if there is one.
    pub(super) fn forget_unfinished(&self) -> Result<(), ReportError> {
        remove(&self.unfinished())
    }

    /// A name counts only when its folder is on the disk.
    fn sync(&self) -> Result<(), ReportError> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(|source| self.fault(source))
    }

    fn fault(&self, source: io::Error) -> ReportError {
        ReportError::File { path: self.path(), source }
    }
}

/// What runs of this kind have left in the folder: first what is unfinished, then what is ready, each sorted by name.
pub(super) fn left_over(folder: &Path, kind: &str) -> Result<(Vec<Place>, Vec<Place>), ReportError> {
    let fault = |source| ReportError::File { path: folder.to_owned(), source };
    let (mut unfinished, mut ready) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(fault)? {
        let name = entry.map_err(fault)?.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix('.')) else { continue };
        let place = |name: &str| Place::new(folder, name.to_owned());
        let of_this_kind = |name: &&str| name.ends_with(".log") && name.split('.').nth(1) == Some(kind);
        if let Some(name) = name.strip_suffix(UNFINISHED).filter(of_this_kind) {
            unfinished.push(place(name));
        } else if let Some(name) = name.strip_suffix(READY).filter(of_this_kind) {
            ready.push(place(name));
        }
    }
    for places in [&mut unfinished, &mut ready] {
        places.sort_by(|one, other| one.name.cmp(&other.name));
    }
    Ok((unfinished, ready))
}

fn remove(path: &Path) -> Result<(), ReportError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ReportError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
