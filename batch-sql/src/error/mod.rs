//! What a database's errors mean to the engine.

mod mysql;
mod postgres;
mod sqlite;

use batch_core::{BoxError, Error, ErrorKind, Transient, caused_by};
use sqlx::{mysql::MySqlDatabaseError, postgres::PgDatabaseError};

/// What can be done about an error of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Somebody else holds the lock, or the transaction was chosen to give way: the same again may succeed.
    Busy,
    /// The connection, or the server behind it, is gone: the same again may succeed on another one.
    Lost,
    /// The disk is full, or reading or writing it failed.
    Storage,
    /// Nothing may be written.
    ReadOnly,
    /// The database can't be opened at all: no such file, no such database, wrong password.
    CannotOpen,
    /// The file is damaged.
    Corrupt,
    /// The file is something else, or is encrypted.
    NotADatabase,
    /// A row violates a constraint, or a value does not fit its column.
    Constraint,
    /// The statement itself is wrong: a table or column that is not there, a right that is missing.
    Statement,
    /// The rest.
    Other,
}

impl Class {
    /// Whether the same work may succeed later. A full or failing disk counts: no item is at fault, so none may be skipped for it.
    fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::Lost | Self::Storage)
    }

    /// Whether no row can be at fault.
    fn is_fatal(self) -> bool {
        matches!(self, Self::ReadOnly | Self::CannotOpen | Self::Corrupt | Self::NotADatabase | Self::Statement)
    }
}

/// What an error of a driver means.
pub(crate) fn class(error: &sqlx::Error) -> Class {
    match error {
        sqlx::Error::Database(e) => match (e.try_downcast_ref::<PgDatabaseError>(), e.try_downcast_ref::<MySqlDatabaseError>()) {
            (Some(e), _) => postgres::class(e.code()),
            (_, Some(e)) => mysql::class(e.number()),
            _ => sqlite::class(e.as_ref()),
        },
        sqlx::Error::PoolTimedOut => Class::Busy,
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed => Class::Lost,
        _ => Class::Other,
    }
}

/// Whether the same work may succeed later, whoever wrapped the error.
pub(crate) fn is_transient(error: &BoxError) -> bool {
    caused_by::<sqlx::Error>(error, |e| class(e).is_transient())
        || caused_by::<Error>(error, Error::is_transient)
        || caused_by::<Transient>(error, |_| true)
}

/// Whether no row can be at fault: the database is read-only or damaged, the statement or the writer names what is not there.
pub(crate) fn is_fatal(error: &BoxError) -> bool {
    caused_by::<sqlx::Error>(error, |e| class(e).is_fatal()) || caused_by::<Error>(error, |e| e.kind() == ErrorKind::Configuration)
}

/// Whether the transaction was chosen to give way to another one.
pub(crate) fn is_deadlock(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(e) = error else { return false };
    match (e.try_downcast_ref::<PgDatabaseError>(), e.try_downcast_ref::<MySqlDatabaseError>()) {
        (Some(e), _) => matches!(e.code(), "40001" | "40P01"),
        (_, Some(e)) => matches!(e.number(), 1213 | 1020 | 1412),
        _ => false,
    }
}

/// Whether a table is not there.
pub(crate) fn is_no_table(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(e) = error else { return false };
    match (e.try_downcast_ref::<PgDatabaseError>(), e.try_downcast_ref::<MySqlDatabaseError>()) {
        (Some(e), _) => matches!(e.code(), "42P01" | "3F000"),
        (_, Some(e)) => e.number() == 1146,
        _ => e.message().starts_with("no such table"),
    }
}

/// Whether a pooler gave the session another connection of the server's than before: a statement kept by name is not there, or is there
/// already.
pub(crate) fn is_elsewhere(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(e) if matches!(e.code().as_deref(), Some("26000" | "42P05")))
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
    if matches!(class, Class::Busy | Class::Lost) { error.transient() } else { error }
}

/// The error of a chunk, with the database at `place` and what to do about it where the store is at fault and not a statement.
pub(crate) fn explain(error: BoxError, place: &Place) -> BoxError {
    if !error.is::<Error>() && caused_by::<sqlx::Error>(&error, is_elsewhere) {
        let message = "a statement that the connection keeps is not there, or another's is: between the job and the server is a pooler \
                       that lends connections for a transaction each; have it pool sessions, or connect without it";
        return place.of(Error::new(ErrorKind::Failed, message)).because(error).into();
    }
    const STORE: [Class; 5] = [Class::Storage, Class::ReadOnly, Class::CannotOpen, Class::Corrupt, Class::NotADatabase];
    let found = STORE.into_iter().find(|store| caused_by::<sqlx::Error>(&error, |e| class(e) == *store));
    match found {
        Some(class) if !error.is::<Error>() => {
            let message = format!("writing to the database failed{}", advice(class).1);
            place.of(Error::new(ErrorKind::Failed, message)).because(error).into()
        }
        _ => error,
    }
}

/// Where a database is, as messages say it; never with a password.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) key: &'static str,
    pub(crate) name: String,
}

impl Place {
    /// Adds the place to an error.
    pub(crate) fn of(&self, error: Error) -> Error {
        error.with(self.key, &self.name)
    }
}

/// The kind of a store's error, and what an operator can do about it.
fn advice(class: Class) -> (ErrorKind, &'static str) {
    match class {
        Class::Storage => (ErrorKind::Unavailable, ": free space on its disk, or repair the disk, then restart the job"),
        Class::ReadOnly => (ErrorKind::Unavailable, ": the database must be writable, its file and folder or its server"),
        Class::CannotOpen => {
            (ErrorKind::Unavailable, ": it cannot be opened; check the path or address, the name, the user and the permissions")
        }
        Class::Corrupt => {
            (ErrorKind::NeedsOperator, ": the file is damaged; restore a copy, or try `.recover` of the sqlite3 program")
        }
        Class::NotADatabase => {
            (ErrorKind::Configuration, ": the file is not an SQLite database, or is encrypted; name another file")
        }
        Class::Busy | Class::Lost | Class::Constraint | Class::Statement | Class::Other => (ErrorKind::Unavailable, ""),
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
