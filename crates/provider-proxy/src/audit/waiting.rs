//! The lines that wait to be written, as one text, and the chain that they are on.

use std::time::SystemTime;

use super::{Event, chain::Chain, line};

/// How much memory is kept for the next lines, in bytes; more is needed only while the disk is slow.
const KEPT: usize = 1024 * 1024;

/// Lines on their way to the file.
#[derive(Default)]
pub(super) struct Batch {
    /// The lines.
    pub(super) text: Vec<u8>,
    /// How many of them were added with [`Waiting::add`].
    pub(super) lines: usize,
    /// How much of the text is in the file, in bytes.
    pub(super) written: usize,
    /// Whether somebody waits for them to be on the disk.
    pub(super) urgent: bool,
}

/// What the workers and the thread that writes share, behind one lock.
pub(super) struct Waiting {
    chain: Chain,
    next: Batch,
    /// All that were ever added.
    pub(super) added: u64,
    /// All of those that were ever brought to the disk.
    pub(super) kept: u64,
    /// Whether the thread has to be woken for a line.
    pub(super) asleep: bool,
    /// Whether somebody waits for the lines to be on the disk.
    pub(super) hurry: bool,
    /// Whether the file is to be opened anew.
    pub(super) reopen: bool,
    /// Whether the thread is to end.
    pub(super) closing: bool,
    /// Whether the last line was added.
    pub(super) closed: bool,
}

impl Waiting {
    /// None yet; the first line follows the last one of this chain.
    pub(super) fn new(chain: Chain) -> Self {
        Self {
            chain,
            next: Batch::default(),
            added: 0,
            kept: 0,
            asleep: false,
            hurry: false,
            reopen: false,
            closing: false,
            closed: false,
        }
    }

    /// How many lines wait.
    pub(super) const fn lines(&self) -> usize {
        self.next.lines
    }

    /// Whether there is nothing to do for the thread.
    pub(super) const fn is_idle(&self) -> bool {
        self.next.lines == 0 && !self.reopen && !self.closing
    }

    /// Adds a line, given as what follows its beginning.
    pub(super) fn add(&mut self, rest: &[u8]) {
        self.chain.add(&mut self.next.text, rest);
        self.next.lines += 1;
        self.added += 1;
    }

    /// Adds a line that nobody waits for.
    pub(super) fn say(&mut self, event: &Event) {
        self.chain.add(&mut self.next.text, &line::event(SystemTime::now(), event));
    }

    /// Takes the lines that wait, and leaves the memory of those that are written for the next ones.
    pub(super) fn take(&mut self, spent: Batch) -> Batch {
        let Batch { mut text, .. } = spent;
        text.clear();
        text.shrink_to(KEPT);
        let urgent = std::mem::take(&mut self.hurry) || self.reopen || self.closing;
        let taken = std::mem::replace(&mut self.next, Batch { text, ..Batch::default() });
        Batch { urgent, ..taken }
    }
}
