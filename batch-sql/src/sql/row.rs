//! Rows of the repository's tables, independent of the database they came from.

use chrono::{DateTime, Utc};
use std::{array, sync::Arc};

/// What a statement gave back.
#[derive(Debug, Default)]
pub struct Answer {
    /// Rows, of all statements together.
    pub(crate) rows: Vec<Row>,
    /// How many rows there were at the end of each statement.
    pub(crate) ends: Vec<usize>,
    /// Rows changed by the last statement that says so.
    pub(crate) changed: u64,
    /// The number that the database gave to the row inserted last, where it tells without being asked.
    pub(crate) inserted: i64,
}

impl Answer {
    /// The last `N` statements apart, each with its rows alone.
    pub(crate) fn apart<const N: usize>(mut self) -> [Self; N] {
        self.ends.pop();
        let mut rows = || self.rows.split_off(self.ends.pop().unwrap_or(0));
        let mut apart = array::from_fn(|_| Self { rows: rows(), ..Self::default() });
        apart.reverse();
        apart
    }

    /// The number of the row that an INSERT made or found.
    pub(crate) fn number(&self) -> Result<i64, sqlx::Error> {
        match self.rows.first() {
            Some(row) => row.get("id"),
            None => Ok(self.inserted),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{Answer, Cell, Row};

    fn answer(numbers: &[i64], ends: &[usize]) -> Answer {
        let row = |n: &i64| Row { names: ["n".to_owned()].into(), cells: vec![Cell::Int(*n)] };
        Answer { rows: numbers.iter().map(row).collect(), ends: ends.to_vec(), ..Answer::default() }
    }

    fn numbers<const N: usize>(answer: Answer) -> [Vec<i64>; N] {
        answer.apart().map(|answer| answer.rows.iter().map(|row| row.get("n").unwrap()).collect())
    }

    #[test]
    fn rows_are_those_of_their_statement() {
        assert_eq!(numbers(answer(&[1, 2, 3], &[1, 1, 3])), [vec![1], vec![], vec![2, 3]]);
        assert_eq!(numbers(answer(&[1, 2], &[0, 0, 2, 2])), [vec![1, 2], vec![]], "the first statements are not asked for");
        assert_eq!(numbers(answer(&[], &[0])), [Vec::<i64>::new()]);
    }
}
