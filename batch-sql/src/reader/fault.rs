//! What an error of the database means to who reads.

use batch_core::{BadRecord, BoxError, Error, ErrorKind, Transient};
use sqlx::mysql::MySqlDatabaseError;

/// The error of a read: transient where the same read may succeed later, else of kind `Failed`.
pub(super) fn reading(what: &str, error: sqlx::Error) -> BoxError {
    if is_transient(&error) {
        return Transient(error.into()).into();
    }
    Error::new(ErrorKind::Failed, format!("cannot read from {what}")).because(error).into()
}

/// The error of what a reader does before its first read.
pub(super) fn opening(what: &str, error: sqlx::Error) -> BoxError {
    if is_transient(&error) {
        return Error::new(ErrorKind::Unavailable, format!("cannot read from {what} now")).because(error).transient().into();
    }
    let message = format!("cannot read from {what}: see that its tables, columns and values are right");
    Error::new(ErrorKind::Configuration, message).because(error).into()
}

/// A row that is no item; `place` says which.
pub(super) fn bad_record(error: sqlx::Error, place: String) -> BoxError {
    let mut bad = match error {
        sqlx::Error::ColumnDecode { index, source } => {
            let mut bad = BadRecord::new(source);
            bad.column = Some(index.trim_matches('"').to_owned());
            bad
        }
        other => BadRecord::new(other),
    };
    bad.raw = Some(place);
    bad.into()
}

/// A mistake in how a reader was put together.
pub(super) fn mistake(message: impl Into<String>) -> BoxError {
    Error::new(ErrorKind::Configuration, message).into()
}

/// Whether the same again may succeed: no connection, a lost one, somebody else's lock.
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => match error.try_downcast_ref::<MySqlDatabaseError>() {
            Some(error) => is_transient_number(error.number()),
            None => error.code().is_some_and(|code| is_transient_code(&code)),
        },
        _ => false,
    }
}

/// PostgreSQL's SQLSTATE, or SQLite's result code: its lowest byte says what it is, and nobody is shorter than 5 but SQLite.
fn is_transient_code(code: &str) -> bool {
    const STATES: [&str; 9] = ["40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300", "25P03", "25P04"];
    match code.parse::<i32>() {
        Ok(result) if code.len() < 5 => matches!(result & 0xff, 5 | 6 | 10 | 15),
        _ => code.starts_with("08") || STATES.contains(&code),
    }
}

/// Too many connections, shutdown, lock timeout, deadlock, snapshot too old, the connection is gone.
fn is_transient_number(number: u16) -> bool {
    matches!(number, 1020 | 1040 | 1053 | 1205 | 1213 | 1317 | 1927 | 2006 | 2013 | 4031)
}
