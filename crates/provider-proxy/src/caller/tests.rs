//! Who is let in, and what each may ask for.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{HttpRequest, http::header::AUTHORIZATION, test::TestRequest};
use chassis::tls::SubjectName;
use jws::{SigningKey, sign};
use serde_json::json;

use super::*;
use crate::config::IdentitySettings;
use crate::policy::Limits;

const NOW: u64 = 1_800_000_000;
const ED25519: &str = include_str!("../../../jws/src/fixtures/ed25519.pem");
const RSA: &str = include_str!("../../../jws/src/fixtures/rsa.pem");

fn key(pem: &str) -> SigningKey {
    SigningKey::from_pem(&pem.into(), None).unwrap()
}

/// A verifier, and the clock that it goes by.
struct Clocked {
    verifier: CallerVerifier,
    clock: Cell<u64>,
}

impl Clocked {
    fn verify(&self, request: &HttpRequest) -> Result<Rc<Caller>, CallerError> {
        self.verifier.verify(request, UNIX_EPOCH + Duration::from_secs(self.clock.get()))
    }
}

/// One that trusts these keys.
fn verifier(keys: &[SigningKey]) -> Clocked {
    let identity = IdentitySettings {
        keys: keys.iter().map(SigningKey::verifying_key).collect(),
        issuer: "db-server".into(),
        audience: "provider-proxy".into(),
        leeway: Duration::from_secs(5),
    };
    Clocked { verifier: CallerVerifier::new(Some(&identity), None), clock: Cell::new(NOW) }
}

fn claims() -> Value {
    json!({
        "sub": "shop", "authorities": ["ROLE_READ", "ROLE_WRITE"], "iss": "db-server", "aud": "provider-proxy",
        "iat": NOW, "exp": NOW + 60, "jti": "1",
    })
}

fn claims_with(name: &str, value: Option<Value>) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    claims
}

fn request(token: &str) -> HttpRequest {
    TestRequest::default().insert_header((AUTHORIZATION, format!("Bearer {token}"))).to_http_request()
}

fn refused(verifier: &Clocked, token: &str) -> CallerError {
    verifier.verify(&request(token)).unwrap_err()
}

#[test]
fn a_good_token_says_who_calls() {
    for pem in [ED25519, RSA] {
        let verifier = verifier(&[key(pem)]);
        let token = sign(&key(pem), &claims_with("extra", Some(json!("x"))), None).unwrap();
        // The second time from memory.
        for _ in 0..2 {
            let caller = verifier.verify(&request(&token)).unwrap();
            assert_eq!(
                (&*caller.name, &*caller.authorities),
                ("shop", &["ROLE_READ".into(), "ROLE_WRITE".into()][..])
            );
            assert_eq!(caller.claims["extra"], "x");
            assert!(caller.entry.is_none());
        }
    }
}

#[test]
fn a_token_with_any_wrong_claim_is_refused_by_its_reason() {
    let verifier = verifier(&[key(ED25519)]);
    for (name, value, expected) in [
        ("iss", Some(json!("somebody")), CallerError::Token(VerifyError::Issuer)),
        ("aud", Some(json!("somebody")), CallerError::Token(VerifyError::Audience)),
        ("exp", Some(json!(NOW - 5)), CallerError::Token(VerifyError::Expired)),
        ("exp", Some(json!(NOW + 61)), CallerError::LongLived),
        ("exp", None, CallerError::Token(VerifyError::Malformed)),
        ("iat", Some(json!(NOW + 6)), CallerError::Token(VerifyError::NotYetValid)),
        ("iat", None, CallerError::Claims),
        ("nbf", Some(json!(NOW + 6)), CallerError::Token(VerifyError::NotYetValid)),
        ("sub", None, CallerError::Claims),
        ("sub", Some(json!(7)), CallerError::Claims),
        ("authorities", None, CallerError::Claims),
        ("authorities", Some(json!("ROLE_ADMIN")), CallerError::Claims),
        ("jti", None, CallerError::Claims),
    ] {
        let token = sign(&key(ED25519), &claims_with(name, value.clone()), None).unwrap();
        assert_eq!(refused(&verifier, &token), expected, "{name} {value:?}");
    }
}

#[test]
fn a_token_of_another_key_or_a_tampered_one_is_refused_also_after_the_good_one() {
    let verifier = verifier(&[key(ED25519)]);
    let good = sign(&key(ED25519), &claims(), None).unwrap();
    verifier.verify(&request(&good)).unwrap();
    assert_eq!(
        refused(&verifier, &sign(&key(RSA), &claims(), None).unwrap()),
        CallerError::Token(VerifyError::Algorithm)
    );
    let other = key_of_nobody();
    assert_eq!(
        refused(&verifier, &sign(&other, &claims(), None).unwrap()),
        CallerError::Token(VerifyError::Signature)
    );
    for at in 0..good.len() {
        let mut token = good.clone().into_bytes();
        token[at] = if token[at] == b'A' { b'B' } else { b'A' };
        assert!(
            matches!(refused(&verifier, &String::from_utf8(token).unwrap()), CallerError::Token(_)),
            "{at}"
        );
    }
}

/// RFC 8037's example, which everybody knows.
fn key_of_nobody() -> SigningKey {
    let pem = "-----BEGIN PRIVATE KEY-----\n\
               MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    key(pem)
}

#[test]
fn a_remembered_token_is_forgotten_at_its_end() {
    let verifier = verifier(&[key(ED25519)]);
    let token = sign(&key(ED25519), &claims(), None).unwrap();
    verifier.verify(&request(&token)).unwrap();
    verifier.clock.set(NOW + 64);
    verifier.verify(&request(&token)).unwrap();
    verifier.clock.set(NOW + 65);
    assert_eq!(refused(&verifier, &token), CallerError::Token(VerifyError::Expired));
}

#[test]
fn any_of_several_public_keys_will_do_during_a_rotation() {
    let verifier = verifier(&[key(RSA), key(ED25519)]);
    for pem in [RSA, ED25519] {
        verifier.verify(&request(&sign(&key(pem), &claims(), None).unwrap())).unwrap();
    }
}

#[test]
fn there_must_be_exactly_one_bearer_token() {
    let verifier = verifier(&[key(ED25519)]);
    let token = sign(&key(ED25519), &claims(), None).unwrap();
    let twice = TestRequest::default()
        .append_header((AUTHORIZATION, format!("Bearer {token}")))
        .append_header((AUTHORIZATION, format!("Bearer {token}")));
    let basic = TestRequest::default().insert_header((AUTHORIZATION, "Basic eDp5"));
    let bare = TestRequest::default().insert_header((AUTHORIZATION, token));
    for request in [TestRequest::default(), twice, basic, bare] {
        assert_eq!(verifier.verify(&request.to_http_request()).unwrap_err(), CallerError::NoToken);
    }
}

#[test]
fn no_number_of_tokens_fills_the_memory() {
    let verifier = verifier(&[key(ED25519)]);
    for number in 0..1100 {
        let token = sign(&key(ED25519), &claims_with("jti", Some(json!(number.to_string()))), None).unwrap();
        verifier.verify(&request(&token)).unwrap();
    }
    assert!(verifier.verifier.remembered() <= 1024);
}

#[test]
fn without_identity_settings_everyone_is_anonymous() {
    let verifier = CallerVerifier::new(None, None);
    let caller = verifier.verify(&request("x"), SystemTime::now()).unwrap();
    assert_eq!((&*caller.name, &*caller.authorities), ("anonymousUser", &["ROLE_ANONYMOUS".into()][..]));
    assert!(caller.may_use("any") && caller.may_perform("any", "thing"));
}

#[test]
fn an_expired_token_is_told_apart_from_one_that_is_not_valid_and_nothing_else_is() {
    let expired = CallerError::Token(VerifyError::Expired);
    assert_eq!(expired.message(), "The token has expired.");
    for error in [VerifyError::Signature, VerifyError::Issuer, VerifyError::Malformed, VerifyError::Algorithm]
    {
        let error = CallerError::Token(error);
        assert_eq!(error.message(), "The token is not valid.");
        assert_eq!((error.kind(), error.kind().http_status()), (ErrorKind::Identity, 401));
    }
    assert_eq!(CallerError::UnknownCertificate.kind().http_status(), 403);
}

#[test]
fn a_caller_may_do_what_its_entry_lists_and_nothing_else() {
    let caller = |targets: &[&str], operations: &[&str]| {
        let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        let san = SubjectName::parse("db.example.test").unwrap();
        let entry = CallerEntry {
            name: "db".into(),
            san,
            targets: list(targets),
            operations: list(operations),
            limits: Limits::default(),
        };
        Caller { entry: Some(Rc::new(entry)), ..Caller::anonymous() }
    };
    let nothing = caller(&[], &[]);
    assert!(!nothing.may_use("shop") && !nothing.may_perform("reference", "get_seller"));
    let all = caller(&["*"], &["*"]);
    assert!(all.may_use("shop") && all.may_perform("reference", "get_seller"));
    let some = caller(&["shop"], &["reference/get_seller", "other/*", "webhooks/reference"]);
    assert!(some.may_use("shop") && !some.may_use("shop2") && !some.may_use("*"));
    assert!(some.may_perform("reference", "get_seller") && some.may_perform("other", "anything"));
    assert!(some.may_perform("webhooks", "reference"));
    assert!(!some.may_perform("reference", "*") && !some.may_perform("reference", "create_seller"));
    assert!(!some.may_perform("webhooks", "other") && !some.may_perform("", ""));
}
