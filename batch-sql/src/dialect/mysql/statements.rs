//! MySQL's texts.

use crate::{
    dialect::target::{Action, Target},
    identifier::quoted,
};

/// `INSERT INTO table (columns) VALUES (?, ..), ..`, and what happens to a row whose key is taken. `guarded` refuses one that meets a
/// row by another key than the writer's.
pub(super) fn insert(target: &Target, guarded: bool, rows: usize) -> String {
    let row = format!("({})", vec!["?"; target.columns.len()].join(", "));
    let rows = vec![row.as_str(); rows].join(", ");
    let columns: Vec<_> = target.columns.iter().map(|c| name(c)).collect();
    let insert = format!("INSERT INTO {} ({}) VALUES {rows}", name(&target.table), columns.join(", "));
    let set = match &target.action {
        // IGNORE would also let pass what does not fit a column, cut to fit.
        Action::Ignore => columns.first().map(|column| format!("{column} = {column}")).into_iter().collect(),
        Action::Upsert { key } => updates(target, key, guarded),
        _ => return insert,
    };
    format!("{insert} ON DUPLICATE KEY UPDATE {}", set.join(", "))
}

fn updates(target: &Target, key: &[String], guarded: bool) -> Vec<String> {
    let first = key.first().map(|c| name(c)).unwrap_or_default();
    let same: Vec<_> = key.iter().map(|c| format!("{0} <=> VALUES({0})", name(c))).collect();
    let guard = format!("{first} = IF({}, {first}, {OTHER_KEY})", same.join(" AND "));
    let set = target.other_places().into_iter().map(|at| name(&target.columns[at])).map(|c| format!("{c} = VALUES({c})"));
    let mut set: Vec<_> = guarded.then_some(guard).into_iter().chain(set).collect();
    if set.is_empty() {
        set.push(format!("{first} = {first}"));
    }
    set
}

/// An error when it is evaluated, of number [`IS_OTHER_KEY`].
const OTHER_KEY: &str = "(SELECT 1 UNION SELECT 2)";
pub(super) const IS_OTHER_KEY: u16 = 1242;

/// Updates or deletes the rows of so many keys.
///
/// The constants stand where they would in a statement for one row, so they are compared and stored by the same rules: a derived table
/// of them would have types and collations of its own, and the index be of no use.
pub(super) fn by_key(target: &Target, rows: usize) -> String {
    let key: Vec<_> = target.action.key().iter().map(|c| name(c)).collect();
    let table = name(&target.table);
    if matches!(target.action, Action::Delete { .. }) {
        return format!("DELETE FROM {table} WHERE {}", any(&key, rows));
    }
    let set =
        target.other_places().into_iter().map(|at| name(&target.columns[at])).map(|c| format!("{c} = {}", case(&key, &c, rows)));
    format!("UPDATE {table} SET {} WHERE {}", set.collect::<Vec<_>>().join(", "), any(&key, rows))
}

/// The value of `column` for each key: the key's placeholders, then the value's, row by row.
fn case(key: &[String], column: &str, rows: usize) -> String {
    let (of, when) = match key {
        [one] => (format!(" {one}"), "?".to_owned()),
        _ => (String::new(), same(key)),
    };
    let when = format!("WHEN {when} THEN ?");
    format!("CASE{of} {} ELSE {column} END", vec![when.as_str(); rows].join(" "))
}

/// Whether the row has one of the keys: their placeholders row by row.
fn any(key: &[String], rows: usize) -> String {
    match key {
        [one] => format!("{one} IN ({})", vec!["?"; rows].join(", ")),
        _ => vec![format!("({})", same(key)); rows].join(" OR "),
    }
}

fn same(key: &[String]) -> String {
    key.iter().map(|c| format!("{c} = ?")).collect::<Vec<_>>().join(" AND ")
}

fn name(name: &str) -> String {
    quoted(name, '`')
}
