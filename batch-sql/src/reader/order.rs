//! The columns by which a reader goes.

use super::{fault, value::KeyValue};
use crate::identifier;
use batch_core::Result;

/// A column of a key and its direction: a name, [`asc`] or [`desc`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    pub(super) name: String,
    pub(super) descending: bool,
}

/// From small to large. What a bare name means, too.
pub fn asc(column: &str) -> KeyColumn {
    KeyColumn { name: column.to_owned(), descending: false }
}

/// From large to small.
pub fn desc(column: &str) -> KeyColumn {
    KeyColumn { name: column.to_owned(), descending: true }
}

impl From<&str> for KeyColumn {
    fn from(column: &str) -> Self {
        asc(column)
    }
}

impl From<String> for KeyColumn {
    fn from(name: String) -> Self {
        Self { name, descending: false }
    }
}

impl std::fmt::Display for KeyColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.name, if self.descending { " desc" } else { "" })
    }
}

/// Refuses no columns, names that are none, and a column named twice.
pub(super) fn check(key: &[KeyColumn]) -> Result<()> {
    if key.is_empty() {
        return Err(fault::mistake("the reader has no key: name the columns that tell its rows apart by .key([..])"));
    }
    for (at, column) in key.iter().enumerate() {
        identifier::check("key column", &column.name)?;
        if key[..at].iter().any(|other| other.name.eq_ignore_ascii_case(&column.name)) {
            return Err(fault::mistake(format!("column `{}` is twice in the key", column.name)));
        }
    }
    Ok(())
}

/// The columns in words: `created desc, id`.
pub(super) fn words(key: &[KeyColumn]) -> String {
    key.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A row by its key, in words: `created 2026-01-31, id 7`.
pub(super) fn place(order: &str, key: &[KeyValue]) -> String {
    let column = |words: &str| words.split(' ').next().unwrap_or_default().to_owned();
    order.split(", ").zip(key).map(|(words, value)| format!("{} {value}", column(words))).collect::<Vec<_>>().join(", ")
}
