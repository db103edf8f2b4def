//! The `[server]` table.

use std::{net::SocketAddr, path::PathBuf, thread, time::Duration};

use crate::{settings::Section, tls::Identity};

/// How a server listens.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many threads serve requests.
    pub workers: usize,
    /// The largest request body, in bytes.
    pub max_request_body: usize,
    /// How long requests in flight may take once the server is asked to stop.
    pub drain: Duration,
    /// A file that the address is written to once it is had.
    pub address_file: Option<PathBuf>,
    /// TLS, when it is spoken.
    pub tls: Option<TlsSettings>,
}

/// How a server speaks TLS.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// What it presents.
    pub identity: Identity,
    /// Whose client certificates it demands; nobody's when absent.
    pub client_ca: Option<PathBuf>,
    /// Which of those are revoked: a list of each authority, or none at all.
    pub crl: Vec<PathBuf>,
}

impl ServerSettings {
    /// Reads `listen`, `workers` (default: the processors), `max_request_body` (default 1 MiB), `drain` (default
    /// 30 s), `address_file` and the table `tls` with `certificate`, `key`, `client_ca` and `crl`.
    #[must_use]
    pub fn read(section: &Section, default_listen: SocketAddr) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let workers = section.or("workers", processors);
        if workers == 0 {
            section.fault("workers", "expected at least 1");
        }
        let tls = section.section("tls");
        Self {
            listen: section.or("listen", default_listen),
            workers,
            max_request_body: section.or("max_request_body", 1024 * 1024),
            drain: drain(section),
            address_file: section.output("address_file"),
            tls: tls.is_present().then(|| read_tls(&tls)),
        }
    }
}

fn read_tls(section: &Section) -> TlsSettings {
    let settings = TlsSettings {
        identity: Identity { certificate: section.required("certificate"), key: section.required("key") },
        client_ca: section.optional("client_ca"),
        crl: section.or("crl", Vec::new()),
    };
    if settings.client_ca.is_none() && !settings.crl.is_empty() {
        section.fault("crl", "of no use without client_ca: no client certificate is asked for");
    }
    settings
}

/// The server counts whole seconds: less than one would cut every request off at once.
fn drain(section: &Section) -> Duration {
    let drain = section.or("drain", Duration::from_secs(30));
    if drain < Duration::from_secs(1) {
        section.fault("drain", "expected at least 1 second");
    }
    drain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{environment::Environment, settings::Reader};

    #[test]
    fn a_drain_of_less_than_a_second_is_refused() {
        for (text, refused) in [("0", true), ("'999ms'", true), ("1", false), ("'1500ms'", false)] {
            let table = format!("server.drain = {text}").parse().unwrap();
            let reader = Reader::new(table, Environment::default());
            drop(ServerSettings::read(&reader.root().section("server"), ([127, 0, 0, 1], 0).into()));
            let told = reader.finish().map_err(|error| error.to_string());
            let expected =
                if refused { Err("server.drain: expected at least 1 second".into()) } else { Ok(()) };
            assert_eq!(told, expected, "{text}");
        }
    }
}
