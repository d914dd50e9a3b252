//! Statements for blocks of 2^k rows: few different texts, so that each stays prepared on its connection.

use super::row::{self, RowError};
use crate::{
    dialect::{Dialect, Driver, Values},
    identifier,
};
use batch_core::{BoxError, Result};
use serde::Serialize;
use std::sync::Arc;

/// How a writer's statements are made from its table and columns.
pub(super) trait Statement: Send {
    /// The statement for a block of so many rows.
    fn text(&self, dialect: &Dialect, table: &str, columns: &[String], rows: usize) -> String;

    /// What must be true of the columns.
    fn check(&self, columns: &[String]) -> Result<(), RowError>;
}

/// The columns of a writer's table and the statements made so far.
#[derive(Debug, Clone)]
pub(super) struct Shapes {
    table: String,
    columns: Vec<String>,
    /// By the logarithm of the number of rows.
    texts: Vec<Option<Arc<str>>>,
}

impl Shapes {
    pub(super) fn new(table: &str) -> Self {
        Self { table: table.to_owned(), columns: Vec::new(), texts: Vec::new() }
    }

    /// Checks the names that the writer was given.
    pub(super) fn check<'a>(&self, keys: impl IntoIterator<Item = &'a String>) -> Result<()> {
        identifier::check("table", &self.table)?;
        for key in keys {
            identifier::check("column", key)?;
        }
        Ok(())
    }

    /// Learns the columns from the first item that is written.
    pub(super) fn learn<T: Serialize>(&mut self, item: &T, statement: &impl Statement) -> Result<()> {
        if self.columns.is_empty() {
            let columns = row::columns(item)?;
            columns.iter().try_for_each(|c| identifier::check("column", c))?;
            statement.check(&columns)?;
            self.columns = columns;
        }
        Ok(())
    }

    /// The items in blocks that the statements fit.
    pub(super) fn blocks<'i, T>(&self, dialect: &Dialect, items: &'i [T]) -> impl Iterator<Item = &'i [T]> + use<'i, T> {
        let most = dialect.block(self.columns.len());
        let mut rest = items;
        std::iter::from_fn(move || {
            let rows = 1 << rest.len().min(most).checked_ilog2()?;
            let (block, after) = rest.split_at(rows);
            rest = after;
            Some(block)
        })
    }

    /// The statement for a block.
    pub(super) fn text(&mut self, dialect: &Dialect, statement: &impl Statement, rows: usize) -> Arc<str> {
        let at = rows.max(1).ilog2() as usize;
        if self.texts.len() <= at {
            self.texts.resize(at + 1, None);
        }
        let (table, columns) = (&self.table, &self.columns);
        self.texts[at].get_or_insert_with(|| statement.text(dialect, &dialect.quoted(table), columns, rows).into()).clone()
    }

    /// The values of a block.
    pub(super) fn values<C: Driver, T: Serialize>(&self, conn: &C, block: &[T]) -> Result<C::Values> {
        let mut values = conn.values(block.len() * self.columns.len());
        self.bind(block, &mut values).map(|()| values)
    }

    fn bind<T: Serialize>(&self, block: &[T], values: &mut impl Values) -> Result<()> {
        block.iter().try_for_each(|item| row::bind(item, &self.columns, values)).map_err(BoxError::from)
    }
}

/// Names, quoted and separated by commas.
pub(super) fn list<'a>(dialect: &Dialect, names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|n| dialect.quoted(n)).collect::<Vec<_>>().join(", ")
}

/// `INSERT INTO table (columns) VALUES (?, ..), ..`
pub(super) fn insert(dialect: &Dialect, table: &str, columns: &[String], rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    format!("INSERT INTO {table} ({}) VALUES {}", list(dialect, columns), vec![row.as_str(); rows].join(", "))
}
