//! What a process that holds secrets asks of the system, before it reads any.

use std::{io, panic, thread};

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Leaves no copy of this process's memory behind: no core file (`RLIMIT_CORE` is 0 for good), nobody but root may
/// read it through `/proc` or attach a debugger (`PR_SET_DUMPABLE`), and a panic is logged by its place alone.
///
/// # Errors
/// When the system refuses; a service does not go on then.
pub fn harden() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    panic::set_hook(Box::new(|panicked| {
        // What it says may hold a part of a request or a secret.
        let place = panicked.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        log::error!("thread {:?} panicked at {place}", thread::current().name().unwrap_or("unnamed"));
    }));
    Ok(())
}
