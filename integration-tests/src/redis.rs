//! A private Redis: a folder of its own, a unix socket that nobody else can reach, nothing on the network.

use std::{
    env,
    ffi::OsString,
    fs, io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use redis::{Client, Connection, RedisError, cmd};
use rustix::process::Signal;
use tempfile::TempDir;
use thiserror::Error;

use crate::process::{Launch, PATIENCE, Process, ProcessError};

/// The variable that names the program, where it is not on `PATH`.
pub const VARIABLE: &str = "SOLITUDE_REDIS_SERVER";

/// Why the private Redis cannot do what was asked.
#[derive(Debug, Error)]
pub enum PrivateRedisError {
    /// There is no Redis on this machine.
    #[error(
        "no redis-server found (on PATH, in ${VARIABLE}), nor redis-check-rdb, which is the same program"
    )]
    NotInstalled,
    /// Its folder cannot be made.
    #[error("the folder of the private Redis: {0}")]
    Folder(#[from] io::Error),
    /// Its certificate cannot be made.
    #[error("the certificate of the private Redis: {0}")]
    Certificate(#[from] rcgen::Error),
    /// It could not be started, or ended.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It refuses.
    #[error("private Redis: {0}")]
    Redis(#[from] RedisError),
}

/// A Redis that keeps nothing on disk. Dropping it ends it.
pub struct PrivateRedis {
    folder: TempDir,
    /// The port for TLS on 127.0.0.1, when it has one.
    tls_port: Option<u16>,
    process: Option<Process>,
}

impl PrivateRedis {
    /// Starts an empty one.
    ///
    /// # Errors
    /// [`PrivateRedisError`].
    pub fn start_new() -> Result<Self, PrivateRedisError> {
        Self::start_new_on(None)
    }

    /// Starts an empty one that speaks TLS on 127.0.0.1 too, with a certificate for `localhost` of its own.
    ///
    /// # Errors
    /// [`PrivateRedisError`].
    pub fn start_new_with_tls() -> Result<Self, PrivateRedisError> {
        // Free a moment ago: Redis takes no socket from others.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        Self::start_new_on(Some(port))
    }

    fn start_new_on(tls_port: Option<u16>) -> Result<Self, PrivateRedisError> {
        let usual = env::temp_dir();
        // A socket's path has no more than about 100 bytes.
        let parent = if usual.as_os_str().len() < 60 { usual } else { PathBuf::from("/tmp") };
        let folder = tempfile::Builder::new().prefix("solitude-redis-").tempdir_in(parent)?;
        // It goes by its name: Debian's redis-check-rdb is the server when it is called so.
        symlink(program().ok_or(PrivateRedisError::NotInstalled)?, folder.path().join("redis-server"))?;
        let mut redis = Self { folder, tls_port, process: None };
        if tls_port.is_some() {
            let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
            fs::write(redis.certificate(), certified.cert.pem())?;
            fs::write(redis.folder.path().join("key.pem"), certified.signing_key.serialize_pem())?;
        }
        redis.start()?;
        Ok(redis)
    }

    /// Starts it again, empty, and waits until it takes connections; does nothing when it runs.
    ///
    /// # Errors
    /// [`PrivateRedisError::Process`].
    pub fn start(&mut self) -> Result<(), PrivateRedisError> {
        if self.process.as_ref().is_some_and(|process| process.end().is_none()) {
            return Ok(());
        }
        let process = Launch::new("redis", self.folder.path().join("redis-server"))
            .arguments(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocketperm", "700"])
            .argument("--unixsocket")
            .argument(self.socket())
            .arguments(self.tls_arguments())
            .folder(self.folder.path())
            .remove(self.folder.path())
            .start()?;
        process.wait_for_line_blocking("eady to accept connections")?;
        self.process = Some(process);
        Ok(())
    }

    /// Stops it and waits until it is gone; what it held is lost.
    ///
    /// # Errors
    /// [`PrivateRedisError::Process`] when it does not end.
    pub fn stop(&mut self) -> Result<(), PrivateRedisError> {
        self.end(Signal::TERM)
    }

    /// Kills it, as a crash would.
    ///
    /// # Errors
    /// [`PrivateRedisError::Process`] when it does not end.
    pub fn kill(&mut self) -> Result<(), PrivateRedisError> {
        self.end(Signal::KILL)
    }

    /// Makes it hang: connections are still taken, nothing is answered.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        self.wait_until_frozen(true);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
        self.wait_until_frozen(false);
    }

    /// The guard passes signals on in its own time; the system shows when one has taken effect.
    fn wait_until_frozen(&self, frozen: bool) {
        let Some(process) = &self.process else { return };
        let (start, path) = (Instant::now(), format!("/proc/{}/stat", process.pid()));
        // The state is the letter behind the program's name, which is in parentheses.
        let is_frozen = || {
            let stat = fs::read_to_string(&path).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
        };
        while is_frozen() != frozen && start.elapsed() < PATIENCE {
            thread::yield_now();
        }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Its URL over TLS.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("rediss://localhost:{}", self.tls_port.unwrap_or_default())
    }

    /// The file with its certificate, which is its own authority.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// The settings of a db-server that uses it.
    #[must_use]
    pub fn db_settings(&self) -> String {
        format!("[cache]\nurl = \"{}\"\n", self.url())
    }

    /// A connection.
    ///
    /// # Errors
    /// [`PrivateRedisError::Redis`].
    pub fn connect(&self) -> Result<Connection, PrivateRedisError> {
        Ok(Client::open(self.url())?.get_connection()?)
    }

    /// Every key with its value; all values of ours are texts.
    ///
    /// # Errors
    /// [`PrivateRedisError::Redis`].
    pub fn dump(&self) -> Result<Vec<(String, String)>, PrivateRedisError> {
        let mut connection = self.connect()?;
        let keys: Vec<String> = cmd("KEYS").arg("*").query(&mut connection)?;
        let value = |key: String| {
            let value: Option<String> = cmd("GET").arg(&key).query(&mut connection)?;
            Ok((key, value.unwrap_or_default()))
        };
        keys.into_iter().map(value).collect()
    }

    /// Forgets every key.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn forget_all(&self) {
        cmd("FLUSHALL").exec(&mut self.connect().unwrap()).unwrap();
    }

    fn tls_arguments(&self) -> Vec<OsString> {
        let Some(port) = self.tls_port else { return Vec::new() };
        let key = self.folder.path().join("key.pem");
        let mut arguments: Vec<OsString> = Vec::new();
        for (name, value) in [
            ("--bind", "127.0.0.1".into()),
            ("--tls-port", port.to_string().into()),
            ("--tls-auth-clients", "no".into()),
            ("--tls-cert-file", self.certificate().into_os_string()),
            ("--tls-key-file", key.into_os_string()),
        ] {
            arguments.extend([name.into(), value]);
        }
        arguments
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    fn end(&mut self, signal: Signal) -> Result<(), PrivateRedisError> {
        if let Some(process) = &self.process {
            process.signal(signal);
            process.wait_blocking()?;
        }
        self.process = None;
        Ok(())
    }
}

fn program() -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE) {
        return Some(PathBuf::from(named)).filter(|program| program.is_file());
    }
    on_path("redis-server").or_else(|| on_path("redis-check-rdb"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder: PathBuf| Path::new(&folder).join(name))
        .find(|program| program.is_file())
}
