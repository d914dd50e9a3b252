//! The condition that leaves out everything up to a key.

use crate::reader::{source::Source, statement::Statement, value::KeyValue};
use batch_core::Result;

/// A column of the key as it is compared.
pub(super) struct Compared<'a> {
    /// Quoted.
    pub(super) column: String,
    pub(super) descending: bool,
    /// The type that a text in its place is to be taken as.
    pub(super) own: Option<&'a str>,
}

impl Compared<'_> {
    fn behind(&self) -> &'static str {
        if self.descending { "<" } else { ">" }
    }
}

/// Adds "comes behind `after`".
///
/// Where all columns go one way, rows are compared as a whole, which an index is searched for. Else column by column, with a bound on
/// the first in front: no database searches an index for the OR alone.
pub(super) fn push<D: Source>(statement: &mut Statement<D>, key: &[Compared<'_>], after: &[KeyValue]) -> Result<()> {
    let [first, .., last] = key else {
        return key.iter().zip(after).try_for_each(|(column, value)| compare(statement, column, column.behind(), value));
    };
    if first.descending == last.descending
        && key.iter().all(|c| c.descending == first.descending)
        && statement.flavor().seeks_by_rows()
    {
        return push_rows(statement, key, after);
    }
    let Some(value) = after.first() else { return Ok(()) };
    compare(statement, first, if first.descending { "<=" } else { ">=" }, value)?;
    statement.push(" AND ");
    push_columns(statement, key, after)
}

fn push_rows<D: Source>(statement: &mut Statement<D>, key: &[Compared<'_>], after: &[KeyValue]) -> Result<()> {
    let columns: Vec<_> = key.iter().map(|c| c.column.as_str()).collect();
    statement.push(&format!("({}) {} (", columns.join(", "), key[0].behind()));
    for (number, (column, value)) in key.iter().zip(after).enumerate() {
        statement.push(if number == 0 { "" } else { ", " }).push_key(value, column.own)?;
    }
    statement.push(")");
    Ok(())
}

/// `(a > ? OR (a = ? AND (b < ? OR ..)))`
fn push_columns<D: Source>(statement: &mut Statement<D>, key: &[Compared<'_>], after: &[KeyValue]) -> Result<()> {
    let (Some((column, key)), Some((value, after))) = (key.split_first(), after.split_first()) else { return Ok(()) };
    if key.is_empty() {
        return compare(statement, column, column.behind(), value);
    }
    statement.push("(");
    compare(statement, column, column.behind(), value)?;
    statement.push(" OR (");
    compare(statement, column, "=", value)?;
    statement.push(" AND ");
    push_columns(statement, key, after)?;
    statement.push("))");
    Ok(())
}

fn compare<D: Source>(statement: &mut Statement<D>, column: &Compared<'_>, how: &str, value: &KeyValue) -> Result<()> {
    statement.push(&format!("{} {how} ", column.column)).push_key(value, column.own)?;
    Ok(())
}
