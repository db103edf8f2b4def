//! `db-server user`: the people who may log in.

use std::{
    collections::BTreeSet,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
};

use chassis::exit::Exit;
use clap::{Args, Subcommand};
use db_server::{
    cache::{Cache, Sealed},
    database::Database,
    domain::user::{UserError, account},
    error::chain,
    pin::PinHasher,
    settings::Settings,
    store::user::UserRow,
};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::{exit_of, print};

/// What to do about the people who may log in.
#[derive(Args)]
pub(crate) struct UserArguments {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user. The password is the first line of standard input.
    Add {
        /// What the user types to log in: letters, digits, '_', '-', '.', '@' and '+'.
        name: String,
        /// What the user may do: read, write, refund, admin; or a word that a target of the door knows. May be given
        /// more than once. None implies another.
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<String>,
        /// Make a password and print it; it is not shown again.
        #[arg(long)]
        generate: bool,
    },
    /// List the users: name, roles, whether they may call, since when.
    List,
    /// Take from a user the right to call; all running servers refuse the user's password and tokens within 5 s.
    Disable {
        /// The name.
        name: String,
    },
    /// Give back to a user the right to call. Tokens from before stay worthless.
    Enable {
        /// The name.
        name: String,
    },
    /// Set another password, the first line of standard input; tokens from before lose their worth, and a lock-out
    /// ends.
    Password {
        /// The name.
        name: String,
        /// Make a password and print it; it is not shown again.
        #[arg(long)]
        generate: bool,
    },
}

/// Runs the command. 0 when it is done, 64 when it cannot be done so, 129 when Postgres is out of reach.
pub(crate) async fn run(settings: Settings, arguments: UserArguments) -> Exit {
    let clients = settings.auth.clients.keys().cloned().collect();
    let database = Database::new(settings.database.connect);
    let cache = database.sealed(Cache::new(settings.redis), settings.database.keys);
    let office = Office { clients, database, cache, hasher: settings.pin.hasher };
    match office.run(arguments.command).await {
        Ok(text) => print(text.trim_end()),
        Err(error) => refuse(&error),
    }
}

/// What the commands work with.
struct Office {
    clients: BTreeSet<String>,
    database: Database,
    cache: Sealed,
    hasher: PinHasher,
}

impl Office {
    async fn run(&self, command: UserCommand) -> Result<String, UserError> {
        match command {
            UserCommand::Add { name, roles, generate } => self.add(&name, roles, generate).await,
            UserCommand::List => Ok(table(account::list(&self.database).await?)),
            UserCommand::Disable { name } => {
                account::set_active(&self.database, &self.cache, &name, false).await?;
                Ok(format!("disabled: {name}"))
            }
            UserCommand::Enable { name } => {
                account::set_active(&self.database, &self.cache, &name, true).await?;
                Ok(format!("enabled: {name}"))
            }
            UserCommand::Password { name, generate } => {
                let (password, told) = password(generate)?;
                account::set_password(&self.database, &self.cache, &self.hasher, &name, password).await?;
                Ok(format!("changed: {name}\n{told}"))
            }
        }
    }

    async fn add(&self, name: &str, given: Vec<String>, generate: bool) -> Result<String, UserError> {
        let mut roles = Vec::new();
        for role in given {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        account::check(name, &roles, &self.clients)?;
        let (password, told) = password(generate)?;
        account::create(&self.database, &self.cache, &self.hasher, name, roles, password).await?;
        Ok(format!("user: {name}\n{told}"))
    }
}

/// A password, and what is printed of it.
fn password(generate: bool) -> Result<(String, String), UserError> {
    if generate {
        let password = account::generate()?;
        let told = format!("password: {password}");
        return Ok((password, told));
    }
    // What cannot be read is no password.
    let password = typed().map_err(|_| UserError::Password)?;
    Ok((password, String::new()))
}

/// The first line of standard input; at a terminal it is asked for and not shown.
fn typed() -> io::Result<String> {
    let input = io::stdin();
    let mut line = String::new();
    if input.is_terminal() {
        eprint!("password: ");
        io::stderr().flush()?;
        let shown = tcgetattr(&input)?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Flush, &hidden)?;
        let read = input.lock().read_line(&mut line);
        tcsetattr(&input, OptionalActions::Flush, &shown)?;
        eprintln!();
        read?;
    } else {
        input.lock().read_line(&mut line)?;
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// One line a user, tabs between the columns: for people and for cut(1).
fn table(users: Vec<UserRow>) -> String {
    let mut text = "NAME\tROLES\tACTIVE\tCREATED\n".to_owned();
    for user in users {
        let (roles, created) = (user.roles.join(","), user.created.format("%Y-%m-%dT%H:%M:%SZ"));
        text.push_str(&format!("{}\t{roles}\t{}\t{created}\n", user.name, user.active));
    }
    text
}

fn refuse(error: &UserError) -> Exit {
    log::error!("{}", chain(error));
    match error {
        UserError::Name
        | UserError::CardNumber
        | UserError::Taken
        | UserError::Exists
        | UserError::Role
        | UserError::Password
        | UserError::Unknown => Exit::Settings,
        UserError::Store(error) => exit_of(error),
        UserError::Random | UserError::Hash(_) => Exit::Software,
    }
}
