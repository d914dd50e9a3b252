//! What a dialect means to readers.

use crate::{identifier, sql::Flavor};

impl Flavor {
    /// A checked name, with a schema or without, quoted.
    pub(crate) fn quoted(self, path: &str) -> String {
        identifier::quoted(path, self.quote())
    }

    /// The placeholder of the value number `number`, from 1.
    pub(crate) fn placeholder(self, number: usize) -> String {
        if self.numbers_placeholders() { format!("${number}") } else { "?".to_owned() }
    }

    /// Whether an index is searched for `(a, b) > (?, ?)`; MySQL and MariaDB read the whole table instead.
    pub(crate) fn seeks_by_rows(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// How a transaction begins that reads, then writes what it read.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::MySql | Self::MariaDb => "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION",
        }
    }

    /// Locks the rows of a SELECT and leaves out those that others have locked. SQLite has one writer at a time, and no such clause.
    pub(crate) fn lock_rows(self) -> &'static str {
        if self == Self::Sqlite { "" } else { " FOR UPDATE SKIP LOCKED" }
    }
}
