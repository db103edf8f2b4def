//! What the operator is told about wrong settings.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;

const GOOD: &str = r#"
[providers.reference]
url = "http://127.0.0.1:2604/"
realm = "solitude"
consumer_key = "dummy-key"
consumer_secret = { env = "REFERENCE_SECRET" }
[providers.reference.notice_keys]
0 = "dummy-notice-0"
12 = "dummy-notice-12"
"#;

fn read(text: &str) -> Result<Settings, SettingsError> {
    let environment = Environment::from_pairs([("REFERENCE_SECRET", "dummy-secret")]);
    Settings::read(text.parse().unwrap(), environment)
}

/// The keys at fault and the whole report.
fn faults(text: &str) -> (Vec<String>, String) {
    let error = read(text).unwrap_err();
    let SettingsError::Faults(faults) = &error else { panic!("{error}") };
    (faults.iter().map(|fault| fault.key.clone()).collect(), error.to_string())
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let settings = read(GOOD).unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:2603");
    let reference = settings.providers.reference.unwrap();
    assert_eq!(reference.url.as_str(), "http://127.0.0.1:2604");
    assert_eq!(reference.client.connect_timeout, Duration::from_secs(5));
    assert_eq!(reference.client.total_timeout, Duration::from_secs(10));
    assert_eq!(reference.client.max_response_body, 1024 * 1024);
    assert_eq!(reference.consumer.secret.expose_secret(), "dummy-secret");
    assert_eq!(reference.notice_keys.get(12).unwrap().expose_secret(), "dummy-notice-12");
}

#[test]
fn no_provider_need_be_configured() {
    assert!(read("").unwrap().providers.reference.is_none());
}

#[test]
fn debug_shows_no_secret() {
    let text = format!("{:?}", read(GOOD).unwrap());
    assert!(!text.contains("dummy-"), "{text}");
}

#[test]
fn every_fault_is_reported_at_once_with_its_full_name() {
    let (keys, _) = faults(
        r#"
        [server]
        listen = "nowhere"
        [database]
        host = "x"
        [providers.square]
        key = "dummy"
        [providers.reference]
        url = "ftp://x"
        relm = "typo"
        consumer_key = ""
        timeout = "0s"
        max_response_body = 0
        [providers.reference.notice_keys]
        0 = " "
        01 = "dummy"
        latest = "dummy"
        "#,
    );
    for key in [
        "database",
        "server.listen",
        "providers.square",
        "providers.reference.url",
        "providers.reference.relm",
        "providers.reference.realm",
        "providers.reference.consumer_key",
        "providers.reference.consumer_secret",
        "providers.reference.timeout",
        "providers.reference.max_response_body",
        "providers.reference.notice_keys.0",
        "providers.reference.notice_keys.01",
        "providers.reference.notice_keys.latest",
    ] {
        assert_eq!(keys.iter().filter(|known| *known == key).count(), 1, "{key} in {keys:?}");
    }
    assert_eq!(keys.len(), 13, "{keys:?}");
}

#[test]
fn a_provider_is_waited_for_a_minute_at_most() {
    for (key, most, more) in [("timeout", "60s", "61s"), ("connect_timeout", "1m", "2m")] {
        let with = |limit: &str| GOOD.replace("realm =", &format!("{key} = \"{limit}\"\nrealm ="));
        assert!(read(&with(most)).is_ok(), "{key}");
        let (keys, report) = faults(&with(more));
        assert_eq!(keys, [format!("providers.reference.{key}")]);
        assert!(report.contains("at most 60s"), "{report}");
    }
}

#[test]
fn a_provider_without_any_notice_key_is_refused() {
    let text = GOOD.split("[providers.reference.notice_keys]").next().unwrap();
    assert_eq!(faults(text).0, ["providers.reference.notice_keys"]);
}

#[test]
fn a_realm_that_would_break_the_header_is_refused() {
    let (keys, report) = faults(&GOOD.replace("\"solitude\"", r#""a\nb""#));
    assert_eq!(keys, ["providers.reference.realm"], "{report}");
}

/// `[identity]` with a public key that is there.
fn identity() -> String {
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/../jws/src/fixtures/ed25519_public.pem");
    format!("[identity]\npublic_keys = [{key:?}]\n")
}

const LISTED: &str = "[callers.db-server]\nsan = \"db.example.test\"\noperations = [\"*\"]\n";

#[test]
fn an_address_that_others_reach_needs_client_certificates_and_signed_identities() {
    for listen in ["0.0.0.0:2603", "[::]:2603", "192.0.2.1:0"] {
        let (keys, _) = faults(&format!("[server]\nlisten = \"{listen}\"\n"));
        assert_eq!(keys, ["server.tls.client_ca", "identity.public_keys"], "{listen}");
    }
    let half = "[server]\nlisten = \"0.0.0.0:2603\"\n[server.tls]\ncertificate = \"c\"\nkey = \"k\"\n";
    assert_eq!(faults(half).0, ["server.tls.client_ca", "identity.public_keys"]);
    let more = format!("{half}client_ca = \"ca\"\n");
    assert_eq!(faults(&more).0, ["identity.public_keys", "callers.NAME"]);
    assert!(read(&format!("{more}{}{LISTED}", identity())).is_ok());
    assert!(read("[server]\nlisten = \"[::1]:0\"\n").is_ok());
}

#[test]
fn callers_are_of_no_use_without_client_certificates() {
    assert_eq!(faults(LISTED).0, ["callers.db-server"]);
    let tls = "[server.tls]\ncertificate = \"c\"\nkey = \"k\"\ncrl = [\"crl\"]\n";
    assert_eq!(faults(tls).0, ["server.tls.crl"]);
}

#[test]
fn a_callers_entry_is_checked() {
    let tls = "[server.tls]\ncertificate = \"c\"\nkey = \"k\"\nclient_ca = \"ca\"\n";
    for (entry, fault) in [
        ("targets = [\"*\"]", "callers.a.san"),
        ("san = \"not a name\"", "callers.a.san"),
        ("san = \"192.0.2.300\"", "callers.a.san"),
        ("san = \"192.0.2.30\"\noperations = [\"reference\"]", "callers.a.operations"),
        ("san = \"192.0.2.30\"\noperations = [\"*/create_seller\"]", "callers.a.operations"),
        ("san = \"db.example.test\"\noperation = [\"*\"]", "callers.a.operation"),
    ] {
        assert_eq!(faults(&format!("{tls}[callers.a]\n{entry}\n")).0, [fault], "{entry}");
    }
    let settings = read(&format!("{tls}{LISTED}")).unwrap();
    let entry = &settings.callers.unwrap().entries[0];
    assert_eq!((entry.name.as_str(), entry.targets.len()), ("db-server", 0));
}

#[test]
fn the_public_keys_of_an_identity_are_read_at_once() {
    let identity = read(&identity()).unwrap().identity.unwrap();
    assert_eq!((identity.issuer.as_str(), identity.audience.as_str()), ("db-server", "provider-proxy"));
    assert_eq!((identity.keys.len(), identity.leeway), (1, Duration::from_secs(5)));
    for (text, fault) in [
        ("", "identity.public_keys"),
        ("public_keys = []", "identity.public_keys"),
        ("public_keys = [\"/nonexistent/key.pem\"]", "identity.public_keys"),
        ("public_keys = [\"/dev/null\"]", "identity.public_keys"),
    ] {
        assert_eq!(faults(&format!("[identity]\n{text}\n")).0, [fault], "{text}");
    }
    let wrong = format!("{}issuer = ' '\nleeway = '61s'\n", self::identity());
    assert_eq!(faults(&wrong).0, ["identity.leeway", "identity.issuer"]);
}

#[test]
fn the_environment_is_refused_together_with_the_file() {
    let environment = Environment::from_pairs([("DATABASE_URL", "dummy-secret"), ("PGHOST", "dummy-secret")]);
    let error = Settings::read("[cache]".parse().unwrap(), environment).unwrap_err().to_string();
    for key in ["$DATABASE_URL", "$PGHOST", "cache"] {
        assert!(error.lines().any(|line| line.starts_with(&format!("{key}: "))), "{key}: {error}");
    }
    assert!(!error.contains("dummy-secret"), "{error}");
}

#[test]
fn no_report_shows_a_value() {
    let (_, report) = faults(
        r#"
        [providers.reference]
        url = "https://user:dummy-secret@provider.test"
        realm = 5
        consumer_key = { file = "/nonexistent/path" }
        consumer_secret = ["dummy-secret"]
        timeout = "dummy-secret"
        notice_keys = "dummy-secret"
        extra = "dummy-secret"
        "#,
    );
    assert!(!report.contains("dummy-secret"), "{report}");
}

#[test]
fn the_keys_of_every_kind_of_credential_are_known() {
    let keys = known_keys();
    for key in ["token", "claims.CLAIM", "timestamp_header", "session_token", "version", "namespaces"] {
        assert!(keys.contains(&format!("targets.NAME.credential.{key}")), "{key}");
    }
}

#[test]
fn every_provider_has_its_own_address_unless_told_otherwise() {
    let providers = read(PROVIDERS).unwrap().providers;
    let (stripe, paypal, braintree) =
        (providers.stripe.unwrap(), providers.paypal.unwrap(), providers.braintree.unwrap());
    assert_eq!(stripe.url.as_str(), "https://api.stripe.com");
    assert_eq!(paypal.url.as_str(), "https://api-m.paypal.com");
    assert_eq!(braintree.url.as_str(), "https://api.braintreegateway.com");
}

const PROVIDERS: &str = r#"
[providers.stripe]
secret_key = "dummy-stripe"
webhook_secrets = ["dummy-webhook"]
[providers.paypal]
client_id = "dummy-id"
client_secret = "dummy-secret"
webhook_ids = ["dummy-webhook"]
[providers.braintree]
merchant_id = "dummymerchant"
public_key = "dummy-public"
private_key = "dummy-private"
merchant_accounts = { EUR = "dummyeur" }
"#;

#[test]
fn a_blank_webhook_secret_or_none_is_refused() {
    for (good, bad, key) in [
        ("[\"dummy-webhook\"]\n[providers.paypal]", "[\" \"]\n[providers.paypal]", "stripe.webhook_secrets"),
        ("[\"dummy-webhook\"]\n[providers.paypal]", "[]\n[providers.paypal]", "stripe.webhook_secrets"),
        ("webhook_ids = [\"dummy-webhook\"]", "webhook_ids = [\"\"]", "paypal.webhook_ids"),
        ("webhook_ids = [\"dummy-webhook\"]", "webhook_ids = []", "paypal.webhook_ids"),
        ("\"dummy-private\"", "\"\"", "braintree.private_key"),
    ] {
        let text = PROVIDERS.replace(good, bad);
        assert_ne!(text, PROVIDERS);
        assert_eq!(faults(&text).0, [format!("providers.{key}")], "{text}");
    }
    let more = format!("{PROVIDERS}[providers.braintree.webhook_keys]\nolder = \" \"\n");
    assert_eq!(faults(&more).0, ["providers.braintree.webhook_keys.older"]);
}

#[test]
fn only_operations_that_there_are_can_be_listed() {
    let listed = format!("{GOOD}[policy]\noperations = [\"reference/start_transaction\", \"stripe/*\"]\n");
    let policy = read(&listed).unwrap().policy;
    assert!(policy.operations.contains("stripe", "refund"));
    assert!(!policy.operations.contains("paypal", "refund"));
    assert_eq!(faults("[policy]\noperations = [\"refund\"]").0, ["policy.operations"]);
    let listed = GOOD.replace("realm =", "operations = [\"refund\", \"start_transaction\"]\nrealm =");
    let providers = read(&listed).unwrap().providers;
    assert!(providers.allow("reference", "start_transaction") && !providers.allow("reference", "authorize"));
    assert!(providers.allow("stripe", "authorize"), "what is not configured is told apart later");
    let wrong = GOOD.replace("realm =", "operations = [\"charge\"]\nrealm =");
    assert_eq!(faults(&wrong).0, ["providers.reference.operations"]);
    let of_another = PROVIDERS.replace("secret_key", "operations = [\"start_transaction\"]\nsecret_key");
    assert_eq!(faults(&of_another).0, ["providers.stripe.operations"]);
}

#[test]
fn a_limit_is_an_amount_of_its_currency_and_windows_need_a_file() {
    let (keys, report) = faults(
        r#"
        [policy]
        refunds_per_hour = 5
        [policy.largest_payment]
        EUR = "10.005"
        XXX = "1"
        [policy.largest_refund]
        JPY = "-1"
        "#,
    );
    let expected = [
        "policy.largest_payment.EUR",
        "policy.largest_payment.XXX",
        "policy.largest_refund.JPY",
        "policy.state_file",
    ];
    assert_eq!(keys, expected, "{report}");
    let good = read("[policy]\nstate_file = \"/x\"\n[policy.refunded_per_day]\nEUR = \"10\"\n").unwrap();
    assert!(good.policy.limits.have_windows());
}
