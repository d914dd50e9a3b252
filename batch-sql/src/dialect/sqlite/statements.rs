//! SQLite's texts.

use crate::{
    dialect::target::{Action, Target},
    identifier::quoted,
};

/// What `Debug` calls the statements.
pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Insert => "INSERT VALUES",
        Action::Ignore | Action::Upsert { .. } => "INSERT VALUES ON CONFLICT",
        Action::Update { .. } => "UPDATE for each row",
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

/// The statement of one row, so many times.
pub(super) fn each(target: &Target, rows: usize) -> String {
    let one = if matches!(target.action, Action::Delete { .. }) { delete(target) } else { update(target) };
    vec![one.as_str(); rows].join("; ")
}

/// Every column of the target is one of the key.
fn delete(target: &Target) -> String {
    let same: Vec<_> = target.columns.iter().map(|c| format!("{} = ?", name(c))).collect();
    format!("DELETE FROM {} WHERE {}", name(&target.table), same.join(" AND "))
}

/// The values come by way of a subquery, so that their order is that of the fields.
fn update(target: &Target) -> String {
    let key = target.action.key();
    let values: Vec<_> = target.columns.iter().map(|c| format!("? AS {}", name(c))).collect();
    let others = target.columns.iter().filter(|c| !key.contains(c));
    let set: Vec<_> = others.map(|c| format!("{0} = _batch_item.{0}", name(c))).collect();
    let same: Vec<_> = key.iter().map(|c| format!("_batch_row.{0} = _batch_item.{0}", name(c))).collect();
    format!(
        "UPDATE {} AS _batch_row SET {} FROM (SELECT {}) AS _batch_item WHERE {}",
        name(&target.table),
        set.join(", "),
        values.join(", "),
        same.join(" AND ")
    )
}

fn name(name: &str) -> String {
    quoted(name, '"')
}

fn list(names: &[String]) -> String {
    names.iter().map(|n| name(n)).collect::<Vec<_>>().join(", ")
}
