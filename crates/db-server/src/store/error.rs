//! What can go wrong between the store and Postgres, told apart by what the caller can do about it.

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use thiserror::Error;

use crate::database::ConnectFailure;

/// Why a transaction or a statement did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Postgres is out of reach, or the connection broke. When it broke during a commit, the commit may have
    /// happened.
    #[error("the database is out of reach")]
    Unreachable(#[source] ConnectionLoss),
    /// Postgres answers, but has no time for this now. Nothing has been done; it may be tried again.
    #[error("the database is busy")]
    Busy(#[source] Busyness),
    /// A statement ran for longer than the statement timeout. Nothing has been done.
    #[error("the database took too long")]
    StatementTimeout(#[source] DieselError),
    /// A constraint of the schema does not allow it. Nothing has been done.
    #[error(transparent)]
    Constraint(ConstraintViolation),
    /// The row is not the one that the caller has seen.
    #[error("the row has changed: its counter is {counter}")]
    Stale {
        /// The row's counter now.
        counter: i64,
    },
    /// There is no such row.
    #[error("no such row")]
    NotFound,
    /// A statement is wrong, or gives what nobody expected: a defect.
    #[error("a statement failed")]
    Query(#[source] DieselError),
    /// The work was given up before its commit: its thread panicked, or its caller is gone. Nothing has been done.
    #[error("the work on the database was given up")]
    Interrupted,
}

/// How the connection was lost, or why there is none.
#[derive(Debug, Error)]
pub enum ConnectionLoss {
    /// None could be made.
    #[error(transparent)]
    Connect(ConnectFailure),
    /// The pool got none in time; the text says why the last attempt failed.
    #[error("{}", on_one_line(.0))]
    Pool(r2d2::Error),
    /// It broke.
    #[error("{}", on_one_line(.0))]
    Query(DieselError),
    /// Postgres has not answered.
    #[error("no answer in {after:?}")]
    Silent {
        /// For so long.
        after: Duration,
    },
}

/// Why Postgres has no time.
#[derive(Debug, Error)]
pub enum Busyness {
    /// All connections stayed at work for as long as a request waits for one.
    #[error("all connections are at work")]
    Pool(#[source] r2d2::Error),
    /// The work did not end within its limit.
    #[error("not done in {after:?}")]
    Queue {
        /// The limit.
        after: Duration,
    },
    /// Another transaction was in the way: a deadlock or a serialization failure.
    #[error("another transaction was in the way")]
    Conflict(#[source] DieselError),
    /// What another caller was told, who waited for the same statement.
    #[error("{0}")]
    Shared(String),
}

/// A constraint of the schema was violated.
#[derive(Debug, Error)]
#[error("the constraint {name} is violated")]
pub struct ConstraintViolation {
    /// The constraint's name in the schema; `TABLE_COLUMN_not_null` for a column that may not be null.
    pub name: String,
    /// Which kind of constraint.
    pub kind: ConstraintKind,
    /// What Postgres said.
    pub source: DieselError,
}

/// The kinds of constraints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConstraintKind {
    /// Another row has the value.
    Unique,
    /// The row that is referred to does not exist, or is still referred to.
    ForeignKey,
    /// A value is missing.
    NotNull,
    /// A value is out of its range.
    Check,
    /// Another row overlaps.
    Exclusion,
}

impl StoreError {
    /// The name of the constraint that was violated, if that is what happened.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Constraint(violation) => Some(&violation.name),
            _ => None,
        }
    }

    /// The same, for another caller who waited for the same statement. It changed nothing.
    #[must_use]
    pub(crate) fn for_another(&self) -> Self {
        match self {
            Self::Unreachable(loss) => Self::Unreachable(ConnectionLoss::Query(copied(loss))),
            Self::Busy(busyness) => Self::Busy(Busyness::Shared(copied(busyness).to_string())),
            Self::StatementTimeout(error) => Self::StatementTimeout(copied(error)),
            Self::Stale { counter } => Self::Stale { counter: *counter },
            Self::NotFound => Self::NotFound,
            Self::Query(error) => Self::Query(copied(error)),
            Self::Constraint(violation) => Self::Query(copied(violation)),
            Self::Interrupted => Self::Interrupted,
        }
    }
}

/// An error that says what another one says, which cannot be copied.
fn copied(error: &impl ToString) -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(error.to_string()))
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        let kind = match &error {
            DieselError::NotFound => return Self::NotFound,
            // What a statement gives after the connection broke.
            DieselError::BrokenTransactionManager => {
                return Self::Unreachable(ConnectionLoss::Query(error));
            }
            DieselError::DatabaseError(kind, _) => kind,
            _ => return Self::Query(error),
        };
        match kind {
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Self::Unreachable(ConnectionLoss::Query(error))
            }
            DatabaseErrorKind::SerializationFailure => Self::Busy(Busyness::Conflict(error)),
            DatabaseErrorKind::UniqueViolation => violation(ConstraintKind::Unique, error),
            DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
                violation(ConstraintKind::ForeignKey, error)
            }
            DatabaseErrorKind::NotNullViolation => violation(ConstraintKind::NotNull, error),
            DatabaseErrorKind::CheckViolation => violation(ConstraintKind::Check, error),
            DatabaseErrorKind::ExclusionViolation => violation(ConstraintKind::Exclusion, error),
            _ => by_message(error),
        }
    }
}

/// Diesel keeps the SQLSTATE of few errors; the others are known by Postgres's English text. On a server that speaks
/// another language (`lc_messages`) they are told as [`StoreError::Query`], which is safe, if less helpful.
fn by_message(error: DieselError) -> StoreError {
    let DieselError::DatabaseError(_, information) = &error else { return StoreError::Query(error) };
    let message = information.message();
    if message.contains("statement timeout") {
        StoreError::StatementTimeout(error)
    } else if message.contains("deadlock detected") {
        StoreError::Busy(Busyness::Conflict(error))
    } else if CONNECTION_LOST.iter().any(|text| message.contains(text)) {
        StoreError::Unreachable(ConnectionLoss::Query(error))
    } else {
        StoreError::Query(error)
    }
}

/// What Postgres says as it ends a session, and what libpq says when nobody said anything.
const CONNECTION_LOST: [&str; 6] = [
    "terminating connection",
    "server closed the connection",
    "connection not open",
    "no connection to the server",
    "could not receive data from server",
    "could not send data to server",
];

fn violation(kind: ConstraintKind, source: DieselError) -> StoreError {
    let DieselError::DatabaseError(_, information) = &source else { return StoreError::Query(source) };
    let name = match (information.constraint_name(), information.table_name(), information.column_name()) {
        (Some(name), _, _) => name.to_owned(),
        (None, Some(table), Some(column)) => format!("{table}_{column}_not_null"),
        _ => return StoreError::Query(source),
    };
    StoreError::Constraint(ConstraintViolation { name, kind, source })
}

/// libpq's messages span several lines; a log line does not.
pub(crate) fn on_one_line(error: &impl ToString) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use diesel::result::DatabaseErrorInformation;

    use super::*;

    struct Told {
        message: &'static str,
        constraint: Option<&'static str>,
        column: Option<&'static str>,
    }

    impl DatabaseErrorInformation for Told {
        fn message(&self) -> &str {
            self.message
        }
        fn details(&self) -> Option<&str> {
            Some("Key (uuid)=(a value that nobody may log)")
        }
        fn hint(&self) -> Option<&str> {
            None
        }
        fn table_name(&self) -> Option<&str> {
            Some("sellers")
        }
        fn column_name(&self) -> Option<&str> {
            self.column
        }
        fn constraint_name(&self) -> Option<&str> {
            self.constraint
        }
        fn statement_position(&self) -> Option<i32> {
            None
        }
    }

    fn told(kind: DatabaseErrorKind, message: &'static str) -> StoreError {
        DieselError::DatabaseError(kind, Box::new(Told { message, constraint: None, column: None })).into()
    }

    #[test]
    fn a_violated_constraint_is_known_by_its_name() {
        let told = Told { message: "duplicate key", constraint: Some("sellers_uuid_key"), column: None };
        let error: StoreError =
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, Box::new(told)).into();
        assert_eq!(error.constraint(), Some("sellers_uuid_key"));
        assert!(!format!("{error:?}").contains("nobody may log"));

        let told = Told { message: "null value", constraint: None, column: Some("uuid") };
        let error: StoreError =
            DieselError::DatabaseError(DatabaseErrorKind::NotNullViolation, Box::new(told)).into();
        assert_eq!(error.constraint(), Some("sellers_uuid_not_null"));
    }

    #[test]
    fn a_lost_connection_is_told_from_a_busy_database_and_from_a_defect() {
        use DatabaseErrorKind::{ClosedConnection, SerializationFailure, UnableToSendCommand, Unknown};
        let unreachable = |error| matches!(error, StoreError::Unreachable(_));
        assert!(unreachable(told(ClosedConnection, "server closed the connection unexpectedly")));
        assert!(unreachable(told(UnableToSendCommand, "no connection to the server")));
        assert!(unreachable(told(Unknown, "terminating connection due to administrator command")));
        assert!(unreachable(told(
            Unknown,
            "server closed the connection unexpectedly\n\tThis probably means"
        )));
        assert!(unreachable(told(Unknown, "could not receive data from server: Connection reset by peer")));
        assert!(unreachable(DieselError::BrokenTransactionManager.into()));
        let busy = |error| matches!(error, StoreError::Busy(_));
        assert!(busy(told(SerializationFailure, "could not serialize access")));
        assert!(busy(told(Unknown, "deadlock detected")));
        let timeout = told(Unknown, "canceling statement due to statement timeout");
        assert!(matches!(timeout, StoreError::StatementTimeout(_)));
        assert!(matches!(told(Unknown, "syntax error"), StoreError::Query(_)));
        assert!(matches!(DieselError::NotFound.into(), StoreError::NotFound));
    }

    #[test]
    fn who_waited_for_the_same_statement_is_told_the_same() {
        use DatabaseErrorKind::{ClosedConnection, SerializationFailure, Unknown};
        for error in [
            told(ClosedConnection, "server closed the connection unexpectedly"),
            told(SerializationFailure, "could not serialize access"),
            told(Unknown, "canceling statement due to statement timeout"),
            told(Unknown, "syntax error"),
            StoreError::Interrupted,
            StoreError::NotFound,
        ] {
            let other = error.for_another();
            assert_eq!(std::mem::discriminant(&other), std::mem::discriminant(&error), "{error}");
            assert_eq!(other.to_string(), error.to_string());
        }
    }
}
