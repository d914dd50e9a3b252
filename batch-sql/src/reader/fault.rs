//! What an error of the database means to who reads.

use crate::error::is_transient;
use batch_core::{BadRecord, BoxError, Error, ErrorKind, Transient};

/// The error of a read: transient where the same read may succeed later, else of kind `Failed`.
pub(super) fn reading(what: &str, error: sqlx::Error) -> BoxError {
    let error = BoxError::from(error);
    if is_transient(&error) {
        return Transient(error).into();
    }
    Error::new(ErrorKind::Failed, format!("cannot read from {what}")).because(error).into()
}

/// The error of what a reader does before its first read.
pub(super) fn opening(what: &str, error: sqlx::Error) -> BoxError {
    let error = BoxError::from(error);
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
