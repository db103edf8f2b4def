//! The thread that writes the lines.

use std::{io, sync::Arc, time::Duration};

use super::{
    Event,
    chain::Chain,
    file::AuditFile,
    line,
    queue::{Entry, Pause, Queue, Work},
};

/// How long it waits after a write that failed, before it tries again.
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    queue: Arc<Queue>,
    file: AuditFile,
    chain: Chain,
    sync: bool,
    torn: Option<Event>,
}

/// Lines on their way to the file.
#[derive(Default)]
struct Batch {
    text: Vec<u8>,
    /// How much of it is in the file.
    written: usize,
    /// How many entries of the queue are in it.
    entries: usize,
}

impl Writer {
    pub(super) const fn new(
        queue: Arc<Queue>,
        file: AuditFile,
        chain: Chain,
        torn: Option<Event>,
        sync: bool,
    ) -> Self {
        Self { queue, file, chain, sync, torn }
    }

    pub(super) fn run(mut self) {
        loop {
            match self.queue.next() {
                Work::Write(entries) => {
                    let batch = self.batch(&entries);
                    self.write(batch);
                }
                Work::Reopen => self.reopen(&mut Batch::default()),
                Work::Close => break,
            }
        }
        let mut last = Batch::default();
        self.add(&mut last, &Entry::event(Event::Stopped));
        self.write(last);
        self.queue.ended();
    }

    fn batch(&mut self, entries: &[Entry]) -> Batch {
        let mut batch = Batch { entries: entries.len(), ..Batch::default() };
        if let Some(torn) = self.torn.take() {
            // Said first: a reader accepts half a line only when the next line speaks of it.
            self.add(&mut batch, &Entry::event(torn));
        }
        let lost = self.queue.take_lost();
        if lost > 0 {
            self.add(&mut batch, &Entry::event(Event::Lost { requests: lost }));
        }
        for entry in entries {
            self.add(&mut batch, entry);
        }
        batch
    }

    fn add(&mut self, batch: &mut Batch, entry: &Entry) {
        match line::write(&mut batch.text, &self.chain.head, entry) {
            Ok(head) => self.chain.head = head,
            // Nothing in an entry can fail to be JSON.
            Err(error) => log::error!("a line of the audit log cannot be written down: {error}"),
        }
    }

    /// Writes all of it, however long that takes, unless the process ends.
    fn write(&mut self, mut batch: Batch) {
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
                        log::error!("{} lines of the audit log are lost", batch.entries);
                        self.queue.gave_up(batch.entries);
                        return;
                    }
                    break;
                }
            }
        }
        self.queue.wrote(batch.entries);
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
        if self.sync { self.file.sync() } else { Ok(()) }
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
