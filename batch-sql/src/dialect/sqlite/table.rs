//! What SQLite's catalog says of a table, and whether several of its rows may be changed in one statement.

use crate::{
    dialect::target::{Action, Target},
    error::{Refused, says},
    identifier,
};
use batch_core::Result;
use sqlx::{AssertSqlSafe, FromRow, SqliteConnection};

/// A column of a table or view.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Column {
    pub(super) name: String,
    in_primary_key: bool,
    is_generated: bool,
}

/// The columns of a table or view; none where it is not there.
pub(super) async fn columns(conn: &mut SqliteConnection, target: &Target) -> Result<Vec<Column>> {
    let (schema, table) = path(target);
    let sql = "SELECT name, pk > 0 AS in_primary_key, hidden IN (2, 3) AS is_generated FROM pragma_table_xinfo(?, ?)";
    let query = sqlx::query_as(sql).bind(table.to_owned()).bind(schema.map(str::to_owned));
    match query.fetch_all(conn).await {
        Err(error) if says(&error, "unknown database") => Ok(Vec::new()),
        columns => Ok(columns.map_err(Refused::from)?),
    }
}

fn path(target: &Target) -> (Option<&str>, &str) {
    match target.table.split_once('.') {
        Some((schema, table)) => (Some(schema), table),
        None => (None, &target.table),
    }
}

/// A table's unique keys, and what else its rows have to do with one another.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    unique: Vec<Unique>,
    /// A column may be compared by another collation than that of its index, for which two of the index's values are one.
    has_collations: bool,
    has_triggers: bool,
    /// What a row's deletion means to others, of this table too, depends on which of them are still there.
    is_referenced: bool,
}

/// Values that no two rows have in common.
#[derive(Debug, Clone)]
struct Unique {
    /// `None` for an expression.
    columns: Vec<Option<String>>,
    /// Only of the rows that an expression picks.
    is_partial: bool,
    /// An alias of the rowid: an integer, whatever the table's collations.
    is_rowid: bool,
}

#[derive(FromRow)]
struct Part {
    index: String,
    is_primary: bool,
    is_partial: bool,
    column: Option<String>,
}

const PARTS: &str = r#"SELECT i.name AS "index", i.origin = 'pk' AS is_primary, i.partial AS is_partial, x.name AS "column"
    FROM pragma_index_list(?1, ?2) AS i, pragma_index_xinfo(i.name, ?2) AS x
    WHERE i."unique" AND x.key ORDER BY i.seq, x.seqno"#;

/// Triggers of a temporary schema may stand on tables of any.
fn facts(schema: &str) -> String {
    format!(
        r#"SELECT
        EXISTS (SELECT 1 FROM "{schema}".sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE
            AND instr(lower(sql), 'collate')),
        EXISTS (SELECT 1 FROM "{schema}".sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE)
            OR EXISTS (SELECT 1 FROM temp.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE),
        EXISTS (SELECT 1 FROM "{schema}".sqlite_schema AS t, pragma_foreign_key_list(t.name, ?2) AS f
            WHERE t.type = 'table' AND f."table" = ?1 COLLATE NOCASE)"#
    )
}

impl Keys {
    /// `None` for a view or virtual table, and where other schemas have a table of the name, too.
    pub(super) async fn load(conn: &mut SqliteConnection, target: &Target, columns: &[Column]) -> Result<Option<Self>> {
        let (schema, table) = path(target);
        let places = "SELECT schema, type FROM pragma_table_list(?1) WHERE ?2 IS NULL OR schema = ?2 COLLATE NOCASE";
        let places = sqlx::query_as::<_, (String, String)>(places).bind(table.to_owned()).bind(schema.map(str::to_owned));
        let places = places.fetch_all(&mut *conn).await.map_err(Refused::from)?;
        let [(schema, kind)] = &places[..] else { return Ok(None) };
        if kind != "table" || identifier::check("schema", schema).is_err() {
            return Ok(None);
        }
        let parts = sqlx::query_as(PARTS).bind(table.to_owned()).bind(schema.clone());
        let parts = parts.fetch_all(&mut *conn).await.map_err(Refused::from)?;
        let facts = sqlx::query_as(AssertSqlSafe(facts(schema))).bind(table.to_owned()).bind(schema.clone());
        let (has_collations, has_triggers, is_referenced) = facts.fetch_one(conn).await.map_err(Refused::from)?;
        Ok(Some(Self { unique: unique(&parts, columns), has_collations, has_triggers, is_referenced }))
    }

    /// Whether one statement for several items does what one for each would, in whatever order it meets the rows.
    pub(super) fn take_blocks(&self, target: &Target, columns: &[Column]) -> bool {
        let key = target.action.key();
        let in_key = |name: &str| key.iter().any(|k| k.eq_ignore_ascii_case(name));
        let is_generated = |name: &str| columns.iter().any(|c| c.is_generated && c.name.eq_ignore_ascii_case(name));
        let is_unique = self.unique.iter().any(|unique| self.tells_apart(unique, in_key));
        let is_independent = match target.action {
            // Row values are compared with a list column by column, which may be each with each.
            Action::Delete { .. } => !self.is_referenced && key.len() == 1,
            _ => {
                let set: Vec<_> = target.other_places().into_iter().map(|at| target.columns[at].as_str()).collect();
                let is_set = |name: &str| set.iter().any(|s| s.eq_ignore_ascii_case(name));
                !set.iter().any(|name| in_key(name)) && self.unique.iter().all(|u| u.is_untouched(is_set, is_generated))
            }
        };
        is_unique && is_independent && !self.has_triggers && !key.iter().any(|k| is_generated(k))
    }

    /// Whether an item with values for these columns meets one row at most.
    fn tells_apart(&self, unique: &Unique, in_key: impl Fn(&str) -> bool) -> bool {
        let is_held = unique.columns.iter().all(|column| column.as_deref().is_some_and(&in_key));
        is_held && !unique.is_partial && (unique.is_rowid || !self.has_collations)
    }
}

impl Unique {
    /// Whether no update can move a row's values into or out of the way of another one's.
    fn is_untouched(&self, is_set: impl Fn(&str) -> bool, is_generated: impl Fn(&str) -> bool) -> bool {
        let is_fixed = |column: &Option<String>| column.as_deref().is_some_and(|name| !is_set(name) && !is_generated(name));
        !self.is_partial && self.columns.iter().all(is_fixed)
    }
}

/// A primary key that has no index is the rowid by another name.
fn unique(parts: &[Part], columns: &[Column]) -> Vec<Unique> {
    let mut unique: Vec<Unique> = Vec::new();
    if !parts.iter().any(|part| part.is_primary) {
        let rowid: Vec<_> = columns.iter().filter(|c| c.in_primary_key).map(|c| Some(c.name.clone())).collect();
        unique.extend((rowid.len() == 1).then_some(Unique { columns: rowid, is_partial: false, is_rowid: true }));
    }
    for index in parts.chunk_by(|a, b| a.index == b.index) {
        let columns = index.iter().map(|part| part.column.clone()).collect();
        unique.push(Unique { columns, is_partial: index.iter().any(|part| part.is_partial), is_rowid: false });
    }
    unique
}
