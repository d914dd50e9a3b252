//! Names of tables and columns: checked, then quoted.

use batch_core::{Error, ErrorKind};

/// Checks a name against `[A-Za-z_][A-Za-z0-9_]{0,62}`, which needs no escaping in any database.
///
/// # Errors
/// Anything else; kind `Configuration`.
pub(crate) fn check(what: &str, name: &str) -> Result<(), Error> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if first && name.len() <= 63 && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    let message = format!("{shown:?} cannot name a {what}: a letter or _ comes first, then letters, digits and _, 63 in all");
    Err(Error::new(ErrorKind::Configuration, message))
}

/// Checks the name of a table: `table` or `schema.table`.
///
/// # Errors
/// Names that [`check`] refuses, and more than two; kind `Configuration`.
pub(crate) fn check_table(path: &str) -> Result<(), Error> {
    if path.split('.').count() > 2 {
        let shown: String = path.chars().take(80).collect();
        let message = format!("{shown:?} cannot name a table: write `table` or `schema.table`");
        return Err(Error::new(ErrorKind::Configuration, message));
    }
    path.split('.').try_for_each(|name| check("table", name))
}

/// A checked name between `quote`s, each part of it if it has two.
pub(crate) fn quoted(path: &str, quote: char) -> String {
    path.split('.').map(|name| format!("{quote}{name}{quote}")).collect::<Vec<_>>().join(".")
}
