//! The steps of the demonstration: each is told as one line and kept for the JSON.

use std::{
    io::{self, Write},
    time::Instant,
};

use actix_web::http::Method;
use serde::{Serialize, Serializer};
use serde_json::Value;
use thiserror::Error;

use crate::client::{Answer, Client};

/// Who calls whom in a step.
#[derive(Clone, Copy)]
pub(super) struct Route {
    /// The caller.
    pub(super) from: &'static str,
    /// Whom it calls, and whom that one calls in turn.
    pub(super) to: &'static [&'static str],
}

/// A step that was done.
#[derive(Clone, Serialize)]
pub(super) struct Step {
    step: usize,
    from: &'static str,
    to: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    onward: &'static [&'static str],
    request: String,
    status: u16,
    milliseconds: u64,
    /// What the step was about, by name.
    #[serde(flatten, serialize_with = "as_map")]
    ids: Vec<(String, String)>,
}

/// A step that did not do what it should.
#[derive(Debug, Error)]
#[error("step {step}, {request}: {reason}")]
pub(super) struct StepError {
    step: usize,
    request: String,
    reason: String,
}

/// One request of the demonstration.
pub(super) struct Call<'a> {
    /// Who calls whom.
    pub(super) route: Route,
    /// The client that sends it.
    pub(super) client: &'a Client,
    /// The method.
    pub(super) method: Method,
    /// The path.
    pub(super) path: String,
    /// The JSON body, or none.
    pub(super) body: Option<Value>,
    /// A header to add.
    pub(super) header: Option<(&'static str, String)>,
    /// The status that it must give.
    pub(super) expected: u16,
}

/// The answer to a call that gave the status that it should, not yet told.
pub(super) struct Called {
    /// The answer.
    pub(super) answer: Answer,
    route: Route,
    request: String,
    milliseconds: u64,
    step: usize,
}

/// All steps so far.
pub(super) struct Steps {
    done: Vec<Step>,
    to_standard_error: bool,
}

impl Steps {
    /// None yet. With JSON on standard output, the lines go to standard error.
    pub(super) fn new(json: bool) -> Self {
        Self { done: Vec::new(), to_standard_error: json }
    }

    /// All steps that were done.
    pub(super) fn done(&self) -> &[Step] {
        &self.done
    }

    /// Makes a call; any other status than the expected one is an error.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Called, StepError> {
        let step = self.done.len() + 1;
        let request = format!("{} {}", call.method, call.path);
        let failed = |reason: String| StepError { step, request: request.clone(), reason };
        let mut sending = call.client.request(call.method.clone(), &call.path);
        if let Some((name, value)) = &call.header {
            sending = sending.header(name, value);
        }
        if let Some(body) = &call.body {
            sending = sending.json(body);
        }
        let started = Instant::now();
        let answer = sending.send().await.map_err(|error| failed(error.to_string()))?;
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if answer.status != call.expected {
            return Err(failed(format!("expected {}, got {answer:?}", call.expected)));
        }
        Ok(Called { answer, route: call.route, request, milliseconds, step })
    }

    /// Tells a call and keeps it.
    pub(super) fn tell(&mut self, called: &Called, ids: &[(&str, &str)]) {
        let status = called.answer.status;
        self.add(called.route, called.request.clone(), status, called.milliseconds, ids);
    }

    /// Tells a request that somebody else made.
    pub(super) fn add(
        &mut self,
        route: Route,
        request: String,
        status: u16,
        milliseconds: u64,
        ids: &[(&str, &str)],
    ) {
        let (to, onward) = route.to.split_first().map_or(("", route.to), |(to, onward)| (*to, onward));
        let ids = ids.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let step = self.done.len() + 1;
        let step = Step { step, from: route.from, to, onward, request, status, milliseconds, ids };
        self.say(&step.line());
        self.done.push(step);
    }

    /// Prints a line for a person; a reader who has left must not stop the purchase.
    pub(super) fn say(&self, line: &str) {
        let _ = if self.to_standard_error {
            writeln!(io::stderr().lock(), "{line}")
        } else {
            writeln!(io::stdout().lock(), "{line}")
        };
    }

    /// An error of the step that comes next.
    pub(super) fn error(&self, request: &str, reason: String) -> StepError {
        StepError { step: self.done.len() + 1, request: request.to_owned(), reason }
    }
}

impl Called {
    /// A text of the answer's JSON, by its pointer such as `/reference/resource_pk`; numbers are given as text.
    pub(super) fn text(&self, pointer: &str) -> Result<String, StepError> {
        match self.answer.json().pointer(pointer) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(self.error(format!("no {pointer} in {:?}", self.answer))),
        }
    }

    /// Checks one value of the answer's JSON.
    pub(super) fn check(&self, pointer: &str, expected: &Value) -> Result<(), StepError> {
        let json = self.answer.json();
        let found = json.pointer(pointer).unwrap_or(&Value::Null);
        if found == expected {
            return Ok(());
        }
        Err(self.error(format!("{pointer} is {found} and should be {expected} in {:?}", self.answer)))
    }

    /// The value of a header that must be there.
    pub(super) fn header(&self, name: &str) -> Result<String, StepError> {
        let value = self.answer.header(name).map(str::to_owned);
        value.ok_or_else(|| self.error(format!("no header {name}")))
    }

    fn error(&self, reason: String) -> StepError {
        StepError { step: self.step, request: self.request.clone(), reason }
    }
}

impl Step {
    fn line(&self) -> String {
        let mut path = format!("{} > {}", self.from, self.to);
        for next in self.onward {
            path.push_str(" > ");
            path.push_str(next);
        }
        let ids: Vec<String> =
            self.ids.iter().map(|(name, value)| format!("{} {value}", name.replace('_', " "))).collect();
        let line = format!(
            "{:>2}  {path:<47}  {:<48}  {}  {:>5} ms  {}",
            self.step,
            shorten(&self.request, 48),
            self.status,
            self.milliseconds,
            ids.join(", ")
        );
        line.trim_end().to_owned()
    }
}

fn as_map<S: Serializer>(ids: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(ids.iter().map(|(name, value)| (name, value)))
}

/// Tokens in paths are longer than a line.
fn shorten(text: &str, length: usize) -> String {
    if text.len() <= length {
        return text.to_owned();
    }
    let half = (length - 3) / 2;
    let start: String = text.chars().take(half).collect();
    let end: String = text.chars().rev().take(half).collect::<Vec<_>>().into_iter().rev().collect();
    format!("{start}...{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_aligned_line() {
        let step = Step {
            step: 1,
            from: "client",
            to: "db-server",
            onward: &["provider-proxy", "reference"],
            request: format!("POST /{}/pay", "a".repeat(100)),
            status: 201,
            milliseconds: 7,
            ids: vec![("seller".to_owned(), "1".to_owned()), ("a_uuid".to_owned(), "x".to_owned())],
        };
        let line = step.line();
        assert!(line.starts_with(" 1  client > db-server > provider-proxy > reference  POST /aaa"), "{line}");
        assert!(line.ends_with("aaaaaa/pay   201      7 ms  seller 1, a uuid x"), "{line}");
        let json = serde_json::to_value(&step).unwrap();
        assert_eq!(json["onward"], serde_json::json!(["provider-proxy", "reference"]));
        assert_eq!(json["seller"], "1");
    }
}
