//! nginx, the yardstick: `proxy_pass` with one header added, bare, one worker.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::process::{Signal, getuid};

use super::BenchError;
use crate::{
    bench::pinned::{self, PROXY},
    process::{Launch, Process},
};

/// nginx, running.
pub(super) struct Nginx {
    process: Process,
    url: String,
}

impl Nginx {
    /// Starts it in front of this upstream, in a folder of its own.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(super) fn start(folder: &Path, upstream: &str, authorization: &str) -> Result<Self, BenchError> {
        // Debian keeps it where only root's PATH leads; `./dev` unpacks it where it is not installed.
        let program = pinned::program("nginx", &[PathBuf::from("/usr/sbin")])?;
        let port = free_port().map_err(BenchError::system("a free port"))?;
        let file = folder.join("nginx.conf");
        let settings = settings(folder, port, upstream, authorization);
        fs::write(&file, settings).map_err(BenchError::system(file.display()))?;
        let process = Launch::new("nginx", pinned::program("taskset", &[])?)
            .arguments(["-c", PROXY])
            .argument(program)
            .arguments(["-e", "stderr", "-c"])
            .argument(&file)
            .log_to(folder.join("nginx.log"))
            .start()?;
        let nginx = Self { process, url: format!("http://127.0.0.1:{port}") };
        nginx.wait(folder, port)?;
        Ok(nginx)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(super) async fn stop(self) -> Result<(), BenchError> {
        self.process.signal(Signal::TERM);
        self.process.wait().await?;
        Ok(())
    }

    fn wait(&self, folder: &Path, port: u16) -> Result<(), BenchError> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if self.process.end().is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(folder.join("nginx.log")).unwrap_or_default();
                return Err(BenchError::Nginx(log));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// nginx cannot be told to take any port and say which.
fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Nothing is written, no connection is closed, and a body of 16 KiB never goes by way of a file.
fn settings(folder: &Path, port: u16, upstream: &str, authorization: &str) -> String {
    // As root its worker would become another user, who may not enter the folder.
    let user = if getuid().is_root() { "user root;" } else { "" };
    let folder = folder.display();
    format!(
        "{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_buffer_size 64k;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream provider {{
        server {upstream};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Authorization \"{authorization}\";
        }}
    }}
}}
"
    )
}
