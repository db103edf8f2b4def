//! What is signed verifies, and nothing else does.

use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use ring::hmac;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{Algorithm, KeyError, LONGEST_TOKEN, SigningKey, VerifyError, VerifyingKey, sign, verify};

const RSA: &str = include_str!("fixtures/rsa.pem");
const RSA_PUBLIC: &str = include_str!("fixtures/rsa_public.pem");
const P256: &str = include_str!("fixtures/p256.pem");
const P256_PUBLIC: &str = include_str!("fixtures/p256_public.pem");
const ED25519: &str = include_str!("fixtures/ed25519.pem");
const ED25519_PUBLIC: &str = include_str!("fixtures/ed25519_public.pem");

const SECRET: &str = "dummy-secret-of-at-least-32-bytes";

fn signing(pem: &str, algorithm: Option<Algorithm>) -> Result<SigningKey, KeyError> {
    SigningKey::from_pem(&pem.into(), algorithm)
}

/// One key of each algorithm, and what verifies it from its own file.
fn pairs() -> Vec<(SigningKey, VerifyingKey)> {
    let secret = SecretString::from(SECRET);
    vec![
        (SigningKey::hmac(&secret).unwrap(), VerifyingKey::hmac(&secret).unwrap()),
        (
            signing(RSA, Some(Algorithm::Rs256)).unwrap(),
            VerifyingKey::from_pem_for(RSA_PUBLIC, Algorithm::Rs256).unwrap(),
        ),
        (signing(RSA, None).unwrap(), VerifyingKey::from_pem(RSA_PUBLIC).unwrap()),
        (signing(P256, None).unwrap(), VerifyingKey::from_pem(P256_PUBLIC).unwrap()),
        (signing(ED25519, None).unwrap(), VerifyingKey::from_pem(ED25519_PUBLIC).unwrap()),
    ]
}

fn claims() -> Value {
    json!({"sub": "shop", "authorities": ["ROLE_READ"], "exp": 1_000})
}

/// A token under the shared secret whose header and payload are these texts.
fn forged(header: &str, payload: &str) -> String {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let message = format!("{}.{}", encode(header), encode(payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let made = BASE64URL_NOPAD.encode(hmac::sign(&key, message.as_bytes()).as_ref());
    format!("{message}.{made}")
}

fn shared() -> [VerifyingKey; 1] {
    [VerifyingKey::hmac(&SECRET.into()).unwrap()]
}

#[test]
fn each_algorithm_verifies_what_it_signed_and_no_other_does() {
    let pairs = pairs();
    let algorithms: Vec<_> = pairs.iter().map(|(key, _)| key.algorithm()).collect();
    assert_eq!(algorithms, Algorithm::ALL);
    for (index, (key, _)) in pairs.iter().enumerate() {
        let token = sign(key, &claims(), Some("key-1")).unwrap();
        assert_eq!(verify(&token, &[key.verifying_key()]).map(Value::Object), Ok(claims()));
        for (other, (_, public)) in pairs.iter().enumerate() {
            let expected = if index == other { Ok(claims()) } else { Err(VerifyError::Algorithm) };
            assert_eq!(verify(&token, std::slice::from_ref(public)).map(Value::Object), expected);
        }
    }
}

#[test]
fn any_of_several_keys_may_have_signed() {
    let old = SigningKey::hmac(&"dummy-old-secret-of-at-least-32-bytes".into()).unwrap();
    let token = sign(&old, &claims(), None).unwrap();
    assert_eq!(verify(&token, &shared()), Err(VerifyError::Signature));
    let [new] = shared();
    assert!(verify(&token, &[new, old.verifying_key()]).is_ok());
    assert_eq!(verify(&token, &[]), Err(VerifyError::Algorithm));
}

#[test]
fn the_header_names_algorithm_type_and_key() {
    let [(key, _), ..] = &pairs()[..] else { panic!() };
    for (key_id, expected) in [
        (None, json!({"alg": "HS256", "typ": "JWT"})),
        (Some("7"), json!({"alg": "HS256", "typ": "JWT", "kid": "7"})),
    ] {
        let token = sign(key, &claims(), key_id).unwrap();
        let header = BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&header).unwrap(), expected);
    }
}

#[test]
fn a_token_without_a_signature_is_refused() {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    for name in ["none", "None", "NONE", "hs256", "HS384", ""] {
        let message = format!("{}.{}", encode(&json!({ "alg": name }).to_string()), encode("{}"));
        for token in [format!("{message}."), forged(&json!({ "alg": name }).to_string(), "{}")] {
            assert_eq!(verify(&token, &shared()), Err(VerifyError::Algorithm), "{name}");
        }
    }
    assert_eq!(
        verify(&format!("{}.e30.", encode(r#"{"alg":"HS256"}"#)), &shared()),
        Err(VerifyError::Signature)
    );
}

/// The attack of RFC 8725, section 2.1: a public key, which all know, as the secret of an HMAC.
#[test]
fn a_public_key_is_never_taken_for_a_shared_secret() {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    for pem in [RSA_PUBLIC, ED25519_PUBLIC, P256_PUBLIC] {
        let message = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode("{}"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes());
        let made = BASE64URL_NOPAD.encode(hmac::sign(&key, message.as_bytes()).as_ref());
        let keys = [VerifyingKey::from_pem(pem).unwrap()];
        assert_eq!(verify(&format!("{message}.{made}"), &keys), Err(VerifyError::Algorithm));
    }
}

#[test]
fn a_header_that_could_be_read_in_two_ways_is_refused() {
    for header in [
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":["HS256"]}"#,
        r#"["HS256"]"#,
        "HS256",
        "",
    ] {
        assert_eq!(verify(&forged(header, "{}"), &shared()), Err(VerifyError::Malformed), "{header}");
    }
    assert!(verify(&forged(r#"{"alg":"HS256","typ":"at+jwt"}"#, "{}"), &shared()).is_ok());
}

#[test]
fn claims_that_stand_twice_or_are_no_object_are_refused() {
    for payload in [r#"{"sub":"a","sub":"b"}"#, r#"{"a":{"b":1,"b":1}}"#, "[]", "1", "", "{} {}"] {
        let token = forged(r#"{"alg":"HS256"}"#, payload);
        assert_eq!(verify(&token, &shared()), Err(VerifyError::Malformed), "{payload}");
    }
}

#[test]
fn a_token_has_three_parts_of_strict_base64url() {
    let good = forged(r#"{"alg":"HS256"}"#, "{}");
    assert!(verify(&good, &shared()).is_ok());
    let (message, made) = good.rsplit_once('.').unwrap();
    // The last character of a hash of 32 bytes has two bits that no byte needs.
    let last = made.chars().last().unwrap();
    let sloppy = char::from(last as u8 + 1);
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        message.to_owned(),
        format!("{good}."),
        format!("{good}.x"),
        format!("{good}="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{message}.{}{sloppy}", &made[..made.len() - 1]),
        good.replacen('.', "..", 1),
        good.replacen("e30", "e31", 1),
    ] {
        assert_eq!(verify(&bad, &shared()), Err(VerifyError::Malformed), "{bad:?}");
    }
}

#[test]
fn a_token_that_is_too_long_is_not_looked_at() {
    let token = |length: usize| forged(r#"{"alg":"HS256"}"#, &format!(r#"{{"a":"{}"}}"#, "x".repeat(length)));
    assert!(verify(&token(5_900), &shared()).is_ok());
    let long = token(LONGEST_TOKEN);
    assert_eq!(verify(&long, &shared()), Err(VerifyError::TooLong));
    assert_eq!(verify(&"x".repeat(LONGEST_TOKEN + 1), &shared()), Err(VerifyError::TooLong));
}

#[test]
fn private_keys_are_read_in_each_of_their_forms() {
    for (pem, algorithm) in [
        (RSA, Algorithm::Rs512),
        (include_str!("fixtures/rsa_pkcs1.pem"), Algorithm::Rs512),
        (P256, Algorithm::Es256),
        (include_str!("fixtures/p256_sec1.pem"), Algorithm::Es256),
        (ED25519, Algorithm::EdDsa),
    ] {
        let key = signing(pem, None).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let token = sign(&key, &claims(), None).unwrap();
        let public = match algorithm {
            Algorithm::Es256 => P256_PUBLIC,
            Algorithm::EdDsa => ED25519_PUBLIC,
            _ => RSA_PUBLIC,
        };
        assert!(verify(&token, &[VerifyingKey::from_pem(public).unwrap()]).is_ok());
    }
}

#[test]
fn a_key_that_does_not_fit_is_refused_by_its_reason() {
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (pem, algorithm, expected) in [
        ("dummy", None, KeyError::Pem),
        (RSA_PUBLIC, None, KeyError::Pem),
        (no_key, None, KeyError::Unsupported),
        (RSA, Some(Algorithm::EdDsa), KeyError::Mismatch(Algorithm::EdDsa)),
        (RSA, Some(Algorithm::Hs256), KeyError::Mismatch(Algorithm::Hs256)),
        (ED25519, Some(Algorithm::Es256), KeyError::Mismatch(Algorithm::Es256)),
    ] {
        assert_eq!(signing(pem, algorithm).unwrap_err(), expected);
    }
    for (pem, expected) in [
        ("dummy", KeyError::Pem),
        (RSA, KeyError::Pem),
        (include_str!("fixtures/p384_public.pem"), KeyError::Unsupported),
        (include_str!("fixtures/rsa_1024_public.pem"), KeyError::Unsupported),
    ] {
        assert_eq!(VerifyingKey::from_pem(pem).unwrap_err(), expected);
    }
    let mismatch = VerifyingKey::from_pem_for(ED25519_PUBLIC, Algorithm::Rs256).unwrap_err();
    assert_eq!(mismatch, KeyError::Mismatch(Algorithm::Rs256));
    assert_eq!(SigningKey::hmac(&"x".repeat(31).into()).unwrap_err(), KeyError::TooShort);
    assert_eq!(VerifyingKey::hmac(&"x".repeat(31).into()).unwrap_err(), KeyError::TooShort);
}

#[test]
fn debug_shows_the_algorithm_alone() {
    for (signing, verifying) in pairs() {
        let name = signing.algorithm().name();
        assert_eq!(format!("{signing:?} {verifying:?}"), format!("SigningKey({name}) VerifyingKey({name})"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_token_with_any_bit_flipped_is_refused(which in 0..Algorithm::ALL.len(), at: prop::sample::Index, bit in 0..8_u8) {
        let (key, public) = pairs().swap_remove(which);
        let mut token = sign(&key, &claims(), None).unwrap().into_bytes();
        let at = at.index(token.len());
        token[at] ^= 1 << bit;
        // What is no UTF-8 any more is no header's value either.
        if let Ok(token) = String::from_utf8(token) {
            prop_assert!(verify(&token, &[public]).is_err());
        }
    }

    #[test]
    fn any_claims_come_back_as_they_were_signed(name in "\\PC{0,20}", text in "\\PC{0,40}", number: u64) {
        let claims = json!({ name: text, "number": number });
        let (key, public) = pairs().swap_remove(4);
        let token = sign(&key, &claims, None).unwrap();
        prop_assert_eq!(verify(&token, &[public]).map(Value::Object), Ok(claims));
    }

    #[test]
    fn no_text_makes_it_panic(token in "\\PC*|[A-Za-z0-9_.=-]{0,200}") {
        prop_assert!(verify(&token, &shared()).is_err());
    }
}
