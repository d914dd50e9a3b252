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
    /// Rows in one text at most.
    const MOST: usize = usize::MAX;

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
    /// Whether rows of these columns were written; until then each call learns them anew, since the first item may be a bad one.
    proven: bool,
    /// Statements by their number of rows: powers of two, and first the one of `usual` rows.
    texts: Vec<(usize, Arc<str>)>,
    /// The number of items of the last call: where it comes again, it gets a statement of its own.
    usual: usize,
}

impl Shapes {
    pub(super) fn new(table: &str) -> Self {
        Self { table: table.to_owned(), columns: Vec::new(), proven: false, texts: Vec::new(), usual: 0 }
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
        if self.proven {
            return Ok(());
        }
        let columns = row::columns(item)?;
        columns.iter().try_for_each(|c| identifier::check("column", c))?;
        statement.check(&columns)?;
        if columns != self.columns {
            self.texts.clear();
        }
        self.columns = columns;
        Ok(())
    }

    /// Keeps the columns for good, after rows of them were written.
    pub(super) fn keep(&mut self) {
        self.proven = true;
    }

    /// The items in blocks that the statements fit: all at once where as many came the last time, else powers of two.
    pub(super) fn blocks<'i, T, S: Statement>(
        &mut self,
        dialect: &Dialect,
        _: &S,
        items: &'i [T],
    ) -> impl Iterator<Item = &'i [T]> + use<'i, T, S> {
        let again = items.len() == self.usual && items.len() <= dialect.most(self.columns.len()).min(S::MOST);
        if items.len() != self.usual {
            self.texts.retain(|(rows, _)| rows.is_power_of_two());
            self.usual = items.len();
        }
        let most = dialect.block(self.columns.len()).min(S::MOST);
        let mut rest = items;
        std::iter::from_fn(move || {
            let rows = if again { rest.len() } else { 1 << rest.len().min(most).checked_ilog2()? };
            let (block, after) = rest.split_at(rows);
            rest = after;
            (rows > 0).then_some(block)
        })
    }

    /// The statement for a block.
    pub(super) fn text(&mut self, dialect: &Dialect, statement: &impl Statement, rows: usize) -> Arc<str> {
        if let Some((_, text)) = self.texts.iter().find(|(r, _)| *r == rows) {
            return text.clone();
        }
        let text: Arc<str> = statement.text(dialect, &dialect.quoted(&self.table), &self.columns, rows).into();
        self.texts.push((rows, text.clone()));
        text
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
