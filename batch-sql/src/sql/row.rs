//! Rows of the repository's tables, independent of the database they came from.

use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What a statement gave back.
#[derive(Debug, Default)]
pub struct Answer {
    pub(crate) rows: Vec<Row>,
    /// Rows changed, of all statements together.
    pub(crate) changed: u64,
    /// The number that the database gave to the row inserted last, where it tells without being asked.
    pub(crate) inserted: i64,
}

/// A row by the names of its columns.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) names: Arc<[String]>,
    pub(crate) cells: Vec<Cell>,
}

/// A field of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// NULL.
    Null,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A time.
    Time(DateTime<Utc>),
}

impl Row {
    /// The field `name`.
    ///
    /// # Errors
    /// There is none, or it is of another type: a decoding error.
    pub(crate) fn get<'r, T: FromCell<'r>>(&'r self, name: &str) -> Result<T, sqlx::Error> {
        let at = self.names.iter().position(|n| n == name).ok_or_else(|| sqlx::Error::ColumnNotFound(name.to_owned()))?;
        let cell = &self.cells[at];
        T::from_cell(cell).ok_or_else(|| sqlx::Error::Decode(format!("{cell:?} is not what column {name} holds").into()))
    }
}

/// What a field is read as.
pub(crate) trait FromCell<'r>: Sized {
    /// `None` where the field is of another type.
    fn from_cell(cell: &'r Cell) -> Option<Self>;
}

impl FromCell<'_> for i64 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Int(number) => Some(*number),
            _ => None,
        }
    }
}

impl FromCell<'_> for u32 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        i64::from_cell(cell)?.try_into().ok()
    }
}

impl FromCell<'_> for bool {
    fn from_cell(cell: &Cell) -> Option<Self> {
        i64::from_cell(cell).map(|number| number != 0)
    }
}

impl<'r> FromCell<'r> for &'r str {
    fn from_cell(cell: &'r Cell) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl FromCell<'_> for String {
    fn from_cell(cell: &Cell) -> Option<Self> {
        <&str>::from_cell(cell).map(str::to_owned)
    }
}

/// SQLite keeps times as texts.
impl FromCell<'_> for DateTime<Utc> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Time(time) => Some(*time),
            Cell::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl<'r, T: FromCell<'r>> FromCell<'r> for Option<T> {
    fn from_cell(cell: &'r Cell) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            other => T::from_cell(other).map(Some),
        }
    }
}
