//! The time that a list of movements is asked about.

use chrono::{DateTime, SecondsFormat, Utc};
use wire::payment::ListMovements;

use crate::shape::ShapeError;

/// From an instant up to another, which is not in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Period {
    /// The first instant.
    pub(super) from: DateTime<Utc>,
    /// The first instant that is too late.
    pub(super) to: DateTime<Utc>,
}

impl Period {
    /// Reads the time of a request.
    ///
    /// # Errors
    /// [`ShapeError`] when an end of it is no RFC 3339, or nothing lies between them.
    pub(super) fn of(request: &ListMovements) -> Result<Self, ShapeError> {
        // The providers count in seconds.
        let whole = |at: &DateTime<Utc>| at.timestamp_subsec_nanos() == 0;
        let read = |field: &str, text: &str| {
            let wrong = || ShapeError::field(field, "expected a time of RFC 3339 in whole seconds");
            parse(text).filter(whole).ok_or_else(wrong)
        };
        let period = Self { from: read("from", &request.from)?, to: read("to", &request.to)? };
        if period.from >= period.to {
            return Err(ShapeError::field("to", "expected a later time than from"));
        }
        Ok(period)
    }

    /// Whether an instant lies in it.
    pub(super) fn holds(&self, at: DateTime<Utc>) -> bool {
        (self.from..self.to).contains(&at)
    }
}

/// Reads a time of RFC 3339, section 5.6, of whatever offset.
pub(super) fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// Writes a time as RFC 3339 in UTC, to the second.
pub(super) fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use wire::payment::AttemptId;

    use super::*;

    fn period(from: &str, to: &str) -> Result<Period, String> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let request = ListMovements { attempt: AttemptId::new(), from, to, cursor: None };
        Period::of(&request).map_err(|error| error.to_string())
    }

    #[test]
    fn a_period_has_its_first_instant_and_not_its_last() {
        let day = period("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z").unwrap();
        for (at, holds) in [
            ("2026-01-01T23:59:59Z", false),
            ("2026-01-02T00:00:00Z", true),
            ("2026-01-02T01:00:00+02:00", false),
            ("2026-01-02T23:59:59.9Z", true),
            ("2026-01-03T00:00:00Z", false),
        ] {
            assert_eq!(day.holds(parse(at).unwrap()), holds, "{at}");
        }
        assert_eq!(written(day.to), "2026-01-03T00:00:00Z");
    }

    #[test]
    fn what_is_no_time_or_holds_nothing_is_refused() {
        let good = "2026-01-02T00:00:00Z";
        for (from, to, field) in [
            ("2026-01-02", good, "from"),
            ("2026-01-01T00:00:00.5Z", good, "from"),
            (good, "tomorrow", "to"),
            (good, good, "to"),
            (good, "2026-01-01T00:00:00Z", "to"),
        ] {
            assert!(period(from, to).unwrap_err().starts_with(field), "{from} {to}");
        }
    }
}
