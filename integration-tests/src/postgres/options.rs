//! What a private Postgres is made with.

use std::path::{Path, PathBuf};

use super::PORT;

/// Whether a committed transaction outlives a crash of the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Durability {
    /// Yes, as in production.
    Full,
    /// No: for tests, which are several times faster so. A crash of Postgres alone loses nothing even then.
    None,
}

/// TCP beside the socket, for tools that know nothing else.
#[derive(Clone, Debug)]
pub struct Tcp {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The superuser's password there.
    pub password: String,
}

/// How a private Postgres runs.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// The data folder.
    pub data: PathBuf,
    /// Whether commits are written through.
    pub durability: Durability,
    /// Whether a data folder that is made now is written through to the disk. What `durability` says of commits holds
    /// without it, unless the machine itself crashes.
    pub sync_new_folder: bool,
    /// TCP too, when wanted; it must be there when the data folder is made.
    pub tcp: Option<Tcp>,
    /// A file to hold a shared lock on until the server is gone.
    pub hold: Option<PathBuf>,
    /// Folders to remove when this process is gone without having stopped the server.
    pub remove: Vec<PathBuf>,
    /// How many lines of the server's log to keep.
    pub keep: usize,
    /// Whether to print the server's log too.
    pub echo: bool,
    /// Further settings of the server; they win over those that are always given.
    pub settings: Vec<(&'static str, String)>,
}

impl PostgresOptions {
    /// Durable, on its socket alone.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            durability: Durability::Full,
            sync_new_folder: true,
            tcp: None,
            hold: None,
            remove: Vec::new(),
            keep: 1_000,
            echo: false,
            settings: Vec::new(),
        }
    }

    /// The port, which on the socket only names its file.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.tcp.as_ref().map_or(PORT, |tcp| tcp.port)
    }

    /// The settings for the server's command line.
    pub(super) fn server_settings(&self, socket: &Path) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("unix_socket_directories", socket.display().to_string()),
            ("unix_socket_permissions", "0700".to_owned()),
            ("listen_addresses", if self.tcp.is_some() { "127.0.0.1" } else { "" }.to_owned()),
            ("port", self.port().to_string()),
            ("max_connections", "200".to_owned()),
            ("shared_buffers", "64MB".to_owned()),
            ("log_checkpoints", "off".to_owned()),
        ];
        if self.durability == Durability::None {
            let off = ["fsync", "full_page_writes"];
            settings.extend(off.map(|name| (name, "off".to_owned())));
        }
        settings.extend(self.settings.iter().cloned());
        settings
    }
}
