//! SQLite's result codes; the lowest byte is the code, the rest says more.

use super::Class;
use sqlx::error::DatabaseError;

/// SQLite has one code for a statement that is wrong and for a function that refuses a value.
const STATEMENT: [&str; 4] = ["no such table", "no such column", "has no column named", "syntax error"];

pub(super) fn class(error: &dyn DatabaseError) -> Class {
    match error.code().and_then(|c| c.parse::<i32>().ok()).unwrap_or(1) & 0xff {
        5 | 6 | 15 => Class::Busy,
        10 | 13 => Class::Storage,
        3 | 8 => Class::ReadOnly,
        14 => Class::CannotOpen,
        11 => Class::Corrupt,
        26 => Class::NotADatabase,
        19 => Class::Constraint,
        _ if STATEMENT.iter().any(|words| error.message().contains(words)) => Class::Statement,
        _ => Class::Other,
    }
}
