//! The pass-through of the executable: what it logs, and that no secret of a target ever comes out.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "passthrough/credentials.rs"]
mod credentials;
#[path = "passthrough/echo.rs"]
mod echo;
#[path = "passthrough/process.rs"]
mod process;

use std::{collections::BTreeSet, net::TcpListener, thread};

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use provider_proxy::passthrough::credential::KINDS;

use self::{
    credentials::{Authority, Kept, one_of_each, random},
    echo::Echo,
    process::Process,
};

/// The settings of a target, of which `place` says where it is.
fn target(name: &str, place: &str, keys: &str) -> String {
    format!(
        "[targets.{name}]\n{place}\nprivate = true\nallow = [\"* /**\"]\nidle_timeout = \"400ms\"\n{keys}\n"
    )
}

fn shop(url: &str) -> String {
    target("shop", &format!("url = \"{url}\""), "")
}

#[test]
fn a_status_that_is_no_2xx_is_logged_as_a_warning_and_a_2xx_is_not() {
    let echo = Echo::start(&[], "");
    let proxy = Process::start("info", &shop(&echo.url()));
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
    let proxy = Process::start("info", &shop(&format!("http://{free}")));
    let answer = proxy.ask("GET", "shop", "/a", "");
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("x-proxy-error: connect"), "{answer}");
    let log = proxy.stop().log;
    let error = log.lines().find(|line| line.contains("ERROR")).unwrap_or_default();
    assert!(error.contains("ConnectionError: shop: ") && error.contains("refused"), "{log}");
}

const SOAP: &str = "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>\
    <r xmlns=\"com.bango.webservices.directbilling\"><username/><password/></r></Body></Envelope>";

/// What an echoing target does with the request.
const PATHS: [&str; 13] = [
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
    "/status/401",
];

/// What it gives away of one secret, by the secret's number.
const GIVEN_AWAY: [&str; 4] = ["/raw/", "/base64/", "/hex/", "/percent/"];

/// What has to be encoded in a query (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Each way in which a text that comes out could hold a secret.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let xml = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let xml_of_attributes = xml.replace('"', "&quot;");
    vec![
        secret.to_owned(),
        secret.to_lowercase(),
        BASE64.encode(secret.as_bytes()),
        BASE64.encode(format!("dummy-user:{secret}").as_bytes()),
        BASE64URL.encode(secret.as_bytes()),
        HEXLOWER.encode(secret.as_bytes()),
        HEXUPPER.encode(secret.as_bytes()),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        utf8_percent_encode(secret, RESERVED).to_string(),
        json[1..json.len() - 1].to_owned(),
        xml_of_attributes.replace('\'', "&apos;"),
        xml,
        xml_of_attributes,
        format!("{secret:?}").trim_matches('"').to_owned(),
    ]
}

/// Asks each target for each path, and for each of its secrets, all targets at once; gives all that was answered.
fn ask_for_everything(proxy: &Process, kept: &[Kept], secrets: &[String], paths: &[&str]) -> String {
    let ask_one = |kept: &Kept| {
        let body = if kept.name == "soap_login" { SOAP } else { "a=b" };
        let mut answers: String = paths.iter().map(|path| proxy.ask("POST", kept.name, path, body)).collect();
        let of_this = |secret: &&String| kept.secrets.contains(secret);
        for (number, _) in secrets.iter().enumerate().filter(|(_, secret)| of_this(secret)) {
            for form in GIVEN_AWAY {
                answers.push_str(&proxy.ask("POST", kept.name, &format!("{form}{number}"), body));
            }
        }
        for refused in ["/../x", "//x", "/%2e%2e", "/x?y=\\"] {
            answers.push_str(&proxy.ask("GET", kept.name, refused, ""));
        }
        answers + &proxy.ask("TRACE", kept.name, "/x", "")
    };
    let answers: String = thread::scope(|scope| {
        let asking: Vec<_> = kept.iter().map(|kept| scope.spawn(move || ask_one(kept))).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    answers + &proxy.ask("GET", "nobody", "/x", "")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_comes_out_of_the_process_other_than_towards_its_target(
        random in random(),
        level in prop::sample::select(vec!["off", "error", "warn", "info", "debug", "trace"]),
    ) {
        let authority = Authority::new();
        let access_token = random.access_token().to_owned();
        let kept = one_of_each(random, &authority, forms);
        let kinds: BTreeSet<_> = kept.iter().map(Kept::kind).collect();
        prop_assert_eq!(kinds, BTreeSet::from(KINDS));

        let secrets: Vec<_> = kept.iter().flat_map(|kept| kept.secrets.clone()).collect();
        let echo = Echo::start(&secrets, &access_token);
        let echo_with_tls = Echo::start_with_tls(&secrets, authority.server());
        let settings = |url: &str, tls_url: &str| -> String {
            kept.iter().map(|kept| kept.settings(url, tls_url, &authority)).collect()
        };
        let proxy = Process::start(level, &settings(&echo.url(), &echo_with_tls.url()));
        let answers = ask_for_everything(&proxy, &kept, &secrets, &PATHS);
        let out = proxy.stop();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let unreachable =
            Process::start(level, &settings(&format!("http://{free}"), &format!("https://{free}")));
        let refused = ask_for_everything(&unreachable, &kept, &secrets, &["/a"]);
        let away = unreachable.stop();

        // The targets did get them, or this test would see nothing.
        for Kept { name, marks, .. } in &kept {
            let echo = if *name == "client_certificate" { &echo_with_tls } else { &echo };
            prop_assert!(marks.iter().any(|mark| echo.got(mark)), "{name} was not sent");
        }
        let signatures = echo.signatures();
        prop_assert!(signatures.len() >= 2, "a token of each key that signs");
        prop_assert!(answers.contains("x-proxy-error: leak"), "nothing was withheld");
        for secret in secrets.iter().chain(&signatures) {
            for form in forms(secret) {
                for (place, text) in [
                    ("answers", &answers), ("log", &out.log), ("audit", &out.audit), ("metrics", &out.metrics),
                    ("refusals", &refused), ("log", &away.log), ("audit", &away.audit), ("metrics", &away.metrics),
                ] {
                    prop_assert!(!text.contains(&form), "{form} of {secret} in {place}");
                }
            }
        }
    }
}
