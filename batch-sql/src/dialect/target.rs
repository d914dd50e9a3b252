//! The table of a writer, its columns, and what is done with each row.

use crate::{
    identifier,
    row::{self, Others, RowError, Values},
};
use batch_core::{Error, ErrorKind, Result};
use serde::Serialize;

/// What is written, before it is known to which database.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// `table` or `schema.table`, as the user named it.
    pub(super) table: String,
    pub(super) action: Action,
    /// The columns that an item has values for, in the order of its fields.
    pub(super) columns: Vec<String>,
    /// Whether rows of these columns were written; until then each call learns them anew, since the first item may be a bad one.
    proven: bool,
}

/// What is done with each item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// A new row.
    Insert,
    /// A new row, unless a unique key is taken.
    Ignore,
    /// A new row, or new values for the row of the key.
    Upsert { key: Vec<String> },
    /// New values for the row of the key.
    Update { key: Vec<String>, misses: Misses },
    /// No row of the key any more.
    Delete { key: Vec<String>, misses: Misses },
}

/// What an item means whose key is not in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misses {
    /// An error.
    Refused,
    /// Nothing.
    Allowed,
}

impl Misses {
    /// Whether the rows that one item met are as many as they may be.
    pub(super) fn judge(self, rows: u64) -> Result<(), RowError> {
        match rows {
            1 => Ok(()),
            0 if self == Self::Allowed => Ok(()),
            0 => Err(RowError::new("no row has the item's key; .allow_misses() lets such items pass")),
            rows => Err(RowError::new(format!("{rows} rows have the item's key; it must be unique"))),
        }
    }

    /// Whether so many items met exactly one row each: `rows` were met, by `met` of the items.
    pub(super) fn judge_all(self, items: u64, met: u64, rows: u64) -> Result<(), RowError> {
        if items == 1 {
            return self.judge(rows);
        }
        let missed = items.saturating_sub(met);
        if rows > met {
            Err(RowError::new(format!("{rows} rows have the keys of {met} items; a key must be unique")))
        } else if missed > 0 && self == Self::Refused {
            Err(RowError::new(format!("no row has the key of {missed} of {items} items; .allow_misses() lets such items pass")))
        } else {
            Ok(())
        }
    }
}

impl Action {
    /// The columns that tell rows apart; none for an insert.
    pub(crate) fn key(&self) -> &[String] {
        match self {
            Self::Insert | Self::Ignore => &[],
            Self::Upsert { key } | Self::Update { key, .. } | Self::Delete { key, .. } => key,
        }
    }

    pub(crate) fn set_key<const N: usize>(&mut self, columns: [&str; N]) {
        if let Self::Upsert { key } | Self::Update { key, .. } | Self::Delete { key, .. } = self {
            *key = columns.map(str::to_owned).to_vec();
        }
    }

    pub(crate) fn allow_misses(&mut self) {
        if let Self::Update { misses, .. } | Self::Delete { misses, .. } = self {
            *misses = Misses::Allowed;
        }
    }
}

impl Target {
    pub(super) fn new(table: &str, action: Action) -> Self {
        Self { table: table.to_owned(), action, columns: Vec::new(), proven: false }
    }

    /// Checks the names that the writer was given.
    pub(super) fn check(&self, how: &str) -> Result<(), Error> {
        identifier::check_table(&self.table)?;
        if !matches!(self.action, Action::Insert | Action::Ignore) && self.action.key().is_empty() {
            return mistake(format!("the writer has no key, so a statement would mean every row; name its columns: {how}"));
        }
        self.action.key().iter().try_for_each(|key| identifier::check("column", key))
    }

    /// Learns the columns from the first item that is written; whether they are others than before.
    pub(super) fn learn<T: Serialize>(&mut self, item: &T) -> Result<bool> {
        if self.proven {
            return Ok(false);
        }
        let mut columns = row::columns(item)?;
        if let Action::Delete { key, .. } = &self.action {
            columns.retain(|column| key.contains(column));
        }
        self.check_columns(&columns)?;
        let changed = columns != self.columns;
        self.columns = columns;
        Ok(changed)
    }

    fn check_columns(&self, columns: &[String]) -> Result<()> {
        columns.iter().try_for_each(|c| identifier::check("column", c))?;
        let key = self.action.key();
        if let Some(missing) = key.iter().find(|key| !columns.contains(key)) {
            return Err(RowError::new(format!("the key column `{missing}` is not a field of the item")).into());
        }
        if matches!(self.action, Action::Update { .. }) && columns.iter().all(|c| key.contains(c)) {
            return Err(RowError::new("the item has no field besides the key, so there is nothing to update").into());
        }
        Ok(())
    }

    /// Keeps the columns for good, after rows of them were written.
    pub(super) fn keep(&mut self) {
        self.proven = true;
    }

    pub(super) fn is_proven(&self) -> bool {
        self.proven
    }

    /// Hands over the values of an item, in the order of the columns.
    pub(super) fn bind<T: Serialize>(&self, item: &T, values: &mut impl Values) -> Result<(), RowError> {
        let others = if matches!(self.action, Action::Delete { .. }) { Others::Ignored } else { Others::Refused };
        row::bind(item, &self.columns, others, values)
    }

    /// The places of the key's columns among the columns, in the key's order.
    pub(super) fn key_places(&self) -> Vec<usize> {
        self.action.key().iter().filter_map(|key| self.columns.iter().position(|c| c == key)).collect()
    }

    /// The places of the other columns.
    pub(super) fn other_places(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|place| !self.action.key().contains(&self.columns[*place])).collect()
    }

    /// Which of the table's columns each column is.
    ///
    /// # Errors
    /// There is no such table, or no such column in it; kind `Configuration`.
    pub(super) fn find<'c, C>(
        &self,
        columns: &'c [C],
        is: impl Fn(&C, &str) -> bool,
        name: impl Fn(&C) -> &str,
    ) -> Result<Vec<&'c C>> {
        if columns.is_empty() {
            return Ok(mistake(format!("there is no table `{}` in the database, or not for this user", self.table))?);
        }
        let find = |wanted: &String| match columns.iter().find(|column| is(column, wanted)) {
            Some(column) => Ok(column),
            None => {
                let names: Vec<_> = columns.iter().map(&name).collect();
                mistake(format!("column `{wanted}` is not in table `{}`; its columns are {}", self.table, names.join(", ")))
            }
        };
        Ok(self.columns.iter().map(find).collect::<Result<_, Error>>()?)
    }
}

/// An error of the writer's user: no item is at fault.
pub(super) fn mistake<T>(message: String) -> Result<T, Error> {
    Err(Error::new(ErrorKind::Configuration, message))
}
