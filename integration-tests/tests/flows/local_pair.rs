//! `./dev demo` and `./dev up`, as processes.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use integration_tests::{
    client::Client,
    process::{End, Launch, Process},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What `up` prints once it is ready.
const READY: &str = "Ctrl-C stops everything";

fn state_folder() -> TempDir {
    // Postgres may run as another user, who must get in.
    tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o711)).tempdir().unwrap()
}

fn up(state: &Path, more: &[&str]) -> Process {
    let ports = ["--db-port", "0", "--proxy-port", "0", "--sandbox-port", "0"];
    let launch = Launch::executable("local-pair").unwrap().argument("up").argument("--state").argument(state);
    // The last of two equal flags would be refused, so the test's own come instead of these.
    let ports = ports.chunks(2).filter(|pair| !more.contains(&pair[0])).flatten();
    launch.arguments(ports).arguments(more).start().unwrap()
}

fn pair_file(state: &Path) -> PathBuf {
    state.join("pair.json")
}

fn described(state: &Path) -> Value {
    serde_json::from_slice(&fs::read(pair_file(state)).unwrap()).unwrap()
}

fn pids(description: &Value) -> Vec<u64> {
    description["pids"].as_object().unwrap().values().map(|pid| pid.as_u64().unwrap()).collect()
}

fn runs(pid: &u64) -> bool {
    Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok()
}

#[actix_web::test]
async fn the_demonstration_buys_through_every_provider_and_says_so_in_json() {
    let demo = Launch::executable("local-pair").unwrap().arguments(["demo", "--json"]).start().unwrap();
    assert_eq!(demo.wait().await.unwrap(), End::Exited(0), "{}", demo.last_lines(50));
    // Both streams arrive here; the JSON is the one line that is an object.
    let lines = demo.lines();
    let summary = lines.iter().find(|line| line.starts_with('{')).unwrap();
    let summary: Value = serde_json::from_str(summary).unwrap();
    assert_eq!(summary["ok"], true);
    let steps = summary["steps"].as_array().unwrap();
    // The reference provider, Stripe, PayPal, Braintree, the webhooks of the last three, events and ledger.
    assert_eq!(steps.len(), 12 + 10 + 7 + 4 + 3 + 2);
    assert!(steps.iter().all(|step| step["status"].as_u64().is_some()), "{steps:?}");
    assert_eq!(summary["transaction"]["status"], 1);
    let declines = steps.iter().filter(|step| step["outcome"] == "declined");
    assert_eq!(declines.count(), 3);
    let ledger = summary["ledger"].as_array().unwrap();
    let lines = |kind: &str| ledger.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((lines("charge"), lines("refund"), ledger.len()), (6, 3, 9));
    let keys = steps.iter().filter_map(|step| step["key"].as_str());
    assert_eq!(keys.filter(|key| *key == "order-1").count(), 2);
    assert_eq!(
        summary["books"]["totals"],
        json!([{"currency": "EUR", "total": "0.00"}, {"currency": "USD", "total": "0.00"}])
    );
    let receivable = json!({"account": "receivable:stripe", "balance": "22.00", "currency": "EUR"});
    assert!(summary["books"]["balances"].as_array().unwrap().contains(&receivable), "{}", summary["books"]);
}

#[actix_web::test]
async fn a_pair_is_described_serves_its_client_and_ends_with_all_its_processes() {
    let state = state_folder();
    let pair = up(state.path(), &[]);
    pair.wait_for_line(READY).await.unwrap();
    let description = described(state.path());
    assert_eq!(fs::metadata(pair_file(state.path())).unwrap().permissions().mode() & 0o777, 0o600);
    let text = |pointer: &str| description.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let client = Client::signed(&text("/db_server"), &text("/client/key"), &text("/client/secret"));
    let created = client.post("/generic/seller/", &json!({"uuid": "kept"})).await;
    assert_eq!(created.status, 201, "{created:?}");
    let pids = pids(&description);
    assert_eq!(pids.iter().filter(|pid| runs(pid)).count(), 5);

    pair.signal(Signal::TERM);

    assert_eq!(pair.wait().await.unwrap(), End::Exited(0));
    assert_eq!(pids.iter().filter(|pid| runs(pid)).count(), 0);
    assert!(!pair_file(state.path()).exists());
}

#[actix_web::test]
async fn a_pair_that_was_killed_leaves_no_process_and_its_state_goes_on() {
    let state = state_folder();
    let pair = up(state.path(), &[]);
    pair.wait_for_line(READY).await.unwrap();
    let first = described(state.path());
    let client = |of: &Value| {
        let text = |pointer: &str| of.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        Client::signed(&text("/db_server"), &text("/client/key"), &text("/client/secret"))
    };
    let created = client(&first).post("/generic/seller/", &json!({"uuid": "kept"})).await;

    pair.kill();
    assert_eq!(pair.wait().await.unwrap(), End::Killed(9));
    let again = up(state.path(), &[]);
    again.wait_for_line(READY).await.unwrap();

    assert_eq!(pids(&first).iter().filter(|pid| runs(pid)).count(), 0);
    let second = described(state.path());
    assert_eq!(first["client"], second["client"]);
    let uri = created.json()["resource_uri"].as_str().unwrap().to_owned();
    assert_eq!(client(&second).get(&uri).await.json()["uuid"], "kept");
}

#[actix_web::test]
async fn a_server_that_dies_ends_the_pair_with_its_last_lines() {
    let state = state_folder();
    let pair = up(state.path(), &[]);
    pair.wait_for_line(READY).await.unwrap();
    let description = described(state.path());
    let victim = description["pids"]["provider_proxy"].as_i64().unwrap();
    kill_process(Pid::from_raw(i32::try_from(victim).unwrap()).unwrap(), Signal::KILL).unwrap();
    assert_eq!(pair.wait().await.unwrap(), End::Exited(1));
    pair.wait_for_line("provider-proxy was killed by signal 9; its last lines:").await.unwrap();
    assert_eq!(pids(&description).iter().filter(|pid| runs(pid)).count(), 0);
}

#[actix_web::test]
async fn a_state_folder_serves_one_pair_and_two_folders_serve_two() {
    let (state, other) = (state_folder(), state_folder());
    let pair = up(state.path(), &[]);
    pair.wait_for_line(READY).await.unwrap();
    let second = up(state.path(), &[]);
    second.wait_for_line("another pair runs with this state folder").await.unwrap();
    assert_eq!(second.wait().await.unwrap(), End::Exited(1));
    let third = up(other.path(), &[]);
    third.wait_for_line(READY).await.unwrap();
    assert!(pair_file(state.path()).exists());
}

#[actix_web::test]
async fn a_taken_port_is_told_by_its_flag_and_nothing_is_started() {
    let state = state_folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let pair = up(state.path(), &["--sandbox-port", &port]);
    assert_eq!(pair.wait().await.unwrap(), End::Exited(1));
    pair.wait_for_line("--sandbox-port").await.unwrap();
    assert!(!state.path().join("postgres").exists());
}

#[actix_web::test]
async fn settings_files_are_merged_over_the_generated_ones() {
    let state = state_folder();
    let more = state.path().join("more.toml");
    fs::write(&more, "[auth.clients.reader]\nsecret = \"dummy-reader-secret\"\nroles = [\"read\"]\n")
        .unwrap();
    let pair = up(state.path(), &["--db-settings", more.to_str().unwrap()]);
    pair.wait_for_line(READY).await.unwrap();
    let url = described(state.path())["db_server"].as_str().unwrap().to_owned();
    let answer = Client::signed(&url, "reader", "dummy-reader-secret").get("/generic/seller/").await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[actix_web::test]
async fn settings_that_a_server_refuses_end_the_pair_with_what_it_says() {
    let state = state_folder();
    let wrong = state.path().join("wrong.toml");
    fs::write(&wrong, "[databse]\nhost = \"x\"\n").unwrap();
    let pair = up(state.path(), &["--proxy-settings", wrong.to_str().unwrap()]);
    assert_eq!(pair.wait().await.unwrap(), End::Exited(1));
    pair.wait_for_line("provider-proxy exited with code 64").await.unwrap();
    pair.wait_for_line("databse").await.unwrap();
}
