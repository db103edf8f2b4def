//! `provider-proxy audit`: reads audit logs back.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use chassis::exit::Exit;
use clap::{Args, Subcommand};
use provider_proxy::audit::verify::{VerifyError, verify};

/// What `provider-proxy audit` takes.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Finds the first line that was changed, taken out or added. Ends with 0 when there is none, with 65 when there
    /// is one, and with 70 when a file cannot be read.
    Verify {
        /// The files of one log, the oldest first.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The first file goes on from an older one that is not given.
        #[arg(long)]
        continued: bool,
    },
}

impl Arguments {
    /// Does what the arguments say.
    pub(crate) fn run(self) -> Exit {
        let Command::Verify { files, continued } = self.command;
        match verify(&files, continued) {
            Ok(verified) => {
                // To be compared with what was printed before: a log that was cut off at its end is unbroken.
                let told = writeln!(io::stdout(), "{} lines, the last one {}", verified.lines, verified.head);
                if told.is_ok() { Exit::Success } else { Exit::Software }
            }
            Err(error) => {
                eprintln!("{error}");
                match error {
                    VerifyError::Broken { .. } => Exit::Data,
                    VerifyError::Unreadable { .. } => Exit::Software,
                }
            }
        }
    }
}
