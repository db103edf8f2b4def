//! The pass-through of the executable: what it logs, and that no secret of a target ever comes out.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "passthrough/echo.rs"]
mod echo;
#[path = "passthrough/process.rs"]
mod process;

use std::net::TcpListener;

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use self::{echo::Echo, process::Process};

fn target(name: &str, url: &str, keys: &str) -> String {
    format!(
        "[targets.{name}]\nurl = \"{url}\"\nprivate = true\nallow = [\"* /**\"]\nidle_timeout = \"60ms\"\n{keys}\n"
    )
}

#[test]
fn a_status_that_is_no_2xx_is_logged_as_a_warning_and_a_2xx_is_not() {
    let echo = Echo::start(&[]);
    let proxy = Process::start("info", &target("shop", &echo.url(), ""));
    assert!(proxy.ask("GET", "shop", "/status/200", "").starts_with("HTTP/1.1 200"));
    assert!(proxy.ask("GET", "shop", "/status/404?email=x@y.test", "").starts_with("HTTP/1.1 404"));
    let log = proxy.stop().log;
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("Warning response status")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("WARN") && warnings[0].ends_with("Warning response status: 404"), "{log}");
    assert!(log.contains("GET /proxy/shop/status/404?email=… HTTP/1.1 404"), "{log}");
    assert!(!log.contains("x@y.test"), "{log}");
}

#[test]
fn a_target_that_cannot_be_reached_is_logged_as_a_connection_error() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Process::start("info", &target("shop", &format!("http://{free}"), ""));
    let answer = proxy.ask("GET", "shop", "/a", "");
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("x-proxy-error: connect"), "{answer}");
    let log = proxy.stop().log;
    let error = log.lines().find(|line| line.contains("ERROR")).unwrap_or_default();
    assert!(error.contains("ConnectionError: shop: ") && error.contains("refused"), "{log}");
}

/// A target of each kind of credential that holds a secret, in the order of the secrets.
fn targets(url: &str, secrets: &[String]) -> String {
    let secret = |index: usize| toml::Value::String(secrets[index].clone()).to_string();
    let credentials = [
        ("bearer", format!("kind = 'bearer', token = {}", secret(0))),
        ("basic", format!("kind = 'basic', username = 'dummy-user', password = {}", secret(1))),
        ("header", format!("kind = 'header', name = 'x-api-key', value = {}", secret(2))),
        ("query", format!("kind = 'query', name = 'key', value = {}", secret(3))),
        ("oauth1", format!("kind = 'oauth1', consumer_key = 'dummy-key', consumer_secret = {}", secret(4))),
        ("hmac", format!("kind = 'hmac_body', header = 'x-signature', secret = {}", secret(5))),
        (
            "aws",
            format!(
                "kind = 'aws_sigv4', access_key_id = 'AKIDEXAMPLE', secret_access_key = {}, region = 'eu', service = 's'",
                secret(6)
            ),
        ),
        ("soap", format!("kind = 'soap_login', username = 'dummy-user', password = {}", secret(7))),
    ];
    credentials
        .iter()
        .map(|(name, credential)| target(name, url, &format!("credential = {{ {credential} }}")))
        .collect()
}

const NAMES: [&str; 8] = ["bearer", "basic", "header", "query", "oauth1", "hmac", "aws", "soap"];

const SOAP: &str = "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>\
    <r xmlns=\"com.bango.webservices.directbilling\"><username/><password/></r></Body></Envelope>";

/// What an echoing target does with the request, and with each secret in each form.
const PATHS: [&str; 16] = [
    "/head",
    "/body",
    "/chunks",
    "/json",
    "/reason",
    "/trailer",
    "/redirect",
    "/cut",
    "/hang",
    "/late",
    "/garbage",
    "/status/500",
    "/raw",
    "/base64",
    "/hex",
    "/percent",
];

/// Each way in which a text that comes out could hold a secret.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let xml = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    vec![
        secret.to_owned(),
        secret.to_lowercase(),
        BASE64.encode(secret.as_bytes()),
        BASE64.encode(format!("dummy-user:{secret}").as_bytes()),
        BASE64URL.encode(secret.as_bytes()),
        HEXLOWER.encode(secret.as_bytes()),
        HEXUPPER.encode(secret.as_bytes()),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        json[1..json.len() - 1].to_owned(),
        xml,
        format!("{secret:?}").trim_matches('"').to_owned(),
    ]
}

fn secret() -> impl Strategy<Value = String> {
    // Long and mixed enough that no log line holds it by chance.
    "[A-Za-z0-9+/=&<>\"'%\\\\._~!{}-]{14,40}[a-z][0-9]"
}

fn ask_for_everything(proxy: &Process, paths: &[&str]) -> String {
    let mut answers = String::new();
    for name in NAMES {
        for path in paths {
            let (method, body) = if name == "soap" { ("POST", SOAP) } else { ("POST", "a=b") };
            answers.push_str(&proxy.ask(method, name, path, body));
        }
        for refused in ["/../x", "//x", "/%2e%2e", "/x?y=\\"] {
            answers.push_str(&proxy.ask("GET", name, refused, ""));
        }
        answers.push_str(&proxy.ask("TRACE", name, "/x", ""));
    }
    answers.push_str(&proxy.ask("GET", "nobody", "/x", ""));
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_comes_out_of_the_process_other_than_towards_its_target(
        secrets in prop::collection::vec(secret(), NAMES.len()),
        level in prop::sample::select(vec!["off", "error", "warn", "info", "debug", "trace"]),
    ) {
        let echo = Echo::start(&secrets);
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let proxy = Process::start(level, &targets(&echo.url(), &secrets));
        let answers = ask_for_everything(&proxy, &PATHS);
        let out = proxy.stop();
        let unreachable = Process::start(level, &targets(&format!("http://{free}"), &secrets));
        let refused = ask_for_everything(&unreachable, &["/a"]);
        let away = unreachable.stop();
        // The target did get them, or this test would see nothing.
        for (index, name) in NAMES.iter().enumerate().filter(|(_, name)| matches!(**name, "bearer" | "header")) {
            prop_assert!(echo.got(&secrets[index]), "{name} was not sent");
        }
        prop_assert!(answers.contains("x-proxy-error: leak"), "nothing was withheld");
        for (secret, name) in secrets.iter().zip(NAMES) {
            for form in forms(secret) {
                for (place, text) in [
                    ("answers", &answers), ("log", &out.log), ("audit", &out.audit), ("metrics", &out.metrics),
                    ("refusals", &refused), ("log", &away.log), ("audit", &away.audit), ("metrics", &away.metrics),
                ] {
                    prop_assert!(!text.contains(&form), "{name}: {form} of {secret} in {place}");
                }
            }
        }
    }
}
