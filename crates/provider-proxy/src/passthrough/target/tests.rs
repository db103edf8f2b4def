//! What the operator is told about wrong targets.

use chassis::{environment::Environment, settings::Reader};

use super::*;

fn read(text: &str) -> Result<Targets, String> {
    let reader = Reader::new(text.parse().unwrap(), Environment::default());
    let targets = Targets::read(&reader.root().section("targets"));
    reader.finish().map(|()| targets).map_err(|error| error.to_string())
}

fn faulty_keys(text: &str) -> Vec<String> {
    let report = read(text).unwrap_err();
    report.lines().map(|line| line.split(": ").next().unwrap().to_owned()).collect()
}

#[test]
fn a_target_needs_a_url_and_allows_nothing_by_itself() {
    let targets = read("[targets.shop]\nurl = 'https://shop.test/api/'").unwrap();
    let shop = targets.get("shop").unwrap();
    assert_eq!((&*shop.name, shop.url.as_str()), ("shop", "https://shop.test/api"));
    assert!(shop.enabled && shop.allow.is_empty() && shop.require.is_empty());
    assert!(!shop.compress && !shop.private && !shop.websocket);
    assert!(shop.rewrite.is_none() && shop.credential.name() == "none" && shop.tls.is_some());
    assert_eq!((shop.max_request_body, shop.max_response_body), (67_108_864, 67_108_864));
    let durations = [shop.connect_timeout, shop.idle_timeout, shop.timeout];
    assert_eq!(durations.map(|duration| duration.as_secs()), [5, 30, 60]);
    assert!(targets.get("other").is_none());
}

#[test]
fn all_faults_of_all_targets_are_told_at_once() {
    let keys = faulty_keys(
        r#"
        [targets.a]
        allow = ["GET /x", "get /x", "GET /x*"]
        timeout = "0s"
        rewrite = "/shops"
        typo = 1
        [targets.a.request_headers]
        set = { host = "x" }
        [targets.b]
        url = "http://127.0.0.1:1"
        ca = "/nonexistent.pem"
        max_concurrent = 0
        [targets.c]
        url = "https://c.test"
        ca = "/nonexistent.pem"
        [targets."d.e"]
        url = "https://d.test"
        "#,
    );
    for key in [
        "targets.a.url",
        "targets.a.allow",
        "targets.a.timeout",
        "targets.a.rewrite",
        "targets.a.typo",
        "targets.a.request_headers.set.host",
        "targets.b.url",
        "targets.b.ca",
        "targets.b.max_concurrent",
        "targets.c.ca",
        "targets.\"d.e\"",
    ] {
        assert!(keys.iter().any(|known| known == key), "{key} in {keys:?}");
    }
    assert_eq!(keys.len(), 12, "{keys:?}");
}

#[test]
fn an_address_that_is_not_public_needs_private_and_some_are_never_right() {
    for (url, public, private) in [
        ("https://shop.test", true, true),
        ("http://shop.test", false, true),
        ("https://8.8.8.8", true, true),
        ("http://127.0.0.1:80", false, true),
        ("http://127.1:80", false, true),
        ("http://2130706433:80", false, true),
        ("http://0x7f.1", false, true),
        ("http://localhost", false, true),
        ("https://[::1]", false, true),
        ("https://[::ffff:10.0.0.1]", false, true),
        ("https://10.0.0.1", false, true),
        ("https://[64:ff9b::7f00:1]", false, true),
        ("https://169.254.169.254", false, false),
        ("https://[fd00:ec2::254]", false, false),
        ("https://0.0.0.0", false, false),
        ("https://[2002:7f00:1::]", false, false),
    ] {
        for (flag, good) in [(false, public), (true, private)] {
            let text = format!("[targets.t]\nurl = '{url}'\nprivate = {flag}");
            match read(&text) {
                Ok(_) => assert!(good, "{url} {flag}"),
                Err(report) => {
                    assert!(!good, "{url} {flag}: {report}");
                    assert!(report.starts_with("targets.t.url: ") && report.lines().count() == 1, "{report}");
                }
            }
        }
    }
}

#[test]
fn debug_shows_no_more_than_the_name_and_the_place() {
    let targets = read("[targets.shop]\nurl = 'https://shop.test'\nrequire = ['ROLE_X']").unwrap();
    assert!(!format!("{targets:?}").contains("ROLE_X"));
}

#[test]
fn a_token_endpoint_is_judged_as_its_target_is() {
    let settings = |url: &str, private: bool| {
        format!(
            "[targets.a]\nurl = 'https://a.test'\nprivate = {private}\n[targets.a.credential]\n\
             kind = 'oauth2_client_credentials'\ntoken_url = '{url}'\nclient_id = 'i'\nclient_secret = 'dummy'\n"
        )
    };
    for url in ["http://id.test/token", "https://127.0.0.1/token", "http://localhost:1"] {
        assert_eq!(faulty_keys(&settings(url, false)), ["targets.a.credential.token_url"], "{url}");
        assert!(read(&settings(url, true)).is_ok(), "{url}");
    }
    assert!(read(&settings("https://id.test/token", false)).is_ok());
    assert_eq!(
        faulty_keys(&settings("http://169.254.169.254/token", true)),
        ["targets.a.credential.token_url"]
    );
}
