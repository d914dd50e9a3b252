//! What a database's errors mean to the engine.

use batch_core::{BoxError, Error, ErrorKind, Transient, caused_by};
use std::path::Path;

/// What can be done about an error of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Somebody else holds the lock, or the connection is gone: the same again may succeed.
    Busy,
    /// The disk is full, or reading or writing it failed.
    Storage,
    /// The file or its folder can't be written.
    ReadOnly,
    /// The file can't be opened at all.
    CannotOpen,
    /// The file is damaged.
    Corrupt,
    /// The file is something else, or is encrypted.
    NotADatabase,
    /// A row violates a constraint.
    Constraint,
    /// A statement that the database refuses, a value that can't be decoded, and the rest.
    Other,
}

/// SQLite's result codes; the lowest byte is the code, the rest says more.
pub(crate) fn class(error: &sqlx::Error) -> Class {
    match error {
        sqlx::Error::Database(e) => match e.code().and_then(|c| c.parse::<i32>().ok()).unwrap_or(1) & 0xff {
            5 | 6 | 15 => Class::Busy,
            10 | 13 => Class::Storage,
            3 | 8 => Class::ReadOnly,
            14 => Class::CannotOpen,
            11 => Class::Corrupt,
            26 => Class::NotADatabase,
            19 => Class::Constraint,
            _ => Class::Other,
        },
        sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => Class::Busy,
        _ => Class::Other,
    }
}

/// Whether the same work may succeed later, whoever wrapped the error. A full or failing disk counts: no item is at fault, so none
/// may be skipped for it.
pub(crate) fn is_transient(error: &BoxError) -> bool {
    caused_by::<sqlx::Error>(error, |e| matches!(class(e), Class::Busy | Class::Storage))
        || caused_by::<Error>(error, Error::is_transient)
        || caused_by::<Transient>(error, |_| true)
}

/// Whether no row can be at fault: the file is read-only or damaged, or the statement names what is not there.
pub(crate) fn is_fatal(error: &BoxError) -> bool {
    const STATEMENT: [&str; 4] = ["no such table", "no such column", "has no column named", "syntax error"];
    caused_by::<sqlx::Error>(error, |e| match class(e) {
        Class::ReadOnly | Class::CannotOpen | Class::Corrupt | Class::NotADatabase => true,
        // SQLite has one code for a statement that is wrong and for a function that refuses a value.
        Class::Other => STATEMENT.iter().any(|words| says(e, words)),
        Class::Busy | Class::Storage | Class::Constraint => false,
    })
}

/// The message of the database alone, for telling apart what has one code.
pub(crate) fn says(error: &sqlx::Error, words: &str) -> bool {
    matches!(error, sqlx::Error::Database(e) if e.message().contains(words))
}

/// An error of the store itself, met while `doing` something.
pub(crate) fn store(doing: &str, error: sqlx::Error) -> Error {
    let class = class(&error);
    let (kind, advice) = advice(class);
    let error = Error::new(kind, format!("{doing} failed{advice}")).because(error);
    if class == Class::Busy { error.transient() } else { error }
}

/// The error of a chunk, with the file at `path` and what to do about it where the store is at fault and not a statement.
pub(crate) fn explain(error: BoxError, path: &Path) -> BoxError {
    const STORE: [Class; 5] = [Class::Storage, Class::ReadOnly, Class::CannotOpen, Class::Corrupt, Class::NotADatabase];
    let found = STORE.into_iter().find(|store| caused_by::<sqlx::Error>(&error, |e| class(e) == *store));
    match found {
        Some(class) if !error.is::<Error>() => {
            let message = format!("writing to the database failed{}", advice(class).1);
            Error::new(ErrorKind::Failed, message).with("file", path.display()).because(error).into()
        }
        _ => error,
    }
}

/// The kind of a store's error, and what an operator can do about it.
fn advice(class: Class) -> (ErrorKind, &'static str) {
    match class {
        Class::Busy => (ErrorKind::Unavailable, ""),
        Class::Storage => (ErrorKind::Unavailable, ": free space on its disk, or repair the disk, then restart the job"),
        Class::ReadOnly => (ErrorKind::Unavailable, ": the file and its folder must be writable"),
        Class::CannotOpen => (ErrorKind::Unavailable, ": the file cannot be opened; check the path and its permissions"),
        Class::Corrupt => {
            (ErrorKind::NeedsOperator, ": the file is damaged; restore a copy, or try `.recover` of the sqlite3 program")
        }
        Class::NotADatabase => {
            (ErrorKind::Configuration, ": the file is not an SQLite database, or is encrypted; name another file")
        }
        Class::Constraint | Class::Other => (ErrorKind::Unavailable, ""),
    }
}

/// Why a call of the repository ended early: the store failed, or the answer is no.
#[derive(Debug)]
pub(crate) enum Fail {
    /// The store itself.
    Store(sqlx::Error),
    /// The call was understood and refused.
    Refused(Error),
}

impl Fail {
    /// The error that a caller of the repository sees.
    pub(crate) fn into_error(self, doing: &str) -> Error {
        match self {
            Self::Store(e) => store(doing, e),
            Self::Refused(e) => e,
        }
    }
}

impl From<sqlx::Error> for Fail {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// The result of a part of a repository call.
pub(crate) type Outcome<T> = Result<T, Fail>;

/// The error of a caller that no longer owns the execution.
pub(crate) fn not_owner(execution: i64) -> Error {
    Error::new(ErrorKind::NotOwner, "the execution was closed or taken over by another process; this one must end")
        .with("execution", execution)
}

/// What a database said of a statement of ours, in its own words; the driver's error is the source.
#[derive(Debug)]
pub(crate) struct Refused(sqlx::Error);

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            sqlx::Error::Database(e) => f.write_str(e.message()),
            other => other.fmt(f),
        }
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
