//! The commands: what each takes, what it prints, and with which code it ends.

mod check_config;
mod client;
mod generate_key;
mod ledger;
mod log;
mod migrate;
mod payment;
mod plan;
mod reconcile;
mod rotate_keys;
mod serve;
mod user;

use std::{
    fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use chassis::{environment::Environment, exit::Exit, logging, settings::read_file};
use clap::{Parser, Subcommand};
use db_server::{
    StartError,
    error::chain,
    settings::{self, SETTINGS_VARIABLE, Settings},
    store::StoreError,
};

/// The half of the payment server with the database.
#[derive(Parser)]
#[command(name = "db-server", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// The settings file; without it, $DB_SERVER_SETTINGS names it.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes:
    0  it was asked to stop, or the command did its work
   64  arguments, settings or environment are wrong; nothing was done
   65  the data is not as the command needs it: a value that no key decrypts, a ledger that was changed, or books that
       a provider's list does not agree with
   69  what it needs is taken: the address, or the lock of another run
   70  a fault of the program or the machine
   73  a file cannot be written
  129  Postgres is out of reach; for `reconcile` also provider-proxy or the provider";

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT; what happens without a command.
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Check the settings, the environment and the files of [proxy], without reaching for the database.
    CheckConfig,
    /// Print a fresh random key. It needs no settings.
    GenerateKey(generate_key::Options),
    /// Bring every encrypted value under the first encryption key, and every look-up hash under the first look-up
    /// key, while the servers run. It may be stopped and started again.
    RotateKeys,
    /// Add, list or disable the clients in the database.
    Client(client::ClientArguments),
    /// Add, list, disable or enable the people who may log in, or set another password.
    User(user::UserArguments),
    /// Say what products cost and which need a subscription, or list or forget it.
    Plan(plan::PlanArguments),
    /// Compare what a provider says it has taken and given back with our books.
    Reconcile(reconcile::Options),
    /// Verify the ledger, or compare it with the payments.
    Ledger(ledger::LedgerArguments),
    /// Show a payment, look at what nobody has settled, or say what has become of an operation.
    Payment(payment::PaymentArguments),
    /// Write the transaction log of a day (UTC) as a CSV file, yesterday's unless told otherwise.
    Log(log::Options),
}

impl Arguments {
    /// Does what the arguments say.
    pub(crate) fn run(self) -> Exit {
        let command = match self.command.unwrap_or(Command::Serve) {
            Command::GenerateKey(options) => return generate_key::run(&options),
            command => command,
        };
        let settings = match read_settings(self.config.as_deref()) {
            Ok(settings) => settings,
            Err(error) => {
                eprintln!("{error}");
                return Exit::Settings;
            }
        };
        logging::init(&settings.log);
        match command {
            Command::Serve | Command::GenerateKey(_) => serve::run(settings),
            Command::Migrate => migrate::run(settings),
            Command::CheckConfig => check_config::run(&settings),
            Command::RotateKeys => rotate_keys::run(&settings),
            Command::Client(arguments) => {
                actix_web::rt::System::new().block_on(client::run(settings, arguments))
            }
            Command::User(arguments) => actix_web::rt::System::new().block_on(user::run(settings, arguments)),
            Command::Plan(arguments) => actix_web::rt::System::new().block_on(plan::run(settings, arguments)),
            Command::Reconcile(options) => {
                actix_web::rt::System::new().block_on(reconcile::run(settings, options))
            }
            Command::Ledger(arguments) => ledger::run(&settings, arguments),
            Command::Payment(arguments) => {
                actix_web::rt::System::new().block_on(payment::run(settings, arguments))
            }
            Command::Log(options) => log::run(&settings, options),
        }
    }
}

fn read_settings(config: Option<&Path>) -> Result<Settings, chassis::settings::SettingsError> {
    let environment = Environment::from_process();
    let table = read_file(config, SETTINGS_VARIABLE, &environment)?;
    settings::read(table, environment)
}

/// Says why nothing is served.
fn refuse(error: &StartError) -> Exit {
    ::log::error!("cannot start: {}", chain(error));
    error.exit()
}

/// With which code a command ends that the database has failed.
const fn exit_of(error: &StoreError) -> Exit {
    match error {
        StoreError::Unreachable(_) | StoreError::Busy(_) | StoreError::StatementTimeout(_) => {
            Exit::DependencyDown
        }
        StoreError::Constraint(_)
        | StoreError::Stale { .. }
        | StoreError::NotFound
        | StoreError::Query(_)
        | StoreError::Interrupted => Exit::Software,
    }
}

/// Prints a command's result; whoever asked for it may have gone.
fn print(text: impl fmt::Display) -> Exit {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => Exit::Success,
        Err(_) => Exit::Software,
    }
}
