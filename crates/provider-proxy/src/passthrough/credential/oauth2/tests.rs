//! The request to the token endpoint.

use super::super::tests::{Surroundings, body_of, read, request};
use super::super::{Credential, Kind};
use super::*;

fn asked(settings: &str) -> Outgoing {
    let credential = read(&format!("kind = 'oauth2_client_credentials'\n{settings}"));
    of(&credential).request().unwrap()
}

fn of(credential: &Credential) -> &OAuth2 {
    let Kind::OAuth2(kind) = &credential.kind else { panic!("{credential:?}") };
    kind
}

/// RFC 6749, section 4.4.2.
const PUBLISHED: &str = "
token_url = 'https://server.example.com/token'
client_id = 's6BhdRkqt3'
client_secret = 'gX1fBat3bV'
";

#[test]
fn the_published_request_is_made() {
    let request = asked(PUBLISHED);
    assert_eq!((&request.method, request.path_and_query.as_str()), (&Method::POST, "/token"));
    assert_eq!(request.headers["authorization"], "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(body_of(&request), "grant_type=client_credentials");
}

#[test]
fn the_secret_goes_into_the_body_where_that_is_asked_for() {
    let request = asked(&format!("{PUBLISHED}style = 'body'\nscope = 'read write'"));
    assert!(!request.headers.contains_key("authorization"));
    assert_eq!(
        body_of(&request),
        "grant_type=client_credentials&scope=read+write&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV"
    );
}

#[test]
fn id_and_secret_are_form_encoded_before_they_are_joined() {
    let request = asked("token_url = 'http://h/'\nclient_id = 'a:b'\nclient_secret = 'dummy secret+'");
    // base64 of a%3Ab:dummy+secret%2B
    assert_eq!(request.headers["authorization"], "Basic YSUzQWI6ZHVtbXkrc2VjcmV0JTJC");
}

#[test]
fn the_token_endpoint_is_an_origin_and_a_path() {
    for (url, origin, path) in [
        ("https://id.test", "https://id.test", "/"),
        ("https://id.test:8443/a/b/token", "https://id.test:8443", "/a/b/token"),
        ("http://[::1]:80/t", "http://[::1]", "/t"),
    ] {
        let (endpoint, rest) = split(&BaseUrl::parse(url).unwrap());
        assert_eq!((endpoint.as_str(), rest.as_str()), (origin, path));
    }
}

#[actix_web::test]
async fn without_a_token_nothing_is_added() {
    let credential = read(&format!("kind = 'oauth2_client_credentials'\n{PUBLISHED}"));
    let surroundings = Surroundings::at("https://target.test", 0);
    let mut request = request("GET", "/", &[], b"");
    assert!(credential.apply(&mut request, &surroundings.context()).await.is_err());
    assert!(request.headers.is_empty());
}
