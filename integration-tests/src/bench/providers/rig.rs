//! What is measured: the real provider-proxy with one worker, on a processor that nothing else here uses.

use std::{fs, net::SocketAddr, path::Path};

use rustix::{
    process::Signal,
    thread::{CpuSet, sched_setaffinity},
};
use tempfile::TempDir;
use uuid::Uuid;

use super::{
    BenchError, ProvidersOptions,
    load::{self, Operation, Target},
    provider::{self, Visits},
};
use crate::{
    bench::{
        identity::{AUDIENCE, ISSUER, Identity},
        meter::{self, Threads},
        pinned::{CLIENTS, PROXY, pinned},
    },
    executables,
    pair::when_bound,
    process::{Process, ProcessError},
};

/// provider-proxy and the provider, running.
pub(super) struct Rig {
    identity: Identity,
    visits: Visits,
    proxy: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Rig {
    pub(super) async fn start(options: &ProvidersOptions) -> Result<Self, BenchError> {
        stay_on(CLIENTS)?;
        let folder = tempfile::tempdir().map_err(BenchError::system("a temporary folder"))?;
        let identity = Identity::new(folder.path())?;
        let secret_key = format!("sk_test_{}", Uuid::new_v4().simple());
        let (provider, visits) = provider::start(secret_key.clone())?;
        let path = folder.path().join("provider-proxy.toml");
        fs::write(&path, settings(folder.path(), provider, &identity, &secret_key))
            .map_err(BenchError::system(path.display()))?;
        let program = match &options.provider_proxy {
            Some(program) => program.clone(),
            None => executables::path("provider-proxy").map_err(ProcessError::from)?,
        };
        // Its log goes to a file, as an operator's would.
        let launch = pinned("provider-proxy", PROXY, &program)?.argument("--config").argument(&path);
        let proxy = launch.log_to(folder.path().join("provider-proxy.log")).start()?;
        let url = when_bound(&proxy, &address_file(folder.path()), "http").await?;
        let address = url.trim_start_matches("http://").parse();
        let address = address.map_err(|_| BenchError::Malformed(url))?;
        Ok(Self { identity, visits, proxy, address, _folder: folder })
    }

    /// Loads it, and gives what each operation took.
    pub(super) fn load(&self, rate: u32, length: std::time::Duration) -> Result<Vec<Operation>, BenchError> {
        let token = self.identity.token()?;
        let target = Target { address: self.address, token: &token, visits: &self.visits };
        // In a thread of its own: this one belongs to the runtime that watches the process.
        std::thread::scope(|scope| scope.spawn(|| load::run(&target, rate, length)).join())
            .unwrap_or(Err(BenchError::Generator))
    }

    /// The processor time of provider-proxy so far, thread by thread.
    pub(super) fn usage(&self) -> Result<Threads, BenchError> {
        meter::threads(self.proxy.pid())
    }

    pub(super) async fn stop(self) -> Result<(), BenchError> {
        self.proxy.signal(Signal::TERM);
        self.proxy.wait().await?;
        Ok(())
    }
}

/// Keeps this process, whose threads are the callers and the provider, off the other processors.
fn stay_on(processor: &str) -> Result<(), BenchError> {
    let mut set = CpuSet::new();
    set.set(processor.parse().unwrap_or_default());
    sched_setaffinity(None, &set).map_err(|error| BenchError::system("sched_setaffinity")(error.into()))
}

fn address_file(folder: &Path) -> std::path::PathBuf {
    folder.join("provider-proxy.address")
}

/// Identity, limits and the audit log on, as an operator would have them.
fn settings(folder: &Path, provider: SocketAddr, identity: &Identity, secret_key: &str) -> String {
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
address_file = "{address_file}"
workers = 1

[passthrough]
audit_file = "{audit_file}"

[identity]
public_keys = ["{public_key}"]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"

[providers.stripe]
url = "http://{provider}"
secret_key = "{secret_key}"
webhook_secrets = ["whsec_bench"]

[policy.largest_payment]
EUR = "100.00"
"#,
        address_file = address_file(folder).display(),
        audit_file = folder.join("audit.log").display(),
        public_key = identity.public_key().display(),
    )
}
