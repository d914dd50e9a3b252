//! A record of good shape, and how it becomes an item.

use super::de::{Fields, Problem};
use crate::record::Record;
use csv::StringRecord;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The fields of a record as text, with the names they stand under.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub(super) text: &'a str,
    pub(super) ends: &'a [usize],
    pub(super) header: Option<&'a Arc<StringRecord>>,
    pub(super) trim: bool,
    pub(super) line: u64,
}

impl<'a> Row<'a> {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&'a str> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        let field = self.text.get(start..*self.ends.get(index)?)?;
        Some(if self.trim { field.trim() } else { field })
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).filter_map(move |i| self.get(i))
    }
}

/// What a [`CsvReader`](crate::CsvReader) can yield: every type that serde can deserialise, and [`Record`].
#[diagnostic::on_unimplemented(
    message = "a `CsvReader` cannot yield `{Self}` items",
    label = "not made from a record",
    note = "derive `serde::Deserialize` for it, or read `batch_csv::Record`s with `CsvReader::records(path)`"
)]
pub trait FromRow: Send + Sized + 'static {
    #[doc(hidden)]
    fn from_row(row: Row<'_>) -> Result<Self, Problem>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + 'static> FromRow for T {
    fn from_row(row: Row<'_>) -> Result<Self, Problem> {
        T::deserialize(&mut Fields::new(row))
    }
}

impl FromRow for Record {
    fn from_row(row: Row<'_>) -> Result<Self, Problem> {
        let mut fields = StringRecord::with_capacity(row.text.len(), row.len());
        row.iter().for_each(|field| fields.push_field(field));
        Ok(Self { fields, header: row.header.map(Arc::clone), line: row.line })
    }
}
