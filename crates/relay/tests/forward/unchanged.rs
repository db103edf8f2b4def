//! Whatever bytes and headers there are, they come through in both directions.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use tokio::io::AsyncWriteExt as _;

use crate::support::{find, proxy, raw_upstream, read_message, say};

type Headers = Vec<(String, String)>;

fn headers() -> impl Strategy<Value = Headers> {
    // Few names, so that they repeat; any value that HTTP allows, obsolete text apart.
    let value = "([!-~]([ -~]{0,30}[!-~])?)?";
    vec(("x-[a-c]|accept|cookie|authorization|x-very-long-name-[a-z]{1,40}", value), 0..20)
}

/// The values of each name, in order.
fn grouped(headers: &[(String, String)]) -> BTreeMap<&str, Vec<&str>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in headers {
        groups.entry(name.as_str()).or_default().push(value.as_str());
    }
    groups
}

fn lines(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

fn parse(head: &[u8]) -> Headers {
    let head = std::str::from_utf8(head).unwrap();
    let own = ["host", "content-length", "transfer-encoding", "connection", "date"];
    head.split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .collect()
}

/// Sends the request's headers and body back as the answer's.
async fn mirror(mut stream: tokio::net::TcpStream) {
    while let Some(request) = read_message(&mut stream).await {
        let head = find(&request, b"\r\n\r\n").unwrap();
        let headers = lines(&parse(&request[..head]));
        let body = &request[head + 4..];
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n");
        stream.write_all(&[answer.as_bytes(), body].concat()).await.unwrap();
    }
}

#[test]
fn any_headers_and_any_bytes_come_through_unchanged() {
    let system = actix_web::rt::System::new();
    let proxy = system.block_on(async { proxy(raw_upstream(mirror).await.address) });
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) });
    let outcome = runner.run(&(headers(), vec(any::<u8>(), 0..70_000)), |(headers, body)| {
        let lines = lines(&headers);
        let length = body.len();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let answer = system.block_on(say(proxy.address, [head.as_bytes(), &body].concat()));
        let end = find(&answer, b"\r\n\r\n").unwrap_or_default();
        let received = parse(&answer[..end]);
        prop_assert_eq!(grouped(&received), grouped(&headers));
        prop_assert!(answer[end + 4..] == body, "the bodies differ");
        Ok(())
    });
    outcome.unwrap();
}
