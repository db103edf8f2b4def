use super::*;

const SECRET: &str = "dummy-secret";

fn settings(text: &str) -> Vec<String> {
    let mut table = text.parse::<Table>().unwrap();
    let refusals = in_settings(&mut table);
    for refusal in &refusals {
        assert!(!refusal.to_string().contains(SECRET), "the value is shown: {refusal}");
    }
    refusals.into_iter().map(|refusal| refusal.name).collect()
}

fn environment(name: &str, value: &str) -> Vec<String> {
    let refusals = in_environment(&Environment::from_pairs([(name, value)]));
    for refusal in &refusals {
        assert!(value.is_empty() || !refusal.to_string().contains(value), "the value is shown: {refusal}");
    }
    // Each is told as `$NAME`.
    let name = |refusal: Refusal| refusal.name.strip_prefix('$').map(ToOwned::to_owned).unwrap();
    refusals.into_iter().map(name).collect()
}

#[test]
fn the_settings_of_a_sound_db_server_are_accepted() {
    let text = r#"
        server = { listen = "0.0.0.0:2602", tls = { certificate = "/c", key = "/k", client_ca = "/a" } }
        log = { level = "info", format = "json" }
        transactions = { lockdown = "24h" }
        [database]
        encryption_key = { credential = "database-key" }
        postgres = { host = "localhost", user = "solitude", password = { env = "PGPASSWORD" } }
        [auth]
        require_oauth = true
        public_url = "https://pay.example.com"
        [auth.clients.webpay]
        secret = "dummy-secret-dummy"
        roles = ["read", "write"]
        [auth.clients.reference]
        secret = { file = "/run/secrets/reference" }
        [proxy]
        url = "https://proxy.internal:2603"
        ca = "/ca"
        certificate = "/c"
        key = "/k"
    "#;
    assert_eq!(settings(text), Vec::<String>::new());
}

#[test]
fn a_section_of_any_provider_is_refused_and_each_of_its_keys_is_named() {
    for provider in PROVIDERS {
        let text = format!("[{provider}]\nurl = \"https://example.com\"\nsecret = \"{SECRET}\"");
        let names = settings(&text);
        assert_eq!(names, [format!("{provider}.secret"), format!("{provider}.url")]);
        assert_eq!(settings(&format!("[{provider}]")), [provider]);
        assert_eq!(settings(&format!("proxy.{provider} = 1")), [format!("proxy.{provider}")]);
        assert_eq!(settings(&format!("{provider}_key = 1")), [format!("{provider}_key")]);
    }
    let nested = "[providers.reference]\nconsumer_key = \"dummy-secret\"\n[providers.reference.notice_keys]\n0 = \"x\"";
    assert_eq!(settings(nested), ["providers.reference.consumer_key", "providers.reference.notice_keys.0"]);
}

#[test]
fn a_key_that_only_a_providers_account_has_is_refused_wherever_it_is() {
    for key in CREDENTIAL_KEYS {
        for section in
            ["", "[proxy]", "[auth]", "[auth.clients.webpay]", "[database.postgres]", "[other.deep.er]"]
        {
            let names = settings(&format!("{section}\n{key} = \"{SECRET}\""));
            let expected =
                format!("{}.{key}", section.trim_matches(['[', ']'])).trim_start_matches('.').to_owned();
            if key == "credential" && !section.is_empty() {
                assert!(names.is_empty(), "{section} {key}");
            } else {
                assert_eq!(names, [expected]);
            }
        }
    }
}

#[test]
fn letter_case_and_hyphens_hide_nothing() {
    assert_eq!(settings("Consumer-Secret = 'x'"), ["Consumer-Secret"]);
    assert_eq!(settings("[STRIPE]\nkey = 'x'"), ["STRIPE.key"]);
    assert_eq!(settings("ZIPPY_CONFIGURATION = 'x'"), ["ZIPPY_CONFIGURATION"]);
}

#[test]
fn the_proxys_url_under_its_original_name_is_no_credential() {
    assert!(settings("bango_proxy = 'https://proxy.internal/'").is_empty());
}

#[test]
fn a_value_shaped_like_a_providers_secret_is_refused_under_any_key() {
    for prefix in SECRET_PREFIXES {
        for value in
            [format!("{prefix}dummy"), format!("Bearer {prefix}dummy"), format!("[\\\"{prefix}dummy")]
        {
            assert_eq!(settings(&format!("[proxy]\nurl = \"{value}\"")), ["proxy.url"], "{value}");
            assert_eq!(settings(&format!("list = [\"a\", \"{value}\"]")), ["list"], "{value}");
            assert_eq!(settings(&format!("list = [{{ a = \"{value}\" }}]")), ["list.a"], "{value}");
            assert_eq!(environment("ANYTHING", &value), ["ANYTHING"], "{value}");
        }
    }
    assert!(settings("[proxy]\nurl = 'risk_live_x'").is_empty());
    assert!(environment("DOC", "keys begin with sk_live_").is_empty());
}

#[test]
fn a_client_whose_secret_is_a_providers_is_refused() {
    let text = "[auth.clients.webpay]\nsecret = \"sk_test_dummy\"";
    assert_eq!(settings(text), ["auth.clients.webpay.secret"]);
}

#[test]
fn a_url_with_credentials_is_refused() {
    for url in
        ["https://user:dummy-secret@example.com/x", "HTTP://dummy-secret@example.com", "http://@example.com"]
    {
        assert_eq!(settings(&format!("[proxy]\nurl = \"{url}\"")), ["proxy.url"], "{url}");
        assert_eq!(environment("SOME_URL", url), ["SOME_URL"], "{url}");
    }
    for url in ["https://example.com/a@b", "https://example.com?a=@", "user@example.com", "https://e.com#@"] {
        assert!(settings(&format!("[proxy]\nurl = \"{url}\"")).is_empty(), "{url}");
        assert!(environment("SOME_URL", url).is_empty(), "{url}");
    }
}

#[test]
fn a_variable_of_any_provider_is_refused_even_when_empty() {
    for prefix in VARIABLE_PREFIXES {
        for value in ["anything", ""] {
            let name = format!("{prefix}KEY");
            assert_eq!(environment(&name, value), [name.as_str()]);
            assert_eq!(environment(&name.to_lowercase(), value), [name.to_lowercase()]);
        }
    }
    assert_eq!(environment("PROVIDER_PROXY_SETTINGS", "/etc/x"), ["PROVIDER_PROXY_SETTINGS"]);
}

#[test]
fn a_variable_that_names_a_proxy_is_accepted_unless_its_value_is_a_credential() {
    for prefix in VARIABLE_PREFIXES {
        let name = format!("{prefix}PROXY");
        assert!(environment(&name, "https://proxy.internal/proxy/bango").is_empty(), "{name}");
        assert_eq!(environment(&name, "https://user:pass@proxy.internal/"), [name.as_str()]);
        assert_eq!(environment(&name, "sk_live_dummy"), [name.as_str()]);
    }
}

#[test]
fn the_hosts_own_gateway_may_have_a_password() {
    for name in ["HTTP_PROXY", "https_proxy", "ALL_PROXY"] {
        assert!(environment(name, "http://user:pass@gateway:3128").is_empty(), "{name}");
    }
    assert_eq!(environment("HTTPS_PROXY", "sk_live_dummy"), ["HTTPS_PROXY"]);
}

#[test]
fn an_ordinary_environment_is_accepted() {
    for (name, value) in [
        ("PATH", "/usr/bin"),
        ("DB_SERVER_SETTINGS", "/etc/solitude/db-server.toml"),
        ("SOLITUDE_PROXY", "enabled"),
        ("STRIPES", "zebra"),
        ("DATABASE_URL", "postgres://solitude@localhost/solitude"),
    ] {
        assert!(environment(name, value).is_empty(), "{name}");
    }
}

#[test]
fn what_was_refused_is_read_by_nobody() {
    let mut table = "[stripe]\nkey = 'x'\n[proxy]\nurl = 'http://127.0.0.1'".parse::<Table>().unwrap();
    assert_eq!(in_settings(&mut table).len(), 1);
    assert_eq!(table.keys().collect::<Vec<_>>(), ["proxy"]);
}

#[test]
fn all_refusals_come_at_once() {
    assert_eq!(settings("[stripe]\nkey='x'\n[paypal]\nid='x'\n[proxy]\nurl='sk_live_x'").len(), 3);
}
