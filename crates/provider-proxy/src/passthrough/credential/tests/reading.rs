//! What is read from settings: names, versions, secrets and their files, and faults.

use super::*;

#[test]
fn every_kind_has_its_name() {
    for settings in EXAMPLES {
        let credential = read(settings);
        assert!(settings.contains(&format!("kind = '{}'", credential.name())), "{settings}");
        assert!(KINDS.contains(&credential.name()));
    }
}

#[test]
fn no_debug_shows_a_secret_and_every_secret_is_told_to_the_scanner() {
    for settings in &EXAMPLES[1..] {
        let credential = read(settings);
        let shown = format!("{credential:?}");
        assert!(!shown.contains("dummy"), "{shown}");
        assert!(shown.contains(credential.name()), "{shown}");
        let secrets = credential.secrets();
        assert!(secrets.iter().any(|secret| secret.expose_secret().contains("dummy")), "{settings}");
    }
}

#[test]
fn a_previous_secret_is_not_sent_and_must_not_come_out_either() {
    let credential = read(
        "kind = 'bearer'\nversion = '2026-11'\ntoken = { current = { env = 'SECRET' }, previous = 'dummy-old' }",
    );
    let secrets: Vec<_> =
        credential.secrets().iter().map(|secret| secret.expose_secret().to_owned()).collect();
    assert_eq!(secrets, ["dummy-from-environment", "dummy-old"]);
    assert_eq!(&**credential.version(), "2026-11");
    let mut request = request("GET", "/", &[], b"");
    let Kind::Bearer(bearer) = &credential.kind else { panic!("{credential:?}") };
    bearer.apply(&mut request).unwrap();
    assert_eq!(request.headers["authorization"], "Bearer dummy-from-environment");
}

#[test]
fn the_files_of_both_secrets_are_watched() {
    let folder = tempfile::tempdir().unwrap();
    let [current, previous] = ["current", "previous"].map(|name| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("dummy-{name}\n")).unwrap();
        path
    });
    let [first, second] = [&current, &previous].map(|path| path.display());
    let settings = format!(
        "kind = 'bearer'\ntoken = {{ current = {{ file = '{first}' }}, previous = {{ file = '{second}' }} }}"
    );
    let reader = Reader::new(settings.parse().unwrap(), Environment::default());
    let credential = Credential::read(&reader.root()).unwrap();
    assert!(reader.files().keys().eq([&current, &previous]));
    let secrets: Vec<_> =
        credential.secrets().iter().map(|secret| secret.expose_secret().to_owned()).collect();
    assert_eq!(secrets, ["dummy-current", "dummy-previous"]);
}

#[test]
fn without_a_version_the_time_of_loading_tells_credentials_apart() {
    let version = read(EXAMPLES[1]).version().to_owned();
    assert!(version.starts_with("loaded-20") && version.ends_with('Z'), "{version}");
}

#[test]
fn faulty_settings_are_refused_by_their_keys_and_without_their_values() {
    for (settings, key) in [
        ("", "kind: missing"),
        ("kind = 'dummy'", "kind: expected one of none, bearer"),
        ("kind = 'bearer'", "token: missing"),
        ("kind = 'bearer'\ntoken = \"dummy\\nX: y\"", "token: holds a character"),
        (
            "kind = 'bearer'\ntoken = { current = 'dummy', next = 'dummy' }",
            "token: expected current and previous",
        ),
        ("kind = 'bearer'\ntoken = { current = ' ' }", "token: current: the secret is empty"),
        ("kind = 'bearer'\ntoken = 'dummy'\npassword = 'dummy'", "password: unknown key"),
        ("kind = 'bearer'\ntoken = 'dummy'\nversion = 'a b'", "version: expected"),
        ("kind = 'basic'\nusername = 'a:b'", "username: holds a colon"),
        ("kind = 'basic'\nusername = 'a'\npassword = \"dummy\\u0007\"", "password: holds a control"),
        ("kind = 'header'\nvalue = 'dummy'", "name: missing"),
        ("kind = 'header'\nname = 'a b'\nvalue = 'dummy'", "name: expected a header's name"),
        ("kind = 'header'\nname = 'Host'\nvalue = 'dummy'", "name: this header is set by HTTP"),
        ("kind = 'query'\nname = ' '\nvalue = 'dummy'", "name: expected"),
        ("kind = 'oauth1'\nconsumer_key = 'k'\nconsumer_secret = 's'\ntoken = 't'", "token: goes together"),
        (
            "kind = 'oauth1'\nconsumer_key = 'k'\nconsumer_secret = 's'\nmethod = 'PLAINTEXT'",
            "method: expected",
        ),
        ("kind = 'oauth1'\nconsumer_key = 'k'\nconsumer_secret = 's'\nrealm = 'ö'", "realm: expected"),
        ("kind = 'jwt'\nkey = 'dummy-too-short'", "key: expected a secret of at least 32 bytes"),
        (
            "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nalgorithm = 'RS256'",
            "key: expected a key in PEM",
        ),
        (
            "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nalgorithm = 'none'",
            "algorithm: expected",
        ),
        ("kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nlifetime = '2d'", "lifetime: expected"),
        (
            "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nclaims = { exp = 1 }",
            "claims.exp: is set",
        ),
        (
            "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nclaims = { a = '{x}' }",
            "claims.a: in braces",
        ),
        (
            "kind = 'aws_sigv4'\naccess_key_id = 'a b'\nsecret_access_key = 's'\nregion = 'r'\nservice = 's'",
            "access_key_id: expected",
        ),
        ("kind = 'hmac_body'\nsecret = 's'\nheader = 'h'\nalgorithm = 'MD5'", "algorithm: expected"),
        ("kind = 'hmac_body'\nsecret = 's'\nheader = 'h'\nencoding = 'x'", "encoding: expected"),
        ("kind = 'soap_login'\nusername = 'u'\npassword = 'p'\nnamespaces = []", "namespaces: expected"),
        (
            "kind = 'oauth2_client_credentials'\ntoken_url = 'http://t'\nclient_id = 'a'\nclient_secret = 's'\nstyle = 'x'",
            "style: expected",
        ),
        (
            "kind = 'client_certificate'\ncertificate = '/c'\nkey = '/nonexistent/key'",
            "key: /nonexistent/key: ",
        ),
    ] {
        let report = try_read(settings).unwrap_err();
        assert!(report.starts_with(key) && report.lines().count() == 1, "{settings}\n{report}");
        assert!(!report.contains("dummy"), "{report}");
    }
}

#[test]
fn a_certificate_is_for_tls_alone_and_its_key_is_known_to_the_scanner() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    std::fs::write(&key, "-----BEGIN PRIVATE KEY-----\ndummydummydummydummy\n-----END PRIVATE KEY-----\n")
        .unwrap();
    let credential =
        read(&format!("kind = 'client_certificate'\ncertificate = '/c.pem'\nkey = '{}'", key.display()));
    assert_eq!(credential.client_identity().unwrap().key, key);
    assert_eq!(credential.name(), "client_certificate");
    assert!(Scanner::new(credential.secrets()).header_leaks(&HeaderMap::from_iter([(
        HeaderName::from_static("x"),
        HeaderValue::from_static("dummydummydummydummy"),
    )])));
    assert!(!format!("{credential:?}").contains("dummy"));
}
