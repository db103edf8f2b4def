//! What a line tells.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use wire::passthrough::Kind;

/// One request, allowed or refused. What a caller chose is in here as it came; card numbers and the values of the query
/// are taken out of it when the line is written.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// When it came.
    pub time: SystemTime,
    /// The caller's name, once it is known.
    pub caller: Option<&'a str>,
    /// The caller's authorities.
    pub authorities: &'a [String],
    /// The target that it names, existing or not.
    pub target: &'a str,
    /// Its method.
    pub method: &'a str,
    /// The path behind the target's name.
    pub path: &'a str,
    /// The query, where it is not behind the path still.
    pub query: Option<&'a str>,
    /// The kind of the target's credential.
    pub credential: Option<&'a str>,
    /// Which one it was of those that there have been; never a part of it.
    pub credential_version: Option<&'a str>,
    /// The address that was dialled.
    pub address: Option<SocketAddr>,
    /// The status that the caller was answered.
    pub status: u16,
    /// Why, when the proxy itself answered.
    pub kind: Option<Kind>,
    /// Bytes of its body that were taken.
    pub bytes_in: u64,
    /// Bytes of the answer's body that were given.
    pub bytes_out: u64,
    /// From its head to the last byte of the answer.
    pub duration: Duration,
    /// Its id in the log of both halves.
    pub request_id: &'a str,
}

/// Something else that belongs into the audit log.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The process has started to write.
    Started {
        /// Its version.
        version: &'static str,
    },
    /// The process ends; nothing follows but the next start.
    Stopped,
    /// The file ended in half a line, as a crash leaves it. The half is still there, as a line of its own.
    TornLine {
        /// Its length in bytes.
        bytes: usize,
        /// The SHA-256 of the last whole line before it, in hexadecimal.
        last_whole: String,
    },
    /// Requests were refused since the line before, and there was no room for their lines.
    Lost {
        /// How many.
        requests: u64,
    },
    /// The settings were read again and are in use.
    Reloaded {
        /// How many sets there have been.
        generation: u64,
    },
    /// The settings were read again and are not good; the old ones stay in use.
    ReloadRefused {
        /// How many faults they have.
        faults: usize,
    },
    /// A target's answer held a secret, and was withheld.
    Leak {
        /// The target.
        target: String,
        /// The request's id.
        request_id: String,
        /// Where it was: `header`, `body` or `trailer`.
        place: &'static str,
    },
    /// A signature that must not be believed: a caller's token or a provider's notice.
    SignatureRefused {
        /// Who was said to have signed: a caller, or a provider's name.
        of: String,
        /// The request's id.
        request_id: String,
    },
    /// A named operation that a caller's list or limits do not allow. Nothing was sent.
    PolicyRefused {
        /// The caller's entry; none where no client certificate is asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        caller: Option<String>,
        /// The provider and the operation.
        operation: String,
        /// Which limit.
        limit: &'static str,
        /// The request's id.
        request_id: String,
    },
}
