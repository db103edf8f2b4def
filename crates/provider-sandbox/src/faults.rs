//! The queue of faults: what goes wrong with which request, and how often.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use serde::Deserialize;

/// One entry of the queue. A request meets the first entry that fits it, and that entry is used up by one.
///
/// ```json
/// {"method": "POST", "path": "/transactions", "times": 1, "fault": "drop_after"}
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only requests with this method; absent for any.
    #[serde(default)]
    pub method: Option<String>,
    /// Only requests whose path begins so; absent for any.
    #[serde(default)]
    pub path: Option<String>,
    /// How many requests meet it; one when absent.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens to them.
    pub fault: Action,
}

/// What happens to a request.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub enum Action {
    /// `"drop_before"`: the connection is closed, nothing is done and not a byte is answered.
    DropBefore,
    /// `"drop_after"`: the work is done and kept, then the connection is closed without a byte of an answer.
    DropAfter,
    /// `"truncate"`: the work is done; the answer announces its whole length and ends halfway.
    Truncate,
    /// `"duplicate_webhook"`: all is done and answered, and each webhook that the call brings about is sent twice.
    DuplicateWebhook,
    /// `{"delay_ms": N}`: the work begins late. With `"after": true` the work is done at once and answered late.
    Delay {
        /// How late.
        delay: Duration,
        /// Whether the work is done before the wait.
        after: bool,
    },
    /// `{"delay_ms": N, "during": true}`: the work begins at once, so that the same call meanwhile finds it under way,
    /// and is done late. For the calls that have an idempotency key.
    Linger {
        /// How long the work takes.
        delay: Duration,
    },
    /// `{"status": 503, "headers": {…}}`, `{"body": "text", "status": 200}` or `{"redirect": "http://…"}`: nothing is
    /// done and this is answered.
    Answer {
        /// The status.
        status: StatusCode,
        /// Further headers.
        headers: Vec<(HeaderName, HeaderValue)>,
        /// The body, exactly; a JSON error of the sandbox when absent.
        body: Option<String>,
    },
}

/// The faults that have not happened yet.
#[derive(Debug, Default)]
pub(crate) struct FaultQueue(Mutex<Vec<Fault>>);

impl FaultQueue {
    pub(crate) fn append(&self, faults: Vec<Fault>) {
        let faults = faults.into_iter().filter(|fault| fault.times > 0);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many requests are still to meet a fault.
    pub(crate) fn remaining(&self) -> u64 {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().map(|fault| u64::from(fault.times)).sum()
    }

    /// Takes what happens to this request; None for most.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Action> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = faults.iter().position(|fault| fault.fits(method, path))?;
        let fault = faults.get_mut(index)?;
        let action = fault.fault.clone();
        fault.times -= 1;
        if fault.times == 0 {
            faults.remove(index);
        }
        Some(action)
    }
}

impl Fault {
    fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|prefix| path.starts_with(prefix))
    }
}

fn once() -> u32 {
    1
}

/// An action as it is written in JSON.
#[derive(Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "fault: \"drop_before\", \"drop_after\", \"truncate\", \"duplicate_webhook\", \
                 {\"delay_ms\": N, \"after\": false, \"during\": false}, \
                 {\"status\": N, \"headers\": {}}, {\"redirect\": URL} or {\"body\": TEXT, \"status\": N, \"headers\": {}}"
)]
enum Written {
    Named(Name),
    Delay {
        delay_ms: u64,
        #[serde(default)]
        after: bool,
        #[serde(default)]
        during: bool,
    },
    Redirect {
        redirect: String,
    },
    Body {
        body: String,
        #[serde(default = "ok")]
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    Status {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    DropBefore,
    DropAfter,
    Truncate,
    DuplicateWebhook,
}

fn ok() -> u16 {
    200
}

impl TryFrom<Written> for Action {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Named(Name::DropBefore) => Ok(Self::DropBefore),
            Written::Named(Name::DropAfter) => Ok(Self::DropAfter),
            Written::Named(Name::Truncate) => Ok(Self::Truncate),
            Written::Named(Name::DuplicateWebhook) => Ok(Self::DuplicateWebhook),
            Written::Delay { after: true, during: true, .. } => {
                Err("delay_ms: it is either after or during the work".to_owned())
            }
            Written::Delay { delay_ms, after, during } => {
                let delay = Duration::from_millis(delay_ms);
                Ok(if during { Self::Linger { delay } } else { Self::Delay { delay, after } })
            }
            Written::Redirect { redirect } => {
                answer(302, BTreeMap::from([("location".to_owned(), redirect)]), Some(String::new()))
            }
            Written::Body { body, status, headers } => answer(status, headers, Some(body)),
            Written::Status { status, headers } => answer(status, headers, None),
        }
    }
}

fn answer(status: u16, headers: BTreeMap<String, String>, body: Option<String>) -> Result<Action, String> {
    let final_status = StatusCode::from_u16(status).ok().filter(|_| (200..600).contains(&status));
    let status = final_status.ok_or(format!("status: {status} is not a final HTTP status"))?;
    let headers = headers
        .into_iter()
        .map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
        .collect::<Option<_>>()
        .ok_or("headers: a name or value does not fit a header")?;
    Ok(Action::Answer { status, headers, body })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn queue(faults: Value) -> FaultQueue {
        let queue = FaultQueue::default();
        queue.append(serde_json::from_value(faults).unwrap());
        queue
    }

    #[test]
    fn a_fault_meets_only_the_requests_that_fit_and_only_as_often_as_it_says() {
        let queue = queue(json!([
            {"method": "POST", "path": "/transactions", "times": 2, "fault": "truncate"},
            {"fault": {"delay_ms": 5}},
        ]));
        assert_eq!(queue.remaining(), 3);
        assert!(matches!(queue.take("POST", "/transactions/1"), Some(Action::Truncate)));
        let Some(Action::Delay { delay, after: false }) = queue.take("GET", "/transactions") else {
            panic!("the second entry fits")
        };
        assert_eq!(delay, Duration::from_millis(5));
        assert!(queue.take("GET", "/transactions").is_none());
        assert!(queue.take("POST", "/transactions").is_some());
        assert!(queue.take("POST", "/transactions").is_none());
        assert_eq!(queue.remaining(), 0);
    }

    #[test]
    fn every_form_of_an_action_is_read() {
        for written in [
            json!("drop_before"),
            json!("drop_after"),
            json!("truncate"),
            json!("duplicate_webhook"),
            json!({"delay_ms": 1, "after": true}),
            json!({"delay_ms": 1, "during": true}),
            json!({"status": 503}),
            json!({"status": 503, "headers": {"retry-after": "1"}}),
            json!({"redirect": "http://127.0.0.1:1/"}),
            json!({"body": "<html>"}),
            json!({"body": "", "status": 201, "headers": {"content-type": "application/json"}}),
        ] {
            assert!(serde_json::from_value::<Action>(written.clone()).is_ok(), "{written}");
        }
    }

    #[test]
    fn what_is_no_action_is_refused_with_a_reason() {
        for (written, reason) in [
            (json!("explode"), "drop_before"),
            (json!({"delay": 1}), "delay_ms"),
            (json!({"delay_ms": 1, "status": 503}), "delay_ms"),
            (json!({"delay_ms": 1, "after": true, "during": true}), "either"),
            (json!({"status": 100}), "not a final HTTP status"),
            (json!({"status": 200, "headers": {"a b": "c"}}), "does not fit a header"),
        ] {
            let error = serde_json::from_value::<Action>(written.clone()).unwrap_err();
            assert!(error.to_string().contains(reason), "{written}: {error}");
        }
        assert!(serde_json::from_value::<Fault>(json!({"fault": "truncate", "time": 1})).is_err());
    }
}
