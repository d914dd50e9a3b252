//! What is read from: a table or a query, and which columns of it.

use super::{bound::Bound, fault, order::KeyColumn, source::Source, statement::Statement};
use crate::{identifier, sql::Flavor};
use batch_core::Result;

/// A table or a query, with the columns and rows wanted of it.
#[derive(Debug, Clone)]
pub(super) struct Relation<D: Source> {
    pub(super) from: From,
    columns: Vec<String>,
    pub(super) filter: Option<String>,
    pub(super) bound: Bound<D>,
}

/// Where rows come from.
#[derive(Debug, Clone)]
pub(super) enum From {
    /// A table or view, with a schema or without.
    Table(String),
    /// A query of the user's.
    Query(String),
}

impl<D: Source> Relation<D> {
    pub(super) fn new(source: &D, from: From) -> Self {
        Self { from, columns: Vec::new(), filter: None, bound: Bound::new(source) }
    }

    pub(super) fn set_columns<I: IntoIterator<Item: AsRef<str>>>(&mut self, columns: I) {
        self.columns = columns.into_iter().map(|column| column.as_ref().to_owned()).collect();
    }

    /// Refuses names that are none, and values that do not fit the SQL.
    pub(super) fn check(&mut self, source: &D) -> Result<()> {
        for column in &self.columns {
            identifier::check("column", column)?;
        }
        let own = match &self.from {
            From::Table(path) => {
                identifier::check_table(path)?;
                self.filter.as_deref().unwrap_or_default()
            }
            From::Query(_) if self.filter.is_some() => {
                return Err(fault::mistake(".filter(..) is for tables: put the condition into the query"));
            }
            From::Query(sql) => sql,
        };
        self.bound.check(source, own)
    }

    /// Its name for errors.
    pub(super) fn name(&self) -> String {
        match &self.from {
            From::Table(path) => format!("table `{path}`"),
            From::Query(_) => "the query".to_owned(),
        }
    }

    /// What stands before a column of it, quoted, and the dot.
    pub(super) fn column(&self, flavor: Flavor, name: &str) -> String {
        match &self.from {
            From::Table(path) => format!("{}.{}", flavor.quoted(path), flavor.quoted(name)),
            From::Query(_) => format!("{}.{}", flavor.quoted("batch_query"), flavor.quoted(name)),
        }
    }

    /// `SELECT columns, key FROM source WHERE filter`, with room for more conditions behind.
    pub(super) fn select(&self, source: &D, key: &[KeyColumn]) -> Statement<D> {
        let mut statement = Statement::with(source, &self.bound);
        statement.push("SELECT ").push(&self.wanted(source.flavor()));
        for (number, column) in key.iter().enumerate() {
            let value = carried(source.flavor(), &self.column(source.flavor(), &column.name));
            statement.push(&format!(", {value} AS batch_key_{number}"));
        }
        statement.push(" FROM ");
        self.push_source(&mut statement, source.flavor());
        self.push_filter(&mut statement);
        statement
    }

    fn wanted(&self, flavor: Flavor) -> String {
        if !self.columns.is_empty() {
            return self.columns.iter().map(|name| self.column(flavor, name)).collect::<Vec<_>>().join(", ");
        }
        match &self.from {
            From::Table(path) => format!("{}.*", flavor.quoted(path)),
            From::Query(_) => format!("{}.*", flavor.quoted("batch_query")),
        }
    }

    pub(super) fn push_source(&self, statement: &mut Statement<D>, flavor: Flavor) {
        match &self.from {
            From::Table(path) => statement.push(&flavor.quoted(path)),
            From::Query(sql) => statement.push("(\n").push_own(sql).push(") AS ").push(&flavor.quoted("batch_query")),
        };
    }

    /// `WHERE` and a condition that more may follow.
    pub(super) fn push_filter(&self, statement: &mut Statement<D>) {
        match &self.filter {
            Some(filter) => statement.push(" WHERE (\n").push_own(filter).push(")"),
            None => statement.push(" WHERE 1 = 1"),
        };
    }
}

/// A key column as it travels: PostgreSQL's as text.
fn carried(flavor: Flavor, column: &str) -> String {
    if flavor == Flavor::Postgres { format!("{column}::text") } else { column.to_owned() }
}
