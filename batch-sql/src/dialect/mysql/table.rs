//! What MySQL's and MariaDB's catalog says of a table, and what the session makes of values.

use crate::{
    dialect::target::{Action, Target, mistake},
    error::Refused,
};
use batch_core::{Error, Result};
use sqlx::{FromRow, MySqlConnection};

/// A table, as far as it matters for writing to it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    unique: Vec<Unique>,
    pub(super) facts: Facts,
}

/// A table's column.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Column {
    pub(super) name: String,
    /// Such as `varchar`.
    pub(super) type_name: String,
}

/// A part of a unique index.
#[derive(Debug, Clone, FromRow)]
struct Part {
    index_name: String,
    /// None for an expression.
    column_name: Option<String>,
    /// It is a prefix of the column.
    is_prefix: bool,
}

/// A unique index.
#[derive(Debug, Clone)]
struct Unique {
    columns: Vec<Option<String>>,
    has_prefix: bool,
}

/// What holds for the whole table, and for the session.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Facts {
    table_type: String,
    engine: Option<String>,
    is_transactional: bool,
    sql_mode: String,
    time_zone: String,
    /// Bytes of a statement with its values at most.
    pub(super) max_packet: u64,
}

const FACTS: &str = "SELECT CAST(t.table_type AS CHAR) AS table_type, CAST(t.engine AS CHAR) AS engine,
    COALESCE(e.transactions = 'YES' AND e.savepoints = 'YES', FALSE) AS is_transactional, CAST(@@sql_mode AS CHAR) AS sql_mode,
    CAST(@@session.time_zone AS CHAR) AS time_zone, CAST(@@max_allowed_packet AS UNSIGNED) AS max_packet
FROM information_schema.tables t LEFT JOIN information_schema.engines e ON e.engine = t.engine
WHERE t.table_schema = COALESCE(?, DATABASE()) AND t.table_name = ?";

const COLUMNS: &str = "SELECT CAST(column_name AS CHAR) AS name, CAST(data_type AS CHAR) AS type_name
FROM information_schema.columns WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY ordinal_position";

const UNIQUE: &str = "SELECT CAST(index_name AS CHAR) AS index_name, CAST(column_name AS CHAR) AS column_name,
    sub_part IS NOT NULL AS is_prefix
FROM information_schema.statistics
WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND non_unique = 0 ORDER BY index_name, seq_in_index";

impl Table {
    /// Asks the catalog, on the connection that writes.
    ///
    /// # Errors
    /// The table is not there or cannot roll back, or the session would change values instead of refusing them.
    pub(super) async fn load(conn: &mut MySqlConnection, target: &Target) -> Result<Self> {
        let (schema, name) = match target.table.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, target.table.as_str()),
        };
        let facts: Option<Facts> =
            sqlx::query_as(FACTS).bind(schema).bind(name).fetch_optional(&mut *conn).await.map_err(Refused::from)?;
        let Some(facts) = facts else {
            return Ok(mistake(format!(
                "there is no table `{}` in the database, or not for this user; a temporary one cannot be written to",
                target.table
            ))?);
        };
        facts.check(target)?;
        let columns = sqlx::query_as(COLUMNS).bind(schema).bind(name).fetch_all(&mut *conn).await.map_err(Refused::from)?;
        let parts: Vec<Part> = sqlx::query_as(UNIQUE).bind(schema).bind(name).fetch_all(conn).await.map_err(Refused::from)?;
        Ok(Self { columns, unique: Unique::of(&parts), facts })
    }

    /// Whether no two rows can have one key of these columns.
    pub(super) fn is_unique(&self, key: &[String]) -> bool {
        self.unique.iter().any(|unique| unique.columns.iter().all(|column| has(key, column.as_deref())))
    }

    /// Whether a new row may meet one by another key than this.
    pub(super) fn has_other_keys(&self, key: &[String]) -> bool {
        self.unique.iter().any(|unique| !unique.is(key))
    }

    /// An upsert by columns that are no key would insert again and again.
    pub(super) fn check_key(&self, target: &Target) -> Result<(), Error> {
        let Action::Upsert { key } = &target.action else { return Ok(()) };
        if self.unique.iter().any(|unique| unique.is(key)) {
            return Ok(());
        }
        let columns = key.join(", ");
        mistake(format!("table `{}` has no primary key or unique index of just these columns: {columns}; make one", target.table))
    }
}

impl Unique {
    fn of(parts: &[Part]) -> Vec<Self> {
        let indexes = parts.chunk_by(|a, b| a.index_name == b.index_name);
        let unique = |parts: &[Part]| Self {
            columns: parts.iter().map(|part| part.column_name.clone()).collect(),
            has_prefix: parts.iter().any(|part| part.is_prefix),
        };
        indexes.map(unique).collect()
    }

    fn is(&self, key: &[String]) -> bool {
        !self.has_prefix && self.columns.len() == key.len() && self.columns.iter().all(|column| has(key, column.as_deref()))
    }
}

/// Names of columns have no case here.
fn has(key: &[String], column: Option<&str>) -> bool {
    column.is_some_and(|column| key.iter().any(|key| key.eq_ignore_ascii_case(column)))
}

impl Facts {
    fn check(&self, target: &Target) -> Result<(), Error> {
        let table = &target.table;
        if self.table_type != "BASE TABLE" {
            return mistake(format!(
                "`{table}` is a {}, behind which a table may be that cannot roll back: write to the table",
                self.table_type
            ));
        }
        if !self.is_transactional {
            let engine = self.engine.as_deref().unwrap_or("none");
            return mistake(format!(
                "table `{table}` has the engine {engine}, which cannot roll back, so a failed chunk would leave rows behind: \
                 ALTER TABLE {table} ENGINE = InnoDB"
            ));
        }
        if !self.sql_mode.contains("STRICT_TRANS_TABLES") && !self.sql_mode.contains("STRICT_ALL_TABLES") {
            return mistake(
                "the session's sql_mode is not strict, so the server would change values that do not fit instead of refusing them: \
                 add STRICT_TRANS_TABLES to it"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Whether a `timestamp` column takes times as they are in UTC.
    pub(super) fn is_utc(&self) -> bool {
        matches!(self.time_zone.as_str(), "+00:00" | "UTC")
    }
}
