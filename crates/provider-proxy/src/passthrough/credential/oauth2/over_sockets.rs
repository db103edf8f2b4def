//! Tokens from a token endpoint that listens on a socket.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Barrier, Mutex, mpsc},
    thread,
};

use actix_web::rt::System;
use futures_util::future::join_all;
use relay::UpstreamSettings;

use super::super::tests::{Surroundings, read, request};
use super::super::{Credential, CredentialError, Scanner};
use super::*;

/// Answers each request on a connection of its own, and keeps what it got. It ends with the test's process.
struct Endpoint {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    fn start(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut got = Vec::new();
                while !got.ends_with(b"grant_type=client_credentials") {
                    let mut buffer = [0; 1024];
                    let read = stream.read(&mut buffer).unwrap();
                    assert!(read > 0, "the request ends early");
                    got.extend_from_slice(&buffer[..read]);
                }
                let number = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(String::from_utf8(got).unwrap());
                    kept.len()
                };
                // A client that has heard enough closes.
                let _ = stream.write_all(&answer(number));
            }
        });
        Self { url, requests }
    }

    fn upstream(&self) -> Upstream {
        Upstream::new(UpstreamSettings::new(BaseUrl::parse(&self.url).unwrap()))
    }

    fn credential(&self) -> Credential {
        read(&format!(
            "kind = 'oauth2_client_credentials'\ntoken_url = '{}/token'\nclient_id = 'id'\nclient_secret = 'dummy-secret'",
            self.url
        ))
    }

    fn asked(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn answer(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn token(number: usize) -> Vec<u8> {
    let body =
        format!(r#"{{"access_token": "dummy-access-{number}", "token_type": "Bearer", "expires_in": 600}}"#);
    answer("200 OK", "application/json;charset=UTF-8", &body)
}

/// The `Authorization` that a request gets.
async fn authorize(
    credential: &Credential,
    surroundings: &Surroundings,
    upstream: &Upstream,
) -> Result<(String, super::super::Applied), CredentialError> {
    let mut request = request("GET", "/", &[], b"");
    let context = Context { token_endpoint: Some(upstream), ..surroundings.context() };
    let applied = credential.apply(&mut request, &context).await?;
    Ok((request.headers["authorization"].to_str().unwrap().to_owned(), applied))
}

#[actix_web::test]
async fn a_token_is_asked_for_once_and_known_to_the_scanner_before_it_is_used() {
    let endpoint = Endpoint::start(token);
    let (credential, upstream) = (endpoint.credential(), endpoint.upstream());
    let surroundings = Surroundings::at("http://target.test", 1000);
    for _ in 0..3 {
        let (value, _) = authorize(&credential, &surroundings, &upstream).await.unwrap();
        assert_eq!(value, "Bearer dummy-access-1");
    }
    assert_eq!(endpoint.asked(), 1);
    let request = endpoint.requests.lock().unwrap()[0].to_ascii_lowercase();
    assert!(request.starts_with("post /token http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nauthorization: basic awq6zhvtbxktc2vjcmv0\r\n"), "{request}");
    let known: Vec<_> = surroundings.scanner.minted();
    assert!(matches!(&known[..], [token] if token.expose_secret() == "dummy-access-1"));
    assert!(credential.secrets().iter().any(|secret| secret.expose_secret() == "dummy-access-1"));
}

#[actix_web::test]
async fn after_a_401_there_is_one_other_token_for_all() {
    let endpoint = Endpoint::start(token);
    let (credential, upstream) = (endpoint.credential(), endpoint.upstream());
    let surroundings = Surroundings::at("http://target.test", 1000);
    let calls = || join_all((0..20).map(|_| authorize(&credential, &surroundings, &upstream)));
    let refused: Vec<_> = calls().await.into_iter().map(|result| result.unwrap().1).collect();
    assert!(refused.iter().all(|applied| credential.refresh(applied, surroundings.now)));
    for result in calls().await {
        assert_eq!(result.unwrap().0, "Bearer dummy-access-2");
    }
    assert_eq!(endpoint.asked(), 2);
}

#[test]
fn all_workers_share_one_token_request() {
    const WORKERS: usize = 4;
    let endpoint = Endpoint::start(token);
    let (credential, scanner) = (endpoint.credential(), Arc::new(Scanner::new([])));
    let (start, (sender, values)) = (Arc::new(Barrier::new(WORKERS)), mpsc::channel());
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (credential, scanner, start, sender) =
                (credential.clone(), Arc::clone(&scanner), Arc::clone(&start), sender.clone());
            let url = endpoint.url.clone();
            thread::spawn(move || {
                System::new().block_on(async {
                    let upstream = Upstream::new(UpstreamSettings::new(BaseUrl::parse(&url).unwrap()));
                    let surroundings = Surroundings::at("http://target.test", 1000);
                    start.wait();
                    let call = || async {
                        let mut request = request("GET", "/", &[], b"");
                        let context = Context {
                            token_endpoint: Some(&upstream),
                            scanner: &scanner,
                            ..surroundings.context()
                        };
                        credential.apply(&mut request, &context).await.unwrap();
                        request.headers["authorization"].to_str().unwrap().to_owned()
                    };
                    for value in join_all((0..25).map(|_| call())).await {
                        sender.send(value).unwrap();
                    }
                });
            })
        })
        .collect();
    drop(sender);
    for worker in workers {
        worker.join().unwrap();
    }
    let values: Vec<String> = values.into_iter().collect();
    assert_eq!(values.len(), 25 * WORKERS);
    assert!(values.iter().all(|value| value == "Bearer dummy-access-1"), "{values:?}");
    assert_eq!(endpoint.asked(), 1);
}

#[actix_web::test]
async fn whatever_fails_adds_nothing_and_is_not_tried_again_at_once() {
    let good = r#"{"access_token": "dummy", "token_type": "bearer", "expires_in": 60}"#;
    for (bytes, expected) in [
        (answer("302 Found", "application/json", good), "the token endpoint answered 302 Found"),
        (
            answer("401 Unauthorized", "application/json", r#"{"error": "invalid_client"}"#),
            "401 Unauthorized: invalid_client",
        ),
        (answer("200 OK", "text/html", good), "it is not application/json"),
        (
            answer("200 OK", "application/json", &format!("{good}{}", " ".repeat(65 * 1024))),
            "it is too large",
        ),
        (answer("200 OK", "application/json", "{"), "it is not the JSON of a token"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{".to_vec(),
            "the token endpoint gave no answer",
        ),
        (b"SSH-2.0\r\n\r\n".to_vec(), "the token endpoint gave no answer"),
    ] {
        let endpoint = Endpoint::start(move |_| bytes.clone());
        let (credential, upstream) = (endpoint.credential(), endpoint.upstream());
        let surroundings = Surroundings::at("http://target.test", 1000);
        let calls = join_all((0..10).map(|_| authorize(&credential, &surroundings, &upstream))).await;
        let errors: Vec<String> = calls.into_iter().map(|result| result.err().unwrap().to_string()).collect();
        assert!(errors[0].contains(expected), "{expected}: {errors:?}");
        assert!(errors[1..].iter().all(|error| error.contains("failed a moment ago")), "{errors:?}");
        assert!(errors.iter().all(|error| !error.contains("dummy")), "{errors:?}");
        assert_eq!(endpoint.asked(), 1, "{expected}");
    }
}

#[actix_web::test]
async fn settings_that_are_read_again_keep_the_token_of_the_same_client() {
    let endpoint = Endpoint::start(token);
    let (first, second, upstream) = (endpoint.credential(), endpoint.credential(), endpoint.upstream());
    let surroundings = Surroundings::at("http://target.test", 1000);
    authorize(&first, &surroundings, &upstream).await.unwrap();
    second.inherit(&first);
    assert_eq!(authorize(&second, &surroundings, &upstream).await.unwrap().0, "Bearer dummy-access-1");
    let other = read(&format!(
        "kind = 'oauth2_client_credentials'\ntoken_url = '{}/token'\nclient_id = 'id'\nclient_secret = 'dummy-other'",
        endpoint.url
    ));
    other.inherit(&first);
    assert_eq!(authorize(&other, &surroundings, &upstream).await.unwrap().0, "Bearer dummy-access-2");
}
