//! Log lines: one line each, with the request that they belong to, and nothing from crates that would print headers.

mod context;
mod line;

use log::LevelFilter;

pub use context::{
    Arrival, BlockingError, Principal, RequestContext, blocking, carried, context, in_context,
};

use crate::settings::Section;

/// The crates whose lines are written at the level that the operator asks for.
///
/// All others stop at warnings, whatever the level: an HTTP library's trace lines hold the headers of requests, and
/// so the credentials in them.
const OUR_CRATES: [&str; 6] =
    ["chassis", "db_server", "integration_tests", "oauth1", "provider_proxy", "wire"];

/// How to write log lines.
#[derive(Clone, Copy, Debug)]
pub struct LogSettings {
    level: LevelFilter,
    format: Format,
}

/// The form of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Format {
    Text,
    Json,
}

impl LogSettings {
    /// Reads `level` (default `info`) and `format` (`text`, the default, or `json`).
    #[must_use]
    pub fn read(section: &Section) -> Self {
        let level: String = section.or("level", "info".into());
        let level = level.parse().unwrap_or_else(|_| {
            section.fault("level", "expected off, error, warn, info, debug or trace");
            LevelFilter::Info
        });
        let format: String = section.or("format", "text".into());
        let format = match format.as_str() {
            "text" => Format::Text,
            "json" => Format::Json,
            _ => {
                section.fault("format", "expected text or json");
                Format::Text
            }
        };
        Self { level, format }
    }
}

/// Starts writing log lines to standard error; once started it stays as it is.
pub fn init(settings: &LogSettings) {
    let mut builder = env_logger::Builder::new();
    builder.filter_level(settings.level.min(LevelFilter::Warn));
    for name in OUR_CRATES {
        builder.filter_module(name, settings.level);
    }
    match settings.format {
        Format::Text => builder.format(line::text),
        Format::Json => builder.format(line::json),
    };
    // Two servers in one test process share the first one's logger.
    if builder.try_init().is_err() {
        log::debug!("the log is already being written");
    }
}
