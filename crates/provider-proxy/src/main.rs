//! The executable: reads its arguments and settings, and serves until it is told to stop.

mod audit_command;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use chassis::{environment::Environment, exit::Exit};
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use provider_proxy::{Application, Settings, providers::capabilities_page, server};

/// A request allocates some twenty-five times; this allocator takes less time for it than the C library's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The half of Solitude with the provider credentials.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The settings file; without it $PROVIDER_PROXY_SETTINGS names one.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves requests; the default.
    Serve,
    /// Checks the settings and exits.
    CheckConfig,
    /// Reads the audit log.
    Audit(audit_command::Arguments),
    /// Prints what each provider offers, as a page of the documentation.
    Capabilities,
}

fn main() -> ExitCode {
    run().into()
}

fn run() -> Exit {
    if let Err(error) = chassis::process::harden() {
        eprintln!("this process cannot be kept from leaving its memory behind: {error}");
        return Exit::Software;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = error.print();
            return if error.use_stderr() { Exit::Settings } else { Exit::Success };
        }
    };
    let command = match arguments.command.unwrap_or(Command::Serve) {
        Command::Audit(arguments) => return arguments.run(),
        Command::Capabilities => return print(&capabilities_page()),
        command => command,
    };
    let settings = match Settings::load(arguments.config.as_deref(), Environment::from_process()) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return Exit::Settings;
        }
    };
    match command {
        Command::CheckConfig => check_config(&settings),
        Command::Serve | Command::Audit(_) | Command::Capabilities => serve(settings),
    }
}

fn check_config(settings: &Settings) -> Exit {
    if let Err(error) = server::check(settings) {
        eprintln!("{error}");
        return error.exit();
    }
    print("the settings are good\n")
}

fn print(text: &str) -> Exit {
    match write!(io::stdout(), "{text}") {
        Ok(()) => Exit::Success,
        Err(_) => Exit::Software,
    }
}

fn serve(settings: Settings) -> Exit {
    chassis::logging::init(&settings.log);
    let outcome = actix_web::rt::System::new().block_on(async {
        let application = Application::build(settings).map_err(|error| {
            eprintln!("{error}");
            error.exit()
        })?;
        application.run_until_signal().await.map_err(|error| {
            log::error!("the server failed: {error}");
            Exit::Software
        })
    });
    outcome.err().unwrap_or(Exit::Success)
}
