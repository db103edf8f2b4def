//! The ports that the servers are asked to take.

use std::net::{Ipv4Addr, TcpListener};

use super::{PairError, UpOptions};

/// The address to listen on for a port.
pub(super) fn listen(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// Refuses ports that are taken or named twice, before anything is started.
pub(super) fn check(options: &UpOptions) -> Result<(), PairError> {
    let ports = [
        ("--db-port", options.db_port),
        ("--proxy-port", options.proxy_port),
        ("--sandbox-port", options.sandbox_port),
    ];
    let ports: Vec<_> = ports.into_iter().filter(|&(_, port)| port != 0).collect();
    for (index, &(flag, port)) in ports.iter().enumerate() {
        if let Some(&(first, _)) = ports[..index].iter().find(|&&(_, other)| other == port) {
            return Err(PairError::SamePort { first, second: flag, port });
        }
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| PairError::Port {
            flag,
            port,
            source,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(db_port: u16, proxy_port: u16) -> UpOptions {
        UpOptions {
            state: ".".into(),
            db_port,
            proxy_port,
            sandbox_port: 0,
            db_settings: None,
            proxy_settings: None,
        }
    }

    #[test]
    fn a_taken_port_is_told_by_its_flag() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = check(&options(0, port)).unwrap_err().to_string();
        assert!(error.contains("--proxy-port") && error.contains(&port.to_string()), "{error}");
    }

    #[test]
    fn a_port_named_twice_is_told_by_both_flags() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let error = check(&options(port, port)).unwrap_err().to_string();
        assert!(error.contains("--db-port and --proxy-port"), "{error}");
    }

    #[test]
    fn free_ports_need_no_check() {
        check(&options(0, 0)).unwrap();
    }
}
