//! A private Postgres: its own data folder, its own user, a unix socket that nobody else can reach.

mod account;
pub mod binaries;
mod error;
mod options;

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query, sql_types::Text};
use rustix::process::Signal;
use tempfile::TempDir;

pub use account::Account;
pub use error::PostgresError;
pub use options::{Durability, PostgresOptions, Tcp};

use crate::process::{Launch, Process};

/// The usual port, which only names the socket's file.
pub const PORT: u16 = 5432;

/// The superuser of the cluster.
pub const SUPERUSER: &str = "postgres";

/// The role without any privilege that owns our databases; db-server connects as this one.
pub const ROLE: &str = "solitude";

/// How to stop it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stop {
    /// Sessions are ended, everything is written.
    Fast,
    /// Sessions are cut; the next start recovers from the write-ahead log.
    Immediate,
}

/// A Postgres cluster of our own. Dropping it stops the server, and removes what was made for it alone.
pub struct PrivatePostgres {
    programs: PathBuf,
    account: Option<Account>,
    data: PathBuf,
    socket: TempDir,
    options: PostgresOptions,
    process: Option<Process>,
    /// The folder around the data, when it is ours to remove.
    owned: Option<TempDir>,
}

impl PrivatePostgres {
    /// Makes an empty, fast, unsafe cluster in a temporary folder, and starts it.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub fn temporary() -> Result<Self, PostgresError> {
        Self::temporary_with(|options| options.durability = Durability::None)
    }

    /// Makes an empty cluster in a temporary folder with these changes to its options, and starts it.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub fn temporary_with(change: impl FnOnce(&mut PostgresOptions)) -> Result<Self, PostgresError> {
        let owned = temporary_folder("solitude-data-")?;
        let mut options = PostgresOptions::new(owned.path().join("data"));
        change(&mut options);
        let mut postgres = Self::prepare(options, Some(owned))?;
        postgres.start()?;
        Ok(postgres)
    }

    /// Opens the cluster in the folder of the options, made now unless it is there already. It is not started.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub fn open(options: PostgresOptions) -> Result<Self, PostgresError> {
        Self::prepare(options, None)
    }

    fn prepare(options: PostgresOptions, owned: Option<TempDir>) -> Result<Self, PostgresError> {
        let postgres = Self {
            programs: binaries::find().ok_or(PostgresError::NotInstalled)?,
            account: Account::to_drop_to(),
            data: options.data.clone(),
            socket: temporary_folder("solitude-")?,
            options,
            process: None,
            owned,
        };
        for folder in [Some(postgres.socket.path()), postgres.owned.as_ref().map(TempDir::path)] {
            if let (Some(account), Some(folder)) = (&postgres.account, folder) {
                account.give(folder).map_err(|source| folder_error(folder, source))?;
            }
        }
        if !postgres.data.join("PG_VERSION").is_file() {
            postgres.initialise()?;
        }
        Ok(postgres)
    }

    /// Starts the server and waits until it takes connections; does nothing when it runs.
    ///
    /// # Errors
    /// [`PostgresError::Process`].
    pub fn start(&mut self) -> Result<(), PostgresError> {
        if self.process.as_ref().is_some_and(|process| process.end().is_none()) {
            return Ok(());
        }
        let setting = |(name, value): (&str, String)| ["-c".to_owned(), format!("{name}={value}")];
        let mut launch = Launch::new("postgres", self.programs.join("postgres"))
            .arguments(["-D".into(), self.data.clone().into_os_string()])
            .arguments(self.options.server_settings(self.socket.path()).into_iter().flat_map(setting))
            .account(self.account.clone())
            .last_signal(Signal::QUIT)
            .remove(self.socket.path())
            .hold(self.options.hold.as_deref())
            .keep(self.options.keep)
            .echo(self.options.echo);
        let owned = self.owned.as_ref().map(|owned| owned.path().to_owned());
        for folder in self.options.remove.iter().cloned().chain(owned) {
            launch = launch.remove(folder);
        }
        let process = launch.start()?;
        process.wait_for_line_blocking("database system is ready to accept connections")?;
        self.process = Some(process);
        self.make_role()
    }

    /// Stops the server and waits until it is gone; the data stays.
    ///
    /// # Errors
    /// [`PostgresError::Process`] when it does not end.
    pub fn stop(&mut self, how: Stop) -> Result<(), PostgresError> {
        self.end(match how {
            Stop::Fast => Signal::INT,
            Stop::Immediate => Signal::QUIT,
        })
    }

    /// Kills the server's main process, as a crash would, and waits until its sessions are gone too.
    ///
    /// # Errors
    /// [`PostgresError::Process`] when it does not end.
    pub fn kill(&mut self) -> Result<(), PostgresError> {
        self.end(Signal::KILL)
    }

    /// The running server process.
    #[must_use]
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// The folder of the unix socket: the `host` of a connection.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        self.socket.path()
    }

    /// The URL of a database for a user, as `psql` and libpq take it.
    #[must_use]
    pub fn url(&self, database: &str, user: &str) -> String {
        let (host, port) = (self.socket.path().display(), self.options.port());
        format!("postgresql:///{database}?host={host}&port={port}&user={user}")
    }

    /// A connection of the superuser.
    ///
    /// # Errors
    /// [`PostgresError::Connection`].
    pub fn connect(&self, database: &str) -> Result<PgConnection, PostgresError> {
        Ok(PgConnection::establish(&self.url(database, SUPERUSER))?)
    }

    /// Runs one statement as the superuser in the database `postgres`.
    ///
    /// # Errors
    /// [`PostgresError::Connection`] or [`PostgresError::Statement`].
    pub fn execute(&self, statement: &str) -> Result<(), PostgresError> {
        sql_query(statement).execute(&mut self.connect("postgres")?)?;
        Ok(())
    }

    /// Whether there is such a database.
    ///
    /// # Errors
    /// [`PostgresError::Connection`] or [`PostgresError::Statement`].
    pub fn has_database(&self, name: &str) -> Result<bool, PostgresError> {
        let found = sql_query("SELECT FROM pg_database WHERE datname = $1").bind::<Text, _>(name);
        Ok(found.execute(&mut self.connect("postgres")?)? > 0)
    }

    /// Makes a database that [`ROLE`] owns, as a copy of the template when one is named.
    ///
    /// # Errors
    /// [`PostgresError::Connection`] or [`PostgresError::Statement`].
    pub fn create_database(&self, name: &str, template: Option<&str>) -> Result<(), PostgresError> {
        let template = template.map(|template| format!(" TEMPLATE \"{template}\"")).unwrap_or_default();
        self.execute(&format!("CREATE DATABASE \"{name}\" OWNER {ROLE}{template}"))
    }

    /// Drops a database and ends the sessions in it.
    ///
    /// # Errors
    /// [`PostgresError::Connection`] or [`PostgresError::Statement`].
    pub fn drop_database(&self, name: &str) -> Result<(), PostgresError> {
        self.execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))
    }

    fn end(&mut self, signal: Signal) -> Result<(), PostgresError> {
        if let Some(process) = &self.process {
            process.signal(signal);
            process.wait_blocking()?;
        }
        self.process = None;
        Ok(())
    }

    fn make_role(&self) -> Result<(), PostgresError> {
        let found = sql_query("SELECT FROM pg_roles WHERE rolname = $1").bind::<Text, _>(ROLE);
        if found.execute(&mut self.connect("postgres")?)? == 0 {
            self.execute(&format!("CREATE ROLE {ROLE} LOGIN"))?;
        }
        Ok(())
    }

    fn initialise(&self) -> Result<(), PostgresError> {
        let parent = self.data.parent().unwrap_or(Path::new("/"));
        // What an interrupted initdb left behind would only stop the next one.
        match fs::remove_dir_all(&self.data) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(folder_error(&self.data, error));
            }
            _ => {}
        }
        make_private_folder(&self.data)?;
        if let Some(account) = &self.account {
            account.give(&self.data).map_err(|source| folder_error(&self.data, source))?;
            if !account.can_reach(&self.data) {
                return Err(PostgresError::Unreachable(self.data.clone()));
            }
        }
        let mut command = self.as_account(&self.programs.join("initdb"));
        command.arg("-D").arg(&self.data).args([
            "--username",
            SUPERUSER,
            "--encoding",
            "UTF8",
            "--locale",
            "C",
        ]);
        // The socket's folder lets in nobody but this user, so a connection there is already authenticated.
        command.args(["--auth-local", "trust", "--auth-host", "scram-sha-256"]);
        if let Some(tcp) = &self.options.tcp {
            let file = self.socket.path().join("password");
            fs::write(&file, &tcp.password).map_err(|source| folder_error(&file, source))?;
            command.arg("--pwfile").arg(file);
        }
        if self.options.durability == Durability::None || !self.options.sync_new_folder {
            command.arg("--no-sync");
        }
        let output =
            command.current_dir(parent).output().map_err(|error| PostgresError::Initdb(error.to_string()))?;
        if self.options.tcp.is_some() {
            let file = self.socket.path().join("password");
            fs::remove_file(&file).map_err(|source| folder_error(&file, source))?;
        }
        if output.status.success() {
            return Ok(());
        }
        Err(PostgresError::Initdb(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    fn as_account(&self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
        if let Some(account) = &self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        // The folders go with their owners; the server must be gone before.
        let _ = self.stop(if self.owned.is_some() { Stop::Immediate } else { Stop::Fast });
    }
}

/// A folder of the system's temporary one, else of `/tmp` where that is too deep for a socket's path.
fn temporary_folder(prefix: &str) -> Result<TempDir, PostgresError> {
    let usual = std::env::temp_dir();
    let parent = if usual.as_os_str().len() < 60 { usual } else { PathBuf::from("/tmp") };
    tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(&parent)
        .map_err(|source| folder_error(&parent, source))
}

fn make_private_folder(path: &Path) -> Result<(), PostgresError> {
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700)))
        .map_err(|source| folder_error(path, source))
}

fn folder_error(path: &Path, source: io::Error) -> PostgresError {
    PostgresError::Folder { path: path.to_owned(), source }
}
