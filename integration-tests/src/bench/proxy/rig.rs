//! What is measured: one upstream, and nginx and the real provider-proxy in front of it, each with one worker.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use tempfile::TempDir;
use toml::Table;
use uuid::Uuid;

use super::{BenchError, ProxyOptions, nginx::Nginx};
use crate::{
    bench::{
        identity::{AUDIENCE, ISSUER, Identity},
        pinned::{CLIENTS, PROXY, pinned},
    },
    executables,
    pair::when_bound,
    process::{Process, ProcessError},
    settings::merge,
};

/// How many requests the hanging target may hold.
pub(super) const HELD: u32 = 32;

/// All three, running.
pub(super) struct Rig {
    pub(super) nginx: Nginx,
    pub(super) identity: Identity,
    proxy: Process,
    proxy_url: String,
    upstream: Process,
    folder: TempDir,
}

impl Rig {
    pub(super) async fn start(options: &ProxyOptions) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("a temporary folder"))?;
        let identity = Identity::new(folder.path())?;
        let token = format!("bench_{}", Uuid::new_v4().simple());
        let authorization = format!("Bearer {token}");
        let (upstream, upstream_url) = upstream(folder.path(), &authorization).await?;
        let address = upstream_url.trim_start_matches("http://");
        let nginx = Nginx::start(folder.path(), address, &authorization)?;
        let settings = settings(options, folder.path(), &upstream_url, &identity, &token)?;
        let (proxy, proxy_url) = serve(options, folder.path(), &settings).await?;
        Ok(Self { nginx, identity, proxy, proxy_url, upstream, folder })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The URL of a target's root at provider-proxy.
    pub(super) fn target(&self, name: &str) -> String {
        format!("{}/proxy/{name}", self.proxy_url)
    }

    pub(super) fn proxy_pid(&self) -> u32 {
        self.proxy.pid()
    }

    /// How many lines the audit log has.
    pub(super) fn audited(&self) -> Result<usize, BenchError> {
        let path = audit_file(self.folder.path());
        let log = fs::read(&path).map_err(BenchError::system(path.display()))?;
        Ok(log.iter().filter(|byte| **byte == b'\n').count())
    }

    pub(super) async fn stop(self) -> Result<(), BenchError> {
        self.proxy.signal(Signal::TERM);
        self.proxy.wait().await?;
        self.nginx.stop().await?;
        self.upstream.kill();
        self.upstream.wait().await?;
        Ok(())
    }
}

async fn upstream(folder: &Path, authorization: &str) -> Result<(Process, String), BenchError> {
    let address_file = folder.join("upstream.address");
    let program = executables::path("local-pair").map_err(ProcessError::from)?;
    let launch = pinned("upstream", CLIENTS, &program)?
        .argument("upstream")
        .argument("--address-file")
        .argument(&address_file)
        .arguments(["--authorization", authorization]);
    let process = launch.log_to(folder.join("upstream.log")).start()?;
    let url = when_bound(&process, &address_file, "http").await?;
    Ok((process, url))
}

async fn serve(
    options: &ProxyOptions,
    folder: &Path,
    settings: &Table,
) -> Result<(Process, String), BenchError> {
    let path = folder.join("provider-proxy.toml");
    fs::write(&path, settings.to_string()).map_err(BenchError::system(path.display()))?;
    let program = match &options.provider_proxy {
        Some(program) => program.clone(),
        None => executables::path("provider-proxy").map_err(ProcessError::from)?,
    };
    // Its log goes to a file, as an operator's would.
    let launch = pinned("provider-proxy", PROXY, &program)?.argument("--config").argument(&path);
    let process = launch.log_to(folder.join("provider-proxy.log")).start()?;
    let url = when_bound(&process, &address_file(folder), "http").await?;
    Ok((process, url))
}

fn address_file(folder: &Path) -> PathBuf {
    folder.join("provider-proxy.address")
}

fn audit_file(folder: &Path) -> PathBuf {
    folder.join("audit.log")
}

/// Everything that an operator would have on, on.
fn settings(
    options: &ProxyOptions,
    folder: &Path,
    upstream: &str,
    identity: &Identity,
    token: &str,
) -> Result<Table, BenchError> {
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
address_file = "{address_file}"
workers = 1

[passthrough]
enabled = true
audit_file = "{audit_file}"

[admin]
listen = "127.0.0.1:0"

[identity]
public_keys = ["{public_key}"]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"

[targets.good]
url = "{upstream}"
private = true
allow = ["GET /small", "GET /large", "POST /post"]
require = ["ROLE_WRITE"]
max_concurrent = 256
credential = {{ kind = "bearer", token = "{token}" }}

[targets.hanging]
url = "{upstream}"
private = true
allow = ["GET /hang"]
timeout = "60s"
idle_timeout = "60s"
max_concurrent = {HELD}
credential = {{ kind = "bearer", token = "{token}" }}
"#,
        address_file = address_file(folder).display(),
        audit_file = audit_file(folder).display(),
        public_key = identity.public_key().display(),
    );
    let parse =
        |text: &str| text.parse::<Table>().map_err(|error| BenchError::Settings(error.message().to_owned()));
    let mut table = parse(&text)?;
    if let Some(path) = &options.proxy_settings {
        merge(&mut table, parse(&fs::read_to_string(path).map_err(BenchError::system(path.display()))?)?);
    }
    Ok(table)
}
