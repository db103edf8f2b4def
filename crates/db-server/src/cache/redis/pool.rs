//! How the pool makes its connections to Redis.

use std::{fs, io};

use r2d2::{HandleError, ManageConnection};
use redis::{
    Client, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisError, RedisResult,
    TlsCertificates,
};
use secrecy::ExposeSecret;

use super::RedisSettings;

/// Makes the connections.
pub(super) struct Manager(RedisSettings);

/// A connection, and whether it is of no more use.
pub(super) struct Pooled {
    pub(super) connection: Connection,
    pub(super) broken: bool,
}

impl Manager {
    pub(super) const fn new(settings: RedisSettings) -> Self {
        Self(settings)
    }

    /// Read anew for each connection: a certificate that was replaced counts.
    fn client(&self) -> RedisResult<Client> {
        let info = self.0.url.expose_secret().into_connection_info()?;
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let info = info.set_tcp_settings(tcp);
        let Some(ca) = &self.0.ca else { return Client::open(info) };
        let root_cert = fs::read(ca)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", ca.display())))?;
        Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(root_cert) })
    }
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = RedisError;

    fn connect(&self) -> Result<Pooled, RedisError> {
        let limit = self.0.timeout;
        let connection = self.client()?.get_connection_with_timeout(limit)?;
        connection.set_read_timeout(Some(limit))?;
        connection.set_write_timeout(Some(limit))?;
        Ok(Pooled { connection, broken: false })
    }

    /// Never asked: the command itself is the test.
    fn is_valid(&self, _: &mut Pooled) -> Result<(), RedisError> {
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.broken || std::thread::panicking()
    }
}

/// The pool tries again several times a second; whoever waits for a connection tells why there is none.
#[derive(Debug)]
pub(super) struct Quiet;

impl HandleError<RedisError> for Quiet {
    fn handle_error(&self, error: RedisError) {
        log::debug!("cannot connect to Redis: {error}");
    }
}

impl RedisSettings {
    /// What is wrong with the URL, if anything.
    ///
    /// # Errors
    /// What was expected; the URL is not shown.
    pub fn check_url(&self) -> Result<(), &'static str> {
        const EXPECTED: &str = "expected redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///PATH";
        match self.url.expose_secret().into_connection_info().as_ref().map(redis::ConnectionInfo::addr) {
            Ok(ConnectionAddr::TcpTls { insecure: true, .. }) => {
                Err("#insecure would accept any certificate")
            }
            Ok(ConnectionAddr::Tcp(..)) if self.ca.is_some() => Err("with cache.ca it must be rediss://"),
            Ok(ConnectionAddr::Unix(_)) if self.ca.is_some() => Err("with cache.ca it must be rediss://"),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::InvalidClientConfig => Err(EXPECTED),
            Err(_) => Err(EXPECTED),
        }
    }
}
