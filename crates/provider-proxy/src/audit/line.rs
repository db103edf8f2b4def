//! The form of a line: one JSON object.

use std::{net::SocketAddr, time::SystemTime};

use chassis::{card_number, server::shown_target};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use wire::passthrough::Kind;

use super::{Event, Record, chain, queue::Entry};

/// The event of a line about a request.
const REQUEST: &str = "request";
/// The event that follows half a line.
pub(super) const TORN: &str = "torn_line";
/// What stands where a card number was.
const HIDDEN: &str = "…";

/// Adds one line to the text, and gives its hash, to which the next one is chained.
pub(super) fn write(text: &mut Vec<u8>, previous: &str, entry: &Entry) -> serde_json::Result<String> {
    let start = text.len();
    let written = match entry {
        Entry::Request(record) => serde_json::to_writer(&mut *text, &RequestLine::new(previous, record)),
        Entry::Event(time, event) => {
            serde_json::to_writer(&mut *text, &EventLine { previous, time: at(*time), event })
        }
    };
    if let Err(error) = written {
        text.truncate(start);
        return Err(error);
    }
    let head = chain::hash(text.get(start..).unwrap_or_default());
    text.push(b'\n');
    Ok(head)
}

/// What is looked at in a line that is read back.
#[derive(Deserialize)]
pub(super) struct ReadBack {
    /// The hash of the line before it.
    pub(super) previous: String,
    /// What it tells of.
    pub(super) event: String,
    /// See [`Event::TornLine`].
    pub(super) last_whole: Option<String>,
}

impl ReadBack {
    /// The line, if it is one of ours.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

#[derive(Serialize)]
struct EventLine<'a> {
    previous: &'a str,
    time: String,
    #[serde(flatten)]
    event: &'a Event,
}

#[derive(Serialize)]
struct RequestLine<'a> {
    previous: &'a str,
    time: String,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    authorities: &'a [String],
    target: &'a str,
    method: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<SocketAddr>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    bytes_in: u64,
    bytes_out: u64,
    milliseconds: u64,
    request_id: &'a str,
}

impl<'a> RequestLine<'a> {
    fn new(previous: &'a str, record: &'a Record) -> Self {
        Self {
            previous,
            time: at(record.time),
            event: REQUEST,
            caller: record.caller.as_deref().map(without_card),
            authorities: &record.authorities,
            target: without_card(&record.target),
            method: without_card(&record.method),
            path: path(&record.path),
            credential: record.credential,
            credential_version: record.credential_version.as_deref(),
            address: record.address,
            status: record.status,
            kind: record.kind,
            bytes_in: record.bytes_in,
            bytes_out: record.bytes_out,
            milliseconds: u64::try_from(record.duration.as_millis()).unwrap_or(u64::MAX),
            request_id: &record.request_id,
        }
    }
}

fn path(path_and_query: &str) -> String {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    shown_target(path, query)
}

fn without_card(text: &str) -> &str {
    if card_number::is_in(text) { HIDDEN } else { text }
}

/// UTC in microseconds: two requests of one caller in the same millisecond have an order.
fn at(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Micros, true)
}
