//! PostgreSQL's texts. A chunk's rows come as one array a column, `$1`, `$2`, ..; behind `unnest` they are `_batch_item`, with their
//! values in `c0`, `c1`, .. and their place in the chunk in `n`.

use super::{rows::Form, table::Column};
use crate::{
    dialect::target::{Action, Target},
    identifier::quoted,
};

/// True for every row. Since the server cannot know that, it may not gather rows.
const ALWAYS: &str = " WHERE pg_catalog.pg_is_in_recovery() IS NOT NULL";

/// `COPY table (columns) FROM STDIN`
pub(super) fn copy(target: &Target, form: Form, one_by_one: bool) -> String {
    let format = if form == Form::Binary { " (FORMAT BINARY)" } else { "" };
    let filter = if one_by_one { ALWAYS } else { "" };
    format!("COPY {} ({}) FROM STDIN{format}{filter}", name(&target.table), list(&target.columns))
}

/// The statement for the rows of a chunk, however many. An update's and a delete's returns how many keys there were, how many rows
/// they met, and how many of the keys met any.
pub(super) fn unnest(target: &Target, columns: &[Column], form: Form) -> String {
    let text = Text { target, columns, form };
    match &target.action {
        Action::Insert => text.insert(),
        Action::Ignore => text.insert() + " ON CONFLICT DO NOTHING",
        Action::Upsert { .. } => text.upsert(),
        Action::Update { .. } => text.update(),
        Action::Delete { .. } => text.delete(),
    }
}

struct Text<'a> {
    target: &'a Target,
    columns: &'a [Column],
    form: Form,
}

impl Text<'_> {
    fn insert(&self) -> String {
        let Target { table, columns, .. } = self.target;
        format!("INSERT INTO {} ({}) SELECT {} FROM {}", name(table), list(columns), self.values().join(", "), self.items())
    }

    /// A row may be met once a statement, so of the items of one key only the last is kept; where a part of the key is NULL, no two
    /// are of one key. Sorted by key, rows are locked in one order whatever the items'.
    fn upsert(&self) -> String {
        let Target { table, columns, .. } = self.target;
        let (key, others) = (self.target.action.key(), self.target.other_places());
        let set: Vec<_> = others.iter().map(|at| format!("{0} = excluded.{0}", name(&columns[*at]))).collect();
        let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
        format!(
            "INSERT INTO {} ({}) SELECT {}{} FROM {}{} ON CONFLICT ({}) DO {action}",
            name(table),
            list(columns),
            self.distinct(),
            self.values().join(", "),
            self.items(),
            self.last_first(),
            list(key)
        )
    }

    fn update(&self) -> String {
        let table = name(&self.target.table);
        let set = self.target.other_places();
        let set: Vec<_> = set.into_iter().map(|at| format!("{} = _batch_item.c{at}", name(&self.target.columns[at]))).collect();
        let (items, set, same) = (self.last_items(), set.join(", "), self.same());
        let update = format!("UPDATE {table} AS _batch_row SET {set} FROM _batch_item WHERE {same} RETURNING _batch_item.n");
        counted(&items, &update)
    }

    fn delete(&self) -> String {
        let table = name(&self.target.table);
        let items = format!("SELECT {}, n FROM {}", self.named_values(), self.items());
        let delete = format!("DELETE FROM {table} AS _batch_row USING _batch_item WHERE {} RETURNING _batch_item.n", self.same());
        counted(&items, &delete)
    }

    fn last_items(&self) -> String {
        format!("SELECT {}{}, n FROM {}{}", self.distinct(), self.named_values(), self.items(), self.last_first())
    }

    /// `unnest($1, ..) WITH ORDINALITY AS _batch_item (c0, .., n)`
    fn items(&self) -> String {
        let arrays = self.columns.iter().enumerate().map(|(at, column)| match self.form {
            Form::Binary => format!("${}::{}", at + 1, column.array_name),
            Form::Text => format!("${}::text[]", at + 1),
        });
        let names: String = (0..self.columns.len()).map(|at| format!("c{at}, ")).collect();
        format!("unnest({}) WITH ORDINALITY AS _batch_item ({names}n)", arrays.collect::<Vec<_>>().join(", "))
    }

    /// A column's value, in its own type.
    fn value(&self, at: usize) -> String {
        match self.form {
            Form::Binary => format!("c{at}"),
            Form::Text => format!("c{at}::{}", self.columns[at].type_name),
        }
    }

    fn values(&self) -> Vec<String> {
        (0..self.columns.len()).map(|at| self.value(at)).collect()
    }

    fn named_values(&self) -> String {
        (0..self.columns.len()).map(|at| format!("{} AS c{at}", self.value(at))).collect::<Vec<_>>().join(", ")
    }

    /// What tells items apart.
    fn item_key(&self) -> String {
        let places = self.target.key_places();
        let null: Vec<_> = places.iter().filter(|at| !self.columns[**at].not_null).map(|at| format!("c{at} IS NULL")).collect();
        let mut parts: Vec<_> = places.iter().map(|at| self.value(*at)).collect();
        parts.extend((!null.is_empty()).then(|| format!("CASE WHEN {} THEN n END", null.join(" OR "))));
        parts.join(", ")
    }

    fn distinct(&self) -> String {
        format!("DISTINCT ON ({}) ", self.item_key())
    }

    fn last_first(&self) -> String {
        format!(" ORDER BY {}, n DESC", self.item_key())
    }

    fn same(&self) -> String {
        let places = self.target.key_places();
        let same: Vec<_> =
            places.iter().map(|at| format!("_batch_row.{} = _batch_item.c{at}", name(&self.target.columns[*at]))).collect();
        same.join(" AND ")
    }
}

fn counted(items: &str, change: &str) -> String {
    format!(
        "WITH _batch_item AS ({items}), _batch_met AS ({change}) \
         SELECT (SELECT count(*) FROM _batch_item), count(*), count(DISTINCT n) FROM _batch_met"
    )
}

fn name(name: &str) -> String {
    quoted(name, '"')
}

fn list(names: &[String]) -> String {
    names.iter().map(|n| name(n)).collect::<Vec<_>>().join(", ")
}
