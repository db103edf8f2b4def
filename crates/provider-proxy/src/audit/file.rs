//! The file: appended to, never rewritten.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{
    AuditError, Event,
    chain::{self, Chain},
    line::ReadBack,
};

/// The audit log's file, open and locked.
pub(super) struct AuditFile {
    path: PathBuf,
    file: File,
}

/// How much of the end is read at first to find the last whole line.
const TAIL: u64 = 64 * 1024;
/// Two lines are never longer: a request's head is at most 128 KiB, and JSON writes one byte with six at most.
const LONGEST_TAIL: u64 = 4 * 1024 * 1024;

impl AuditFile {
    /// Opens it, and finds the end of the chain. Half a line at the end is closed with a line break and left as it
    /// is; what is to be said of it comes back with the chain.
    pub(super) fn open(path: &Path) -> Result<(Self, Chain, Option<Event>), AuditError> {
        let fault = |source| AuditError::File { path: path.to_owned(), source };
        let file = open(path).map_err(fault)?;
        lock(&file, path)?;
        let mut this = Self { path: path.to_owned(), file };
        let end = this.end().map_err(fault)?;
        let (chain, torn) = match end {
            End::Empty => (Chain::new(), None),
            End::Whole { hash } => (Chain::after(hash), None),
            End::Torn { hash, last_whole, bytes, closed } => {
                if !closed {
                    this.file.write_all(b"\n").map_err(fault)?;
                }
                (Chain::after(hash), Some(Event::TornLine { bytes, last_whole }))
            }
            End::Unknown => return Err(AuditError::NotOurs { path: path.to_owned() }),
        };
        Ok((this, chain, torn))
    }

    /// Writes to something that is open already, as if it had this path.
    #[cfg(test)]
    pub(super) fn with(path: &Path, file: File) -> Self {
        Self { path: path.to_owned(), file }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes some of the bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Takes back the bytes of a line that could not be written as a whole.
    pub(super) fn take_back(&self, bytes: u64) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        self.file.set_len(length.saturating_sub(bytes))
    }

    /// The file that has this path now, when it is another one; it must be empty.
    pub(super) fn renewed(&self) -> Result<Option<Self>, AuditError> {
        let fault = |source| AuditError::File { path: self.path.clone(), source };
        let file = open(&self.path).map_err(fault)?;
        let (new, old) = (file.metadata().map_err(fault)?, self.file.metadata().map_err(fault)?);
        if (new.dev(), new.ino()) == (old.dev(), old.ino()) {
            return Ok(None);
        }
        lock(&file, &self.path)?;
        if new.len() > 0 {
            return Err(AuditError::NotOurs { path: self.path.clone() });
        }
        Ok(Some(Self { path: self.path.clone(), file }))
    }

    fn end(&mut self) -> io::Result<End> {
        let length = self.file.metadata()?.len();
        let mut taken = TAIL;
        loop {
            let start = length.saturating_sub(taken);
            self.file.seek(SeekFrom::Start(start))?;
            let mut tail = Vec::new();
            Read::by_ref(&mut self.file).take(taken).read_to_end(&mut tail)?;
            let end = End::of(&tail, start == 0);
            if start == 0 || taken >= LONGEST_TAIL || !matches!(end, End::Unknown) {
                return Ok(end);
            }
            taken *= 4;
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    // Who called what is nobody's business but the operator's.
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

fn lock(file: &File, path: &Path) -> Result<(), AuditError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => AuditError::InUse { path: path.to_owned() },
        TryLockError::Error(source) => AuditError::File { path: path.to_owned(), source },
    })
}

/// How a file ends.
#[derive(Debug, PartialEq)]
enum End {
    Empty,
    Whole {
        hash: String,
    },
    /// In something that is no whole line.
    Torn {
        /// The hash of the last piece, to which the next line is chained.
        hash: String,
        last_whole: String,
        /// The length of the last piece.
        bytes: usize,
        /// Whether it has its line break already: the process stopped once more before it could say so.
        closed: bool,
    },
    /// In what is not ours, or further from the last whole line than was looked.
    Unknown,
}

impl End {
    /// The end of a file, given its last bytes; `from_start` says that there are no others.
    fn of(tail: &[u8], from_start: bool) -> Self {
        if tail.is_empty() {
            return Self::Empty;
        }
        let closed = tail.last() == Some(&b'\n');
        let text = tail.strip_suffix(b"\n").unwrap_or(tail);
        let mut pieces = text.rsplit(|&byte| byte == b'\n').enumerate().peekable();
        let mut last_piece = None;
        while let Some((index, piece)) = pieces.next() {
            let is_cut_off = pieces.peek().is_none() && !from_start;
            let is_whole = !is_cut_off && (closed || index > 0) && ReadBack::parse(piece).is_some();
            match (&last_piece, is_whole) {
                (None, true) => return Self::Whole { hash: chain::hash(piece) },
                (Some((hash, bytes)), true) => {
                    let last_whole = chain::hash(piece);
                    return Self::Torn { hash: String::clone(hash), last_whole, bytes: *bytes, closed };
                }
                (None, false) if !is_cut_off => last_piece = Some((chain::hash(piece), piece.len())),
                _ => {}
            }
        }
        match last_piece {
            // Half of the very first line, or a file of something else: what begins as ours does is ours.
            Some((hash, bytes)) if from_start && is_begun(text) => {
                Self::Torn { hash, last_whole: chain::GENESIS.to_owned(), bytes, closed }
            }
            _ => Self::Unknown,
        }
    }
}

/// Whether the text is the beginning of a very first line.
fn is_begun(text: &[u8]) -> bool {
    let beginning = format!("{{\"previous\":\"{}\"", chain::GENESIS);
    let length = text.len().min(beginning.len());
    text.get(..length) == beginning.as_bytes().get(..length)
}
