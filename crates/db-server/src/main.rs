//! `db-server`: reads its settings, then serves, migrates, or only checks them.

mod commands {
    pub(crate) mod client;
}

use std::{path::PathBuf, process::ExitCode};

use chassis::{environment::Environment, exit::Exit, logging, settings::read_file};
use clap::{Parser, Subcommand};
use db_server::{
    Application, StartError,
    database::Database,
    error::chain,
    server,
    settings::{self, SETTINGS_VARIABLE, Settings},
};

/// The half of the payment server with the database.
///
/// Ends with 0 when it was asked to stop, 64 when settings or environment are wrong, 69 when it cannot listen, 70 on
/// a fault of its own, 129 when Postgres is out of reach at start.
#[derive(Parser)]
#[command(name = "db-server", version)]
struct Arguments {
    /// The settings file; without it, $DB_SERVER_SETTINGS names it.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT; what happens without a command.
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Check the settings and the environment, and say nothing when they are sound.
    CheckConfig,
    /// Add, list or disable the clients in the database.
    Client(commands::client::ClientArguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let wrong = error.use_stderr();
            // Nobody is left to tell when the terminal is gone.
            let _ = error.print();
            return if wrong { Exit::Settings } else { Exit::Success }.into();
        }
    };
    let settings = match read_settings(&arguments) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return Exit::Settings.into();
        }
    };
    logging::init(&settings.log);
    let exit = match arguments.command.unwrap_or(Command::Serve) {
        Command::CheckConfig => Exit::Success,
        Command::Serve => actix_web::rt::System::new().block_on(serve(settings)),
        Command::Client(client) => {
            actix_web::rt::System::new().block_on(commands::client::run(settings, client))
        }
        Command::Migrate => actix_web::rt::System::new().block_on(migrate(settings)),
    };
    exit.into()
}

fn read_settings(arguments: &Arguments) -> Result<Settings, chassis::settings::SettingsError> {
    let environment = Environment::from_process();
    let table = read_file(arguments.config.as_deref(), SETTINGS_VARIABLE, &environment)?;
    settings::read(table, environment)
}

async fn serve(settings: Settings) -> Exit {
    let application = match Application::build(settings).await {
        Ok(application) => application,
        Err(error) => return refuse(&error),
    };
    match application.run_until_signal().await {
        Ok(()) => Exit::Success,
        Err(error) => {
            log::error!("the server failed: {error}");
            Exit::Software
        }
    }
}

async fn migrate(settings: Settings) -> Exit {
    match server::migrate(&Database::new(settings.database.connect)).await {
        Ok(()) => Exit::Success,
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &StartError) -> Exit {
    log::error!("cannot start: {}", chain(error));
    error.exit()
}
