//! The exit codes that a supervisor acts on.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

/// How a service ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Exit {
    /// It was asked to stop and has drained its requests, or a command did its work.
    Success = 0,
    /// The settings or the environment are wrong (`EX_USAGE` of sysexits.h); starting it again will not help.
    Settings = 64,
    /// The data is not as the command needs it, such as a value that no key decrypts (`EX_DATAERR`).
    Data = 65,
    /// What it needs is taken: the address to listen on, or the lock that another run of the command holds
    /// (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// A fault of the program or the machine (`EX_SOFTWARE`).
    Software = 70,
    /// A file cannot be written (`EX_CANTCREAT`).
    CannotWrite = 73,
    /// Something that it cannot start without is out of reach; starting it again later may help. The number is
    /// glotpod-ident's.
    DependencyDown = 129,
}

impl Exit {
    /// Ends the process at once, without the hooks that C libraries run at exit.
    ///
    /// For a process with threads that are inside such a library at that moment: OpenSSL's hook takes down what a
    /// thread of the database pool is using to connect, and the process would end by SIGSEGV instead of its code.
    pub fn leave(self) -> ! {
        // Standard error is not buffered; nobody is left to tell when standard output is gone.
        let _ = io::stdout().flush();
        signal_hook::low_level::exit(i32::from(self as u8))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
