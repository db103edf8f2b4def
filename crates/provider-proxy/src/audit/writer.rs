//! The thread that writes the lines.

use std::{io, sync::Arc, time::Duration};

use super::{
    file::AuditFile,
    queue::{Pause, Queue, Work},
    waiting::Batch,
};

/// How long it waits after a write that failed, before it tries again.
const RETRY: Duration = Duration::from_secs(1);

/// How many batches are brought to the disk together at most: that costs as much for one as for some.
const TOGETHER: u32 = 4;

pub(super) struct Writer {
    queue: Arc<Queue>,
    file: AuditFile,
    sync: bool,
    unsynced: Unsynced,
}

/// What is in the file, and perhaps not on the disk.
#[derive(Default)]
struct Unsynced {
    batches: u32,
    lines: usize,
}

impl Writer {
    pub(super) fn new(queue: Arc<Queue>, file: AuditFile, sync: bool) -> Self {
        Self { queue, file, sync, unsynced: Unsynced::default() }
    }

    pub(super) fn run(mut self) {
        let mut batch = Batch::default();
        loop {
            match self.queue.next(batch, self.unsynced.batches > 0) {
                Work::Write(lines) => batch = self.write(lines),
                Work::Reopen => {
                    batch = Batch::default();
                    self.reopen(&mut batch);
                }
                Work::Close(last) => {
                    self.write(last);
                    break;
                }
            }
        }
    }

    /// Writes all of it, however long that takes, unless the process ends; gives it back for its memory.
    fn write(&mut self, mut batch: Batch) -> Batch {
        while let Err(error) = self.try_write(&mut batch) {
            if self.queue.failed() {
                log::error!(
                    "{}: the audit log cannot be written, and no request is let through: {error}",
                    self.file.path().display()
                );
            }
            match self.queue.pause(RETRY) {
                Pause::Over => {}
                Pause::Reopen => self.reopen(&mut batch),
                Pause::Close => {
                    if self.try_write(&mut batch).is_err() {
                        log::error!("{} lines of the audit log are lost", batch.lines);
                        self.queue.gave_up(batch.lines);
                        return batch;
                    }
                    break;
                }
            }
        }
        self.queue.wrote(batch.lines);
        self.unsynced.batches += 1;
        self.unsynced.lines += batch.lines;
        if self.syncs_with(&batch) {
            self.queue.synced(std::mem::take(&mut self.unsynced).lines);
        }
        batch
    }

    fn try_write(&mut self, batch: &mut Batch) -> io::Result<()> {
        while let Some(rest) = batch.text.get(batch.written..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => batch.written += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.sync && self.syncs_with(batch) { self.file.sync() } else { Ok(()) }
    }

    /// Whether everything up to this batch counts as kept once it is written: always where nothing is brought to the
    /// disk itself; else when it is the last of some, when somebody waits for it, and when no line has followed.
    const fn syncs_with(&self, batch: &Batch) -> bool {
        !self.sync || batch.urgent || batch.lines == 0 || self.unsynced.batches >= TOGETHER - 1
    }

    /// Goes on in the file that has the path now. A line that is half in the old file is taken back there, and
    /// written as a whole to the new one.
    fn reopen(&mut self, batch: &mut Batch) {
        match self.file.renewed() {
            Ok(None) => {}
            Ok(Some(file)) => {
                let written = batch.text.get(..batch.written).unwrap_or_default();
                let half = written.iter().rev().take_while(|&&byte| byte != b'\n').count();
                if let Err(error) = self.file.take_back(half as u64) {
                    log::error!("the audit log's old file ends in half a line: {error}");
                }
                batch.written -= half;
                if self.sync
                    && let Err(error) = self.file.sync()
                {
                    log::error!("the audit log's old file may lack its last lines: {error}");
                }
                self.file = file;
                log::info!("{}: the audit log goes on in a new file", self.file.path().display());
            }
            Err(error) => log::error!("the audit log stays in its old file: {error}"),
        }
        self.queue.reopened();
    }
}
