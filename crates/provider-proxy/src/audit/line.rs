//! The form of a line: one JSON object. Here all of it is written but its beginning, which has the hash of the line
//! before and is added by the chain.

use std::{
    cell::Cell,
    io::Write as _,
    net::{IpAddr, SocketAddr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chassis::{card_number, server::shown_target};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use wire::passthrough::Kind;

use super::{Event, Record};

/// The event that follows half a line.
pub(super) const TORN: &str = "torn_line";
/// What stands where a card number was.
const HIDDEN: &str = "…";
/// The path's name, as far as its text.
const PATH: &str = r#","path":""#;

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
    time: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

/// The rest of the line of an event.
pub(super) fn event(time: SystemTime, event: &Event) -> Vec<u8> {
    let time = DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Micros, true);
    // Nothing in an event can fail to be JSON.
    let mut rest = serde_json::to_vec(&EventLine { time: &time, event }).unwrap_or_default();
    if let Some(brace) = rest.first_mut() {
        *brace = b',';
    }
    rest
}

/// Adds the rest of the line of a request to the text.
///
/// It is written by hand: a worker does it for every request, and a serializer takes five times as long.
pub(super) fn request(text: &mut Vec<u8>, record: &Record<'_>) {
    text.extend_from_slice(b",\"time\":\"");
    time(text, record.time);
    text.extend_from_slice(b"\",\"event\":\"request\"");
    optional(text, r#","caller":""#, record.caller.map(without_card));
    text.extend_from_slice(b",\"authorities\":[");
    for (index, authority) in record.authorities.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.push(b'"');
        rest_of_string(text, authority);
    }
    text.push(b']');
    field(text, r#","target":""#, without_card(record.target));
    field(text, r#","method":""#, without_card(record.method));
    path(text, record.path, record.query);
    optional(text, r#","credential":""#, record.credential);
    optional(text, r#","credential_version":""#, record.credential_version);
    if let Some(dialled) = record.address {
        text.extend_from_slice(b",\"address\":\"");
        address(text, dialled);
        text.push(b'"');
    }
    number(text, r#","status":"#, record.status.into());
    optional(text, r#","kind":""#, record.kind.map(Kind::name));
    number(text, r#","bytes_in":"#, record.bytes_in);
    number(text, r#","bytes_out":"#, record.bytes_out);
    number(text, r#","milliseconds":"#, u64::try_from(record.duration.as_millis()).unwrap_or(u64::MAX));
    field(text, r#","request_id":""#, record.request_id);
    text.push(b'}');
}

/// The path, with the names of its query.
fn path(text: &mut Vec<u8>, path: &str, query: Option<&str>) {
    let is_rare = |byte: u8| matches!(byte, b'?' | b'+' | b'%');
    if query.is_none() && !path.bytes().any(is_rare) {
        return field(text, PATH, without_card(path));
    }
    let (path, query) = match query {
        Some(query) => (path, query),
        // What is no address of ours is here as it came.
        None => path.split_once('?').unwrap_or((path, "")),
    };
    field(text, PATH, &shown_target(path, query));
}

fn without_card(text: &str) -> &str {
    if card_number::is_in(text) { HIDDEN } else { text }
}

fn optional(text: &mut Vec<u8>, beginning: &str, value: Option<&str>) {
    if let Some(value) = value {
        field(text, beginning, value);
    }
}

/// A field with a text, given what comes before that text, its quotation mark included.
fn field(text: &mut Vec<u8>, beginning: &str, value: &str) {
    text.extend_from_slice(beginning.as_bytes());
    rest_of_string(text, value);
}

fn number(text: &mut Vec<u8>, beginning: &str, value: u64) {
    text.extend_from_slice(beginning.as_bytes());
    decimal(text, value, 1);
}

/// Which bytes stand for themselves in a string.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        plain[control] = false;
        control += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

/// What comes behind the first quotation mark of a string (RFC 8259, section 7).
fn rest_of_string(text: &mut Vec<u8>, value: &str) {
    let is_plain = |byte: &u8| PLAIN[usize::from(*byte)];
    // Eight at a time, without a branch for each.
    let (eights, others) = value.as_bytes().as_chunks::<8>();
    let plain = eights.iter().all(|eight| eight.iter().fold(true, |plain, byte| plain & is_plain(byte)));
    if plain && others.iter().all(is_plain) {
        text.extend_from_slice(value.as_bytes());
        text.push(b'"');
        return;
    }
    text.pop();
    if serde_json::to_writer(&mut *text, value).is_err() {
        // A string and memory cannot fail; what follows is to be JSON nevertheless.
        text.extend_from_slice(b"\"\"");
    }
}

fn address(text: &mut Vec<u8>, address: SocketAddr) {
    let IpAddr::V4(ip) = address.ip() else {
        // Writing to memory cannot fail.
        let _ = write!(text, "{address}");
        return;
    };
    for (index, octet) in ip.octets().into_iter().enumerate() {
        if index > 0 {
            text.push(b'.');
        }
        decimal(text, octet.into(), 1);
    }
    text.push(b':');
    decimal(text, address.port().into(), 1);
}

/// A number with at least so many digits.
fn decimal(text: &mut Vec<u8>, mut value: u64, least: usize) {
    if value < 10 && least <= 1 {
        return text.push(b'0' + value as u8);
    }
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        if value == 0 && used >= least {
            break;
        }
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
        used += 1;
    }
    text.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// How long a time up to its second is: `2026-01-02T03:04:05`.
const SECOND: usize = 19;

thread_local! {
    /// The second since the epoch that was written last, and how it is written: most lines are of the same second.
    static LAST_SECOND: Cell<(u64, [u8; SECOND])> = const { Cell::new((u64::MAX, [b'0'; SECOND])) };
}

/// UTC in microseconds: two requests of one caller in the same millisecond have an order.
fn time(text: &mut Vec<u8>, time: SystemTime) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut known, mut written) = LAST_SECOND.get();
    if known != since.as_secs() {
        known = since.as_secs();
        written = second(known);
        LAST_SECOND.set((known, written));
    }
    text.extend_from_slice(&written);
    text.push(b'.');
    decimal(text, since.subsec_micros().into(), 6);
    text.push(b'Z');
}

fn second(since: u64) -> [u8; SECOND] {
    let time = DateTime::<Utc>::from(UNIX_EPOCH + Duration::from_secs(since));
    let shown = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    // Years of more than four digits are not reached.
    shown.as_bytes().first_chunk().copied().unwrap_or([b'0'; SECOND])
}

#[cfg(test)]
mod tests;
