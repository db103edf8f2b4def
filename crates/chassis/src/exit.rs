//! The exit codes that a supervisor acts on.

use std::process::ExitCode;

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

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
