//! Where Postgres is and how to connect to it, as a libpq connection string.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use diesel::{Connection, PgConnection};
use secrecy::{ExposeSecret, SecretString};

use super::ConnectFailure;
use crate::store::{ConnectionLoss, StoreError};

/// Where Postgres is, and the limits of a connection and of the pool.
#[derive(Clone, Debug)]
pub struct ConnectParameters {
    /// A name, an address, or the folder that holds the server's unix socket.
    pub host: String,
    /// The TCP port; it also names the unix socket.
    pub port: u16,
    /// The database's name.
    pub database: String,
    /// The role to log in as.
    pub user: String,
    /// The role's password, when the server asks for one.
    pub password: Option<SecretString>,
    /// Whether TLS is used and what is checked.
    pub ssl_mode: SslMode,
    /// The certificate authorities that the server's certificate is checked against. Without it
    /// [`SslMode::VerifyFull`] takes those that the operating system trusts.
    pub ssl_root_certificate: Option<PathBuf>,
    /// How long making one connection may take; libpq counts in whole seconds and never less than 2.
    pub connect_timeout: Duration,
    /// How long one statement may run; the server cancels it.
    pub statement_timeout: Duration,
    /// How many connections there are at most; 0 is read as 1.
    pub pool_size: u32,
    /// How long a request waits for a connection.
    pub pool_wait: Duration,
    /// What the server's own views and logs call this client.
    pub application_name: String,
}

/// Whether a connection uses TLS: libpq's `sslmode`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SslMode {
    /// Never.
    Disable,
    /// Only when the server insists; nothing is checked.
    Allow,
    /// When the server can; nothing is checked.
    #[default]
    Prefer,
    /// Always; the certificate is checked only when a root certificate is given.
    Require,
    /// Always; the certificate is checked.
    VerifyCa,
    /// Always; the certificate and the host's name in it are checked.
    VerifyFull,
}

impl SslMode {
    /// Every mode.
    pub const ALL: [Self; 6] =
        [Self::Disable, Self::Allow, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];

    /// Reads libpq's name of a mode, such as `verify-full`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// libpq's name of the mode.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl ConnectParameters {
    /// The libpq keyword form (PostgreSQL manual, "Connection Strings"), every value quoted.
    pub(super) fn connection_string(&self) -> SecretString {
        let mut text = String::new();
        let mut add = |keyword: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{keyword}={} ", quoted(value));
        };
        add("host", &self.host);
        add("port", &self.port.to_string());
        add("dbname", &self.database);
        add("user", &self.user);
        if let Some(password) = &self.password {
            add("password", password.expose_secret());
        }
        add("sslmode", self.ssl_mode.name());
        match &self.ssl_root_certificate {
            Some(certificate) => add("sslrootcert", &certificate.to_string_lossy()),
            // libpq's word for the authorities that the operating system trusts; otherwise it would look for a file
            // in the home folder, which a service has not.
            None if self.ssl_mode == SslMode::VerifyFull => add("sslrootcert", "system"),
            None => {}
        }
        add("connect_timeout", &self.connect_timeout.as_millis().div_ceil(1000).to_string());
        add("application_name", &self.application_name);
        // A server that has vanished without a word is noticed: idle after 10 + 3 * 3 s, with data under way after
        // the connect timeout.
        add("keepalives", "1");
        add("keepalives_idle", "10");
        add("keepalives_interval", "3");
        add("keepalives_count", "3");
        add("tcp_user_timeout", &self.connect_timeout.as_millis().to_string());
        add("options", &self.session_options());
        text.into()
    }

    /// The settings of each session. They travel with the connection request and cost no round trip.
    fn session_options(&self) -> String {
        let statement = self.statement_timeout.as_millis();
        // No transaction waits for anything but Postgres, so one that idles belongs to a process that is stuck or
        // cut off: its row locks are freed.
        let idle = statement.saturating_mul(2);
        format!("-c statement_timeout={statement} -c idle_in_transaction_session_timeout={idle}")
    }

    /// A connection outside any pool, for commands: nobody waits for them as a client waits for an answer.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`].
    pub fn connect(&self) -> Result<PgConnection, StoreError> {
        PgConnection::establish(self.connection_string().expose_secret())
            .map_err(|error| StoreError::Unreachable(ConnectionLoss::Connect(ConnectFailure::from(error))))
    }

    /// The same for migrations, which may run for as long as they need.
    pub(super) fn without_statement_timeout(&self) -> Self {
        Self { statement_timeout: Duration::ZERO, ..self.clone() }
    }
}

/// Quotes a value so that nothing in it can end it or start another keyword.
fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('\'');
    for character in value.chars() {
        if matches!(character, '\'' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> ConnectParameters {
        ConnectParameters {
            host: "localhost".into(),
            port: 5432,
            database: "solitude".into(),
            user: "solitude".into(),
            password: Some("dum'my \\secret".into()),
            ssl_mode: SslMode::VerifyFull,
            ssl_root_certificate: Some("/etc/ca.pem".into()),
            connect_timeout: Duration::from_millis(4_200),
            statement_timeout: Duration::from_secs(5),
            pool_size: 10,
            pool_wait: Duration::from_secs(2),
            application_name: "db-server".into(),
        }
    }

    #[test]
    fn every_value_is_quoted_so_that_none_can_add_a_keyword() {
        let hostile = ConnectParameters { database: "x' host='evil".into(), ..parameters() };
        let text = hostile.connection_string();
        let text = text.expose_secret();
        assert!(text.contains(r"dbname='x\' host=\'evil' "), "{text}");
        assert!(text.contains(r"password='dum\'my \\secret' "), "{text}");
    }

    #[test]
    fn the_limits_reach_libpq_in_its_own_units() {
        let text = parameters().connection_string();
        let text = text.expose_secret();
        assert!(text.contains("connect_timeout='5' "), "{text}");
        assert!(text.contains("tcp_user_timeout='4200' "), "{text}");
        assert!(
            text.contains("-c statement_timeout=5000 -c idle_in_transaction_session_timeout=10000"),
            "{text}"
        );
        assert!(text.contains("sslmode='verify-full' sslrootcert='/etc/ca.pem' "), "{text}");
    }

    #[test]
    fn a_full_check_without_a_certificate_trusts_what_the_system_trusts() {
        let text = ConnectParameters { ssl_root_certificate: None, ..parameters() }.connection_string();
        assert!(text.expose_secret().contains("sslrootcert='system' "));
        let prefer =
            ConnectParameters { ssl_root_certificate: None, ssl_mode: SslMode::Prefer, ..parameters() };
        assert!(!prefer.connection_string().expose_secret().contains("sslrootcert"));
    }

    #[test]
    fn the_password_is_not_printed() {
        assert!(!format!("{:?}", parameters()).contains("secret"));
        assert!(!format!("{:?}", parameters().connection_string()).contains("my"));
    }

    #[test]
    fn a_mode_is_read_by_its_own_name_and_by_no_other() {
        for mode in SslMode::ALL {
            assert_eq!(SslMode::parse(mode.name()), Some(mode));
        }
        assert_eq!(SslMode::parse("verify"), None);
    }
}
