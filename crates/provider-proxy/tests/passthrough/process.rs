//! The executable with an audit log and an admin listener, asked over raw sockets.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
};

pub(crate) struct Process {
    child: Child,
    address: String,
    log: Mutex<Receiver<String>>,
    folder: tempfile::TempDir,
}

/// Everything that a process has said beside its answers.
pub(crate) struct Said {
    pub(crate) log: String,
    pub(crate) audit: String,
    pub(crate) metrics: String,
}

impl Process {
    pub(crate) fn start(level: &str, targets: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let settings = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 1\naddress_file = {:?}\n[log]\nlevel = \"{level}\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n\
             [passthrough]\nenabled = true\naudit_file = {:?}\n{targets}",
            file("address"),
            file("audit")
        );
        fs::write(file("settings.toml"), settings).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_provider-proxy"))
            .env_clear()
            .arg("--config")
            .arg(file("settings.toml"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, log) = channel();
        let stderr = child.stderr.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let _ = sender.send(line.unwrap() + "\n");
            }
        });
        let mut process = Self { child, address: String::new(), log: Mutex::new(log), folder };
        process.address = process.read_address("address");
        process
    }

    /// Waits for a file that the process writes when it listens.
    fn read_address(&mut self, name: &str) -> String {
        loop {
            if let Ok(text) = fs::read_to_string(self.folder.path().join(name)) {
                return text.trim_end().to_owned();
            }
            let ended = self.child.try_wait().unwrap();
            let said = || self.log.lock().unwrap().iter().collect::<String>();
            assert!(ended.is_none(), "ended before it listened: {}", said());
            thread::yield_now();
        }
    }

    /// The whole answer to a request, as it comes over the wire.
    pub(crate) fn ask(&self, method: &str, target: &str, path: &str, body: &str) -> String {
        let headers = match body {
            "" => String::new(),
            _ if body.starts_with('<') => {
                format!("Content-Type: text/xml\r\nContent-Length: {}\r\n", body.len())
            }
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let head =
            format!("{method} /proxy/{target}{path} HTTP/1.1\r\nHost: proxy\r\nConnection: close, TE\r\n");
        exchange(&self.address, &format!("{head}TE: trailers\r\n{headers}\r\n{body}"))
    }

    /// Ends it as a supervisor does, and gives everything that it has said. The metrics are those of a process that says
    /// in its log where it gives them.
    pub(crate) fn stop(mut self) -> Said {
        let mut log: String = self.log.get_mut().unwrap().try_iter().collect();
        let admin = log.lines().find(|line| line.contains("admin: on http://"));
        let metrics =
            admin.and_then(|line| line.rsplit("http://").next()).map_or_else(String::new, |address| {
                let metrics =
                    exchange(address, "GET /metrics HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n");
                assert!(metrics.contains("provider_proxy_requests_total"), "{metrics}");
                metrics
            });
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        self.child.wait().unwrap();
        log.extend(self.log.get_mut().unwrap().iter());
        let audit = fs::read_to_string(self.folder.path().join("audit")).unwrap();
        assert!(audit.contains("\"event\":\"request\""), "{audit}");
        Said { log, audit, metrics }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn exchange(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // An answer that is broken off may end in a reset.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
