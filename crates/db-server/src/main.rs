//! `db-server`: reads its arguments and settings, and does what it is told; without a command it serves.

mod commands;

use chassis::exit::Exit;
use clap::Parser;
use mimalloc::MiMalloc;

use commands::Arguments;

/// A request allocates some hundred times; this allocator takes less time for it than the C library's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    if let Err(error) = chassis::process::harden() {
        eprintln!("this process cannot be kept from leaving its memory behind: {error}");
        Exit::Software.leave();
    }
    run().leave()
}

fn run() -> Exit {
    match Arguments::try_parse() {
        Ok(arguments) => arguments.run(),
        Err(error) => {
            let wrong = error.use_stderr();
            // Nobody is left to tell when the terminal is gone.
            let _ = error.print();
            if wrong { Exit::Settings } else { Exit::Success }
        }
    }
}
