//! Nobody gets at the memory of the running process: no core file, and no look through /proc.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    process::{Child, Command, Stdio},
};

use rustix::process::geteuid;

const NOBODY: u32 = 65534;

/// As a user who is not root, since root may look at everything.
fn as_nobody(mut command: Command) -> Child {
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.spawn().unwrap()
}

fn owner_of_its_memory(child: &Child) -> u32 {
    fs::metadata(format!("/proc/{}/maps", child.id())).unwrap().uid()
}

#[test]
fn the_process_writes_no_core_file_and_its_memory_belongs_to_root() {
    let folder = tempfile::tempdir().unwrap();
    // Where the executable is built not everybody may go.
    let (executable, settings) = (folder.path().join("provider-proxy"), folder.path().join("settings.toml"));
    fs::copy(env!("CARGO_BIN_EXE_provider-proxy"), &executable).unwrap();
    fs::write(&settings, "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 1\n").unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new(&executable);
    command.env_clear().arg("--config").arg(&settings).current_dir("/").stderr(Stdio::piped());
    let mut hardened = as_nobody(command);
    let mut line = String::new();
    let mut log = BufReader::new(hardened.stderr.take().unwrap());
    log.read_line(&mut line).unwrap();
    assert!(line.contains("listening on"), "{line}");
    let limits = fs::read_to_string(format!("/proc/{}/limits", hardened.id())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"]);
    // Another process of the same user, for comparison.
    let mut cat = Command::new("cat");
    cat.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
    let mut ordinary = as_nobody(cat);
    let owners = (owner_of_its_memory(&hardened), owner_of_its_memory(&ordinary));
    for child in [&mut hardened, &mut ordinary] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let user = if geteuid().is_root() { NOBODY } else { geteuid().as_raw() };
    assert_eq!(owners, (0, user));
}
