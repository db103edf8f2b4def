//! Tokens that verify, with the claims of the template.

use jws::{VerifyingKey, verify};
use serde_json::json;

use super::super::tests::{Surroundings, read, request, sent};
use super::super::{Credential, Kind};
use super::*;

const SHARED: &str = "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'";

/// The key of RFC 8037, appendix A.1, as PKCS#8 (RFC 8410).
const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----";

/// The public half of that key.
const ED25519_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----";

async fn token(credential: &Credential, surroundings: &Surroundings, header: &str) -> String {
    let callers = [("authorization", "Bearer callers"), ("x-token", "callers")];
    let sent = sent(credential, surroundings, request("GET", "/", &callers, b"")).await.unwrap();
    assert_eq!(sent.headers.get_all(header).iter().count(), 1);
    sent.headers[header].to_str().unwrap().to_owned()
}

fn shared_key() -> VerifyingKey {
    VerifyingKey::hmac(&"dummy-shared-secret-of-enough-length".into()).unwrap()
}

#[actix_web::test]
async fn the_claims_are_those_of_the_template_filled_for_the_caller() {
    let credential = read(&format!(
        "{SHARED}
        key_id = 'k1'
        lifetime = '2m'
        [claims]
        iss = 'solitude'
        sub = '{{caller.sub}}'
        roles = '{{caller.authorities}}'
        level = '{{claims.level}}'
        scope = 'shop:{{claims.tenant}}:{{claims.level}}'
        fixed = [1, true, {{ a = '{{claims.list}}' }}]
        "
    ));
    let header = token(&credential, &Surroundings::at("https://target.test", 1000), "authorization").await;
    let token = header.strip_prefix("Bearer ").unwrap();
    let claims = verify(token, &[shared_key()]).unwrap();
    assert_eq!(
        Value::Object(claims),
        json!({
            "iss": "solitude",
            "sub": "shop-1",
            "roles": ["ROLE_WRITE", "ROLE_READ"],
            "level": 3,
            "scope": "shop:t 1:3",
            "fixed": [1, true, { "a": ["a"] }],
            "iat": 1000,
            "exp": 1120,
        })
    );
    let head = data_encoding::BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    assert_eq!((&head["kid"], &head["alg"]), (&json!("k1"), &json!("HS256")));
}

#[actix_web::test]
async fn the_type_of_a_key_says_the_algorithm() {
    let credential = read(&format!("kind = 'jwt'\nkey = '''{ED25519}'''\nheader_name = 'X-Token'"));
    let token = token(&credential, &Surroundings::at("https://target.test", 1000), "x-token").await;
    assert!(token.starts_with("eyJhbGciOiJFZERTQS"), "{token}");
    assert!(verify(&token, &[VerifyingKey::from_pem(ED25519_PUBLIC).unwrap()]).is_ok());
}

#[actix_web::test]
async fn a_token_is_kept_for_half_its_life_and_known_to_the_scanner() {
    let credential = read(&format!("{SHARED}\nlifetime = '60s'\nheader_name = 'X-Token'"));
    let mut surroundings = Surroundings::at("https://target.test", 1000);
    let first = token(&credential, &surroundings, "x-token").await;
    let leak = http::HeaderMap::from_iter([(
        HeaderName::from_static("x-echo"),
        http::HeaderValue::from_str(&format!("<{first}>")).unwrap(),
    )]);
    assert!(surroundings.scanner.header_leaks(&leak));
    surroundings.now += Duration::from_secs(29);
    assert_eq!(token(&credential, &surroundings, "x-token").await, first);
    surroundings.now += Duration::from_secs(1);
    assert_ne!(token(&credential, &surroundings, "x-token").await, first);
}

#[actix_web::test]
async fn callers_do_not_get_one_anothers_tokens() {
    let credential =
        read(&format!("{SHARED}\nheader_name = 'X-Token'\nclaims = {{ sub = '{{caller.sub}}' }}"));
    let mut surroundings = Surroundings::at("https://target.test", 1000);
    let first = token(&credential, &surroundings, "x-token").await;
    surroundings.caller.name = "shop-2".into();
    let second = token(&credential, &surroundings, "x-token").await;
    assert_eq!(verify(&first, &[shared_key()]).unwrap()["sub"], "shop-1");
    assert_eq!(verify(&second, &[shared_key()]).unwrap()["sub"], "shop-2");
}

#[actix_web::test]
async fn the_tokens_that_are_kept_are_not_without_bound() {
    let credential = read(SHARED);
    let surroundings = Surroundings::at("https://target.test", 1000);
    let Kind::Jwt(jwt) = &credential.kind else { panic!("{credential:?}") };
    let minted = |number: usize| (number.to_string(), Minted { token: "dummy".into(), at: surroundings.now });
    jwt.minted.lock().unwrap().extend((1..KEPT).map(minted));
    token(&credential, &surroundings, "authorization").await;
    assert_eq!(jwt.minted.lock().unwrap().len(), KEPT);
    jwt.minted.lock().unwrap().remove("{}");
    jwt.minted.lock().unwrap().extend([minted(KEPT)]);
    token(&credential, &surroundings, "authorization").await;
    assert_eq!(jwt.minted.lock().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_claim_that_the_caller_does_not_have_or_that_fits_no_text_sends_nothing() {
    for (template, claim) in [("{claims.missing}", "missing"), ("x{claims.list}", "list")] {
        let credential = read(&format!("{SHARED}\nclaims = {{ a = '{template}' }}"));
        let surroundings = Surroundings::at("https://target.test", 1000);
        let mut request = request("GET", "/", &[], b"");
        let refused = credential.apply(&mut request, &surroundings.context()).await.err().unwrap();
        assert!(matches!(&refused, CredentialError::Claim { claim: name } if name == claim), "{refused}");
        assert!(request.headers.is_empty());
    }
}
