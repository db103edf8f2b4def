//! The two forms of a log line.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use chrono::{SecondsFormat, Utc};
use env_logger::fmt::Formatter;
use log::Record;
use serde::Serialize;

use super::context;

/// `2026-01-02T03:04:05.678Z INFO db_server::server [request=… transaction=… client=…] message`
pub(super) fn text(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut line = format!("{} {} {}", now(), record.level(), record.target());
    if let Some(context) = context() {
        let _ = write!(line, " [request={}", context.request_id);
        if let Some(id) = &context.transaction_id {
            let _ = write!(line, " transaction={id}");
        }
        if let Some(key) = context.client() {
            let _ = write!(line, " client={key}");
        }
        line.push(']');
    }
    let _ = write!(line, " {}", record.args());
    writeln!(out, "{}", one_line(&line))
}

/// One JSON object a line, with the same fields.
pub(super) fn json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        time: String,
        level: &'a str,
        target: &'a str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        transaction_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client: Option<&'a str>,
    }
    let context = context();
    let line = Line {
        time: now(),
        level: record.level().as_str(),
        target: record.target(),
        message: record.args().to_string(),
        request_id: context.as_deref().map(|context| context.request_id.as_str()),
        transaction_id: context.as_deref().and_then(|context| context.transaction_id.as_deref()),
        client: context.as_deref().and_then(|context| context.client()),
    };
    writeln!(out, "{}", serde_json::to_string(&line).map_err(io::Error::other)?)
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A line break that came in with a request must not begin a line of its own.
fn one_line(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() { line.extend(character.escape_default()) } else { line.push(character) }
    }
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_a_message_does_not_begin_a_line() {
        assert_eq!(one_line("a\nERROR b\r\u{1b}[31m"), r"a\nERROR b\r\u{1b}[31m");
        assert_eq!(one_line("é … \u{85} b"), r"é … \u{85} b");
        assert_eq!(one_line("GET / 200"), "GET / 200");
    }
}
