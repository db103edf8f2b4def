//! Reads audit logs back, and finds the first line that does not follow from the one before it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::{
    chain::{self, GENESIS},
    line::{ReadBack, TORN},
};

/// No line of ours is longer, in bytes.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// Why files are not an unbroken audit log.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what was written, or does not follow from the one before it.
    #[error("{}: line {line}: {fault}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        fault: Fault,
    },
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Fault {
    /// It does not carry the hash of the line before.
    #[error(
        "does not follow from the line before: that line was changed, or one was taken out or added between"
    )]
    Previous,
    /// It is the first, and does not begin a chain.
    #[error("does not begin a chain: lines before it are missing")]
    Beginning,
    /// It has no line break: it is being written, or the process was killed then and has not been started since.
    #[error("is incomplete")]
    Incomplete,
    /// The half line before it was there already, or is not the one that it speaks of.
    #[error("speaks of another half line than the one before it")]
    Torn,
    /// It is half a line, and the next one does not speak of it.
    #[error("is no whole line, and the next one does not say that the process was killed there")]
    Half,
}

/// An unbroken chain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// How many lines there are.
    pub lines: u64,
    /// The hash of the last one; compare it with one that was kept elsewhere.
    pub head: String,
}

/// Verifies files, the oldest first, as one chain. With `continued` the first one continues a file that is not given.
///
/// # Errors
/// [`VerifyError`] with the first line that is wrong.
pub fn verify(files: &[PathBuf], continued: bool) -> Result<Verified, VerifyError> {
    let mut reading = Reading { head: None, half: None, lines: 0, continued };
    for path in files {
        reading.file(path)?;
    }
    Ok(Verified { lines: reading.lines, head: reading.head.unwrap_or_else(|| GENESIS.to_owned()) })
}

struct Reading {
    /// The hash of the last whole line.
    head: Option<String>,
    /// What was no whole line, since then: the number of its first piece, and the hash of its last one.
    half: Option<(u64, String)>,
    lines: u64,
    continued: bool,
}

impl Reading {
    fn file(&mut self, path: &Path) -> Result<(), VerifyError> {
        let unreadable = |source| VerifyError::Unreadable { path: path.to_owned(), source };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut number = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            number += 1;
            let broken = |(line, fault)| VerifyError::Broken { path: path.to_owned(), line, fault };
            let Some(text) = line.strip_suffix(b"\n") else {
                return Err(broken((number, Fault::Incomplete)));
            };
            self.line(number, text).map_err(broken)?;
        }
        match &self.half {
            None => Ok(()),
            Some((line, _)) => {
                Err(VerifyError::Broken { path: path.to_owned(), line: *line, fault: Fault::Half })
            }
        }
    }

    fn line(&mut self, number: u64, text: &[u8]) -> Result<(), (u64, Fault)> {
        let hash = chain::hash(text);
        let Some(line) = ReadBack::parse(text) else {
            // Only a crash may leave that, and the next line must say so.
            let first = self.half.take().map_or(number, |(first, _)| first);
            self.half = Some((first, hash));
            return Ok(());
        };
        match self.half.take() {
            None => self.follows(number, &line)?,
            Some((first, last_piece)) => {
                let before = self.head.as_deref().unwrap_or(GENESIS);
                let speaks_of_it = line.event == TORN && line.previous == last_piece;
                if !speaks_of_it {
                    return Err((first, Fault::Half));
                }
                if line.last_whole.as_deref() != Some(before) {
                    return Err((number, Fault::Torn));
                }
            }
        }
        self.head = Some(hash);
        self.lines += 1;
        Ok(())
    }

    fn follows(&self, number: u64, line: &ReadBack) -> Result<(), (u64, Fault)> {
        match &self.head {
            Some(head) if line.previous == *head => Ok(()),
            Some(_) => Err((number, Fault::Previous)),
            None if self.continued || line.previous == GENESIS => Ok(()),
            None => Err((number, Fault::Beginning)),
        }
    }
}
