//! What counts as a token, and what does not.

use super::*;

fn parsed(status: u16, is_json: bool, body: &str) -> Result<(String, u64), String> {
    parse(StatusCode::from_u16(status).unwrap(), is_json, body.as_bytes())
        .map(|granted| (granted.token.expose_secret().to_owned(), granted.life.as_secs()))
        .map_err(|error| error.to_string())
}

/// RFC 6749, section 4.4.3, with a type of token that is known here.
#[test]
fn the_published_answer_is_read() {
    let body = r#"{
        "access_token": "2YotnFZFEjr1zCsicMWpAA",
        "token_type": "Bearer",
        "expires_in": 3600,
        "example_parameter": "example_value"
    }"#;
    assert_eq!(parsed(200, true, body), Ok(("2YotnFZFEjr1zCsicMWpAA".to_owned(), 3600)));
    // The RFC's own type is an example and no bearer token.
    assert!(parsed(200, true, &body.replace("Bearer", "example")).unwrap_err().contains("no bearer token"));
}

#[test]
fn a_life_is_assumed_when_none_is_told_and_capped_when_it_is_absurd() {
    let without = r#"{"access_token": "t", "token_type": "bearer"}"#;
    assert_eq!(parsed(200, true, without).unwrap().1, 300);
    let absurd = r#"{"access_token": "t", "token_type": "bearer", "expires_in": 18446744073709551615}"#;
    assert_eq!(parsed(200, true, absurd).unwrap().1, 30 * 86_400);
}

#[test]
fn whatever_is_not_clearly_a_token_is_none_and_is_not_shown() {
    for (is_json, body) in [
        (false, r#"{"access_token": "dummy", "token_type": "bearer"}"#),
        (true, "dummy"),
        (true, ""),
        (true, r#"["dummy"]"#),
        (true, r#"{"token_type": "bearer"}"#),
        (true, r#"{"access_token": "dummy"}"#),
        (true, r#"{"access_token": 5, "token_type": "bearer"}"#),
        (true, r#"{"access_token": "dummy", "access_token": "dummy2", "token_type": "bearer"}"#),
        (true, r#"{"access_token": "dummy", "token_type": "mac"}"#),
        (true, r#"{"access_token": "", "token_type": "bearer"}"#),
        (true, r#"{"access_token": "dummy dummy", "token_type": "bearer"}"#),
        (true, "{\"access_token\": \"dummy\\r\\nX: y\", \"token_type\": \"bearer\"}"),
        (true, r#"{"access_token": "dummy", "token_type": "bearer", "expires_in": 0}"#),
        (true, r#"{"access_token": "dummy", "token_type": "bearer", "expires_in": -1}"#),
        (true, r#"{"access_token": "dummy", "token_type": "bearer", "expires_in": "60"}"#),
        (true, r#"{"access_token": "dummy", "token_type": "bearer"} dummy"#),
    ] {
        let error = parsed(200, is_json, body).unwrap_err();
        assert!(error.starts_with("the token endpoint's answer cannot be used"), "{body}: {error}");
        assert!(!error.contains("dummy"), "{error}");
    }
    let long = format!(r#"{{"access_token": "{}", "token_type": "bearer"}}"#, "t".repeat(LONGEST_TOKEN + 1));
    assert!(parsed(200, true, &long).is_err());
}

#[test]
fn a_refusal_shows_its_status_and_a_known_code_and_nothing_else() {
    let error =
        parsed(401, true, r#"{"error": "invalid_client", "error_description": "dummy"}"#).unwrap_err();
    assert_eq!(error, "the token endpoint answered 401 Unauthorized: invalid_client");
    for body in [r#"{"error": "dummy-client-secret"}"#, "dummy", ""] {
        let error = parsed(400, true, body).unwrap_err();
        assert_eq!(error, "the token endpoint answered 400 Bad Request: no known code");
    }
    for status in [201, 204, 302, 307, 500] {
        assert!(
            parsed(status, true, r#"{"access_token": "t", "token_type": "bearer"}"#).is_err(),
            "{status}"
        );
    }
}
