//! SQLite's texts.

use crate::{
    dialect::target::{Action, Target},
    identifier::quoted,
};

/// What `Debug` calls the statements.
pub(super) fn kind(action: &Action, in_blocks: bool) -> &'static str {
    match action {
        Action::Insert => "INSERT VALUES",
        Action::Ignore | Action::Upsert { .. } => "INSERT VALUES ON CONFLICT",
        Action::Update { .. } if in_blocks => "UPDATE VALUES",
        Action::Update { .. } => "UPDATE for each row",
        Action::Delete { .. } if in_blocks => "DELETE IN",
        Action::Delete { .. } => "DELETE for each row",
    }
}

/// `INSERT INTO table (columns) VALUES (?, ..), ..`, and what happens to a row whose key is taken.
pub(super) fn insert(target: &Target, rows: usize) -> String {
    let row = format!("({})", vec!["?"; target.columns.len()].join(", "));
    let rows = vec![row.as_str(); rows].join(", ");
    format!("INSERT INTO {} ({}) VALUES {rows}{}", name(&target.table), list(&target.columns), conflict(target))
}

fn conflict(target: &Target) -> String {
    let Action::Upsert { key } = &target.action else {
        let ignore = target.action == Action::Ignore;
        return if ignore { " ON CONFLICT DO NOTHING".to_owned() } else { String::new() };
    };
    let others = target.columns.iter().filter(|c| !key.contains(c));
    let set: Vec<_> = others.map(|c| format!("{0} = excluded.{0}", name(c))).collect();
    let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
    format!(" ON CONFLICT ({}) DO {action}", list(key))
}

/// The statement of one row, so many times. The values' numbers leave them in the order of the fields.
pub(super) fn each(target: &Target, rows: usize) -> String {
    let delete = matches!(target.action, Action::Delete { .. });
    let one = |row| if delete { delete_one(target, row) } else { update_one(target, row) };
    (0..rows).map(one).collect::<Vec<_>>().join("; ")
}

fn delete_one(target: &Target, row: usize) -> String {
    format!("DELETE FROM {} WHERE {}", name(&target.table), assign(target, &target.key_places(), row, " AND "))
}

fn update_one(target: &Target, row: usize) -> String {
    let set = assign(target, &target.other_places(), row, ", ");
    format!("UPDATE {} SET {set} WHERE {}", name(&target.table), assign(target, &target.key_places(), row, " AND "))
}

fn assign(target: &Target, places: &[usize], row: usize, between: &str) -> String {
    let number = |at: usize| row * target.columns.len() + at + 1;
    places.iter().map(|&at| format!("{} = ${}", name(&target.columns[at]), number(at))).collect::<Vec<_>>().join(between)
}

/// One statement for so many rows. The table's column comes first in each comparison, since its collation counts there; a column of
/// VALUES has no affinity of its own, like the placeholders that it is made of.
pub(super) fn block(target: &Target, rows: usize) -> String {
    let table = name(&target.table);
    if matches!(target.action, Action::Delete { .. }) {
        let marks = vec!["?"; rows].join(", ");
        return format!("DELETE FROM {table} AS _batch_row WHERE {} IN ({marks})", list(&target.columns));
    }
    let set = target.other_places().into_iter().map(|at| format!("{} = _batch_item.column{}", name(&target.columns[at]), at + 1));
    format!(
        "UPDATE {table} AS _batch_row SET {} FROM ({}) AS _batch_item WHERE {}",
        set.collect::<Vec<_>>().join(", "),
        items(target, rows),
        same(target)
    )
}

/// How many of so many items have no row.
pub(super) fn missing(target: &Target, rows: usize) -> String {
    format!(
        "SELECT count(*) FROM ({}) AS _batch_item WHERE NOT EXISTS (SELECT 1 FROM {} AS _batch_row WHERE {})",
        items(target, rows),
        name(&target.table),
        same(target)
    )
}

fn items(target: &Target, rows: usize) -> String {
    let row = format!("({})", vec!["?"; target.columns.len()].join(", "));
    format!("VALUES {}", vec![row.as_str(); rows].join(", "))
}

fn same(target: &Target) -> String {
    let key = target.key_places().into_iter();
    let same = key.map(|at| format!("_batch_row.{} = _batch_item.column{}", name(&target.columns[at]), at + 1));
    same.collect::<Vec<_>>().join(" AND ")
}

fn name(name: &str) -> String {
    quoted(name, '"')
}

fn list(names: &[String]) -> String {
    names.iter().map(|n| name(n)).collect::<Vec<_>>().join(", ")
}
