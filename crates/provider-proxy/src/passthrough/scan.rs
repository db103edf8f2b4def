//! Finds our own secrets in what a target answers, across the bounds of chunks.
//!
//! A secret is looked for in every form in which it travels (`forms`), by one search over all forms of all secrets
//! (`matcher`). A body streams through it: only a tail that may be the beginning of a secret is held back, so that
//! no byte of a secret has been released when it turns out to be one.

mod forms;
mod matcher;

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use relay::hygiene;
use secrecy::{ExposeSecret, SecretString};

use matcher::{Matcher, Pattern, pattern};

/// The shortest secret that is looked for, in bytes: a shorter text is too likely to be a part of an ordinary word.
pub const LEAST_LENGTH: usize = 8;

/// How many of the secrets minted at run time are known; the oldest is forgotten for the next one.
const MINTED: usize = 128;

/// All secrets of one snapshot of the settings, and those minted at run time. Shared by all workers; its `Debug` shows
/// no secret.
pub struct Scanner {
    configured: Arc<Matcher>,
    /// In small letters, which the names of headers always are.
    names: Matcher,
    minted: ArcSwapOption<Matcher>,
    /// Whether anything ever was: a look at this is cheaper than one at that.
    has_minted: AtomicBool,
    minted_secrets: Mutex<VecDeque<Minted>>,
}

/// A secret that was minted at run time.
struct Minted {
    secret: SecretString,
    patterns: Vec<Pattern>,
}

/// What became of a chunk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// These bytes, in this order, hold no part of a secret and may go on.
    Clean(Released),
    /// The stream holds a secret; nothing more of it may go on.
    Leak,
}

/// At most two pieces of a stream, in their order; neither is copied from the chunk. Either may be empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Released {
    /// What an earlier chunk ended with.
    pub held: Bytes,
    /// What is released of this chunk.
    pub fresh: Bytes,
}

impl Scanner {
    /// Prepares the search; done once for each snapshot of the settings. Secrets shorter than [`LEAST_LENGTH`] are not
    /// looked for, which is logged.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        let (mut patterns, mut names, mut short) = (Vec::new(), Vec::new(), 0_usize);
        for secret in secrets {
            let fragments = forms::fragments(secret.expose_secret());
            if fragments.is_empty() {
                short += 1;
            }
            for fragment in fragments {
                patterns.extend(forms::every_form(fragment));
                names.extend(forms::in_a_header_name(fragment));
            }
        }
        if short > 0 {
            log::warn!(
                "{short} secrets of targets are shorter than {LEAST_LENGTH} characters: they are not looked for in answers"
            );
        }
        Self {
            configured: Arc::new(Matcher::new(patterns.into_iter().map(pattern))),
            names: Matcher::new(names.into_iter().map(pattern)),
            minted: ArcSwapOption::empty(),
            has_minted: AtomicBool::new(false),
            minted_secrets: Mutex::default(),
        }
    }

    /// Looks for a secret that was minted at run time as well, such as an access token; streams that have begun
    /// already take notice of it.
    pub fn add(&self, secret: &SecretString) {
        let mut known = self.minted_secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|other| other.secret.expose_secret() == secret.expose_secret()) {
            return;
        }
        while known.len() >= MINTED {
            known.pop_front();
        }
        let fragments = forms::fragments(secret.expose_secret());
        let patterns = fragments.into_iter().flat_map(forms::common_forms).map(pattern).collect();
        known.push_back(Minted { secret: secret.clone(), patterns });
        let matcher = Matcher::new(known.iter().flat_map(|minted| minted.patterns.iter().cloned()));
        self.minted.store((!matcher.is_empty()).then(|| Arc::new(matcher)));
        self.has_minted.store(true, Ordering::Release);
    }

    /// What was minted so far, for the scanner of the next snapshot: a token outlives a reload.
    #[must_use]
    pub fn minted(&self) -> Vec<SecretString> {
        self.minted_secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|minted| minted.secret.clone())
            .collect()
    }

    /// Whether headers or trailers hold a secret, in a name or in a value.
    #[must_use]
    pub fn header_leaks(&self, headers: &HeaderMap) -> bool {
        headers
            .iter()
            .any(|(name, value)| self.finds(value.as_bytes()) || self.names.finds(name.as_str().as_bytes()))
    }

    /// Begins to scan one body.
    #[must_use]
    pub fn stream(self: &Arc<Self>) -> StreamScan {
        StreamScan { scanner: Arc::clone(self), held: Bytes::new() }
    }

    fn finds(&self, text: &[u8]) -> bool {
        self.configured.finds(text) || self.in_minted(|minted| minted.finds(text))
    }

    /// The length in bytes of the longest end of `text` that could be the beginning of a secret.
    fn unfinished(&self, text: &[u8]) -> usize {
        self.configured.unfinished(text).max(self.in_minted(|minted| minted.unfinished(text)))
    }

    /// The longest pattern, in bytes.
    fn longest(&self) -> usize {
        self.configured.longest().max(self.in_minted(Matcher::longest))
    }

    /// Looks at what was minted; the default where nothing was.
    fn in_minted<T: Default>(&self, look: impl FnOnce(&Matcher) -> T) -> T {
        if !self.has_minted.load(Ordering::Acquire) {
            return T::default();
        }
        self.minted.load().as_deref().map(look).unwrap_or_default()
    }
}

impl fmt::Debug for Scanner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scanner").field("forms", &self.configured.len()).finish_non_exhaustive()
    }
}

/// The scan of one body. After [`Verdict::Leak`] the stream must be broken off.
pub struct StreamScan {
    scanner: Arc<Scanner>,
    /// An end that may be the beginning of a secret, shorter than the longest pattern.
    held: Bytes,
}

impl StreamScan {
    /// Takes the next chunk; gives what may go on. What is held back is shorter than the longest form of a secret.
    #[must_use]
    pub fn feed(&mut self, chunk: Bytes) -> Verdict {
        if self.scanner.finds(&chunk) {
            return Verdict::Leak;
        }
        if self.held.is_empty() {
            let mut fresh = chunk;
            self.held = fresh.split_off(fresh.len() - self.scanner.unfinished(&fresh));
            return Verdict::Clean(Released { held: Bytes::new(), fresh });
        }
        self.feed_behind_held(chunk)
    }

    /// Takes the chunk with which the body is complete. Nothing of it need be held back.
    #[must_use]
    pub fn feed_last(&mut self, chunk: Bytes) -> Verdict {
        if self.held.is_empty() {
            return match self.scanner.finds(&chunk) {
                true => Verdict::Leak,
                false => Verdict::Clean(Released { held: Bytes::new(), fresh: chunk }),
            };
        }
        self.feed(chunk)
    }

    /// Whether the fields behind the body hold a secret.
    #[must_use]
    pub fn header_leaks(&self, trailers: &HeaderMap) -> bool {
        self.scanner.header_leaks(trailers)
    }

    /// The body is complete: what was held back was no secret.
    #[must_use]
    pub fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.held)
    }

    fn feed_behind_held(&mut self, mut chunk: Bytes) -> Verdict {
        let reach = chunk.len().min(self.scanner.longest());
        let mut joined = BytesMut::with_capacity(self.held.len() + reach);
        joined.extend_from_slice(&self.held);
        joined.extend_from_slice(chunk.get(..reach).unwrap_or_default());
        if self.scanner.finds(&joined) {
            return Verdict::Leak;
        }
        if reach < chunk.len() {
            // What is held now lies in this chunk alone: it is shorter than the longest pattern.
            let fresh = chunk.split_to(chunk.len() - self.scanner.unfinished(&chunk));
            let held = std::mem::replace(&mut self.held, chunk);
            return Verdict::Clean(Released { held, fresh });
        }
        let mut all = joined.freeze();
        self.held = all.split_off(all.len() - self.scanner.unfinished(&all));
        Verdict::Clean(Released { held: Bytes::new(), fresh: all })
    }
}

impl fmt::Debug for StreamScan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StreamScan").field("held", &self.held.len()).finish_non_exhaustive()
    }
}

/// Whether a body with these headers is scanned: text that is not compressed, and whatever does not say what it is.
#[must_use]
pub fn is_scanned(headers: &HeaderMap) -> bool {
    let compressed = hygiene::has(headers, &CONTENT_ENCODING)
        && headers.get_all(CONTENT_ENCODING).iter().any(|value| {
            let coding = value.as_bytes().trim_ascii();
            !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
        });
    if compressed {
        return false;
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter().peekable();
    types.peek().is_none() || types.any(|value| value.to_str().map_or(true, is_text))
}

/// Media types whose name does not end in one of [`TEXT_ENDINGS`].
const TEXT_TYPES: [&str; 7] = [
    "application/x-www-form-urlencoded",
    "application/x-ndjson",
    "application/graphql",
    "application/jwt",
    "application/jose",
    "application/yaml",
    "message/http",
];

/// The subtype itself, or its suffix behind a `+`.
const TEXT_ENDINGS: [&str; 8] =
    ["json", "xml", "javascript", "ecmascript", "yaml", "json-seq", "jwt", "problem"];

fn is_text(content_type: &str) -> bool {
    let is_one_of = |text: &str, of: &[&str]| of.iter().any(|other| text.eq_ignore_ascii_case(other));
    let end = content_type.bytes().position(|byte| byte == b';').unwrap_or(content_type.len());
    let media_type = content_type.get(..end).unwrap_or_default().trim();
    let slash = media_type.bytes().position(|byte| byte == b'/');
    let Some((kind, subtype)) = slash.and_then(|at| Some((media_type.get(..at)?, media_type.get(at + 1..)?)))
    else {
        // No media type at all, so a client may take it for anything.
        return true;
    };
    let ending = || subtype.rsplit(['+', '.', '-']).next().unwrap_or_default();
    is_one_of(kind, &["text", "multipart"])
        || is_one_of(subtype, &TEXT_ENDINGS)
        || is_one_of(media_type, &TEXT_TYPES)
        || is_one_of(ending(), &TEXT_ENDINGS)
}

#[cfg(test)]
mod tests;
