//! Whatever a request holds, its line is JSON, on one line, that says it.

use std::net::Ipv6Addr;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A line as it is read back, with a beginning in the place of the chain's.
fn line(record: &Record<'_>) -> Value {
    let mut text = b"{\"previous\":\"\"".to_vec();
    request(&mut text, record);
    assert!(!text.contains(&b'\n'));
    serde_json::from_slice(&text).unwrap()
}

fn record() -> Record<'static> {
    Record {
        time: UNIX_EPOCH,
        caller: None,
        authorities: &[],
        target: "",
        method: "GET",
        path: "/",
        query: None,
        credential: None,
        credential_version: None,
        address: None,
        status: 200,
        kind: None,
        bytes_in: 0,
        bytes_out: 0,
        duration: Duration::ZERO,
        request_id: "",
    }
}

proptest! {
    #[test]
    fn every_text_is_read_back_as_it_was(
        version in any::<String>(),
        request_id in "[\\x00-\\x7f]*",
        authorities in prop::collection::vec(any::<String>(), 0..3),
    ) {
        let line = line(&Record {
            credential_version: Some(&version),
            request_id: &request_id,
            authorities: &authorities,
            ..record()
        });
        prop_assert_eq!(&line["credential_version"], &json!(version));
        prop_assert_eq!(&line["request_id"], &json!(request_id));
        prop_assert_eq!(&line["authorities"], &json!(authorities));
    }

    #[test]
    fn every_number_time_and_address_is_written_as_others_write_it(
        status in any::<u16>(),
        (bytes_in, bytes_out) in any::<(u64, u64)>(),
        milliseconds in any::<u64>(),
        (seconds, microseconds) in (0..253_402_300_800_u64, 0..1_000_000_u32),
        address in any::<SocketAddr>(),
    ) {
        let time = UNIX_EPOCH + Duration::new(seconds, microseconds * 1000);
        let duration = Duration::from_millis(milliseconds);
        let line = line(&Record {
            time, status, bytes_in, bytes_out, duration, address: Some(address), ..record()
        });
        let told = [&line["status"], &line["bytes_in"], &line["bytes_out"], &line["milliseconds"]];
        prop_assert_eq!(told, [&json!(status), &json!(bytes_in), &json!(bytes_out), &json!(milliseconds)]);
        let written = DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Micros, true);
        prop_assert_eq!(&line["time"], &json!(written));
        prop_assert_eq!(&line["address"], &json!(address.to_string()));
    }
}

#[test]
fn a_query_is_shown_by_its_names_whether_it_is_apart_or_behind_the_path() {
    let apart = Record { path: "/cards", query: Some("a=1&b"), ..record() };
    let behind = Record { path: "/cards?a=1&b", ..record() };
    let empty = Record { path: "/cards", query: Some(""), ..record() };
    assert_eq!([line(&apart)["path"].as_str(), line(&behind)["path"].as_str()], [Some("/cards?a=…&b=…"); 2]);
    assert_eq!(line(&empty)["path"], "/cards");
}

#[test]
fn an_address_of_ipv6_has_its_brackets() {
    let record = Record { address: Some((Ipv6Addr::LOCALHOST, 443).into()), ..record() };
    assert_eq!(line(&record)["address"], "[::1]:443");
}
