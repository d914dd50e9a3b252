//! A record of good shape, and how it becomes an item.

use super::{
    de::{Fields, Problem},
    parts::Parts,
};
use crate::record::Record;
use csv::StringRecord;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The names of a file's columns.
pub(super) struct Header {
    /// For messages and for users.
    pub(super) record: Arc<StringRecord>,
    /// For every field of every record: a `StringRecord` takes longer to find one.
    pub(super) names: Vec<Box<str>>,
}

impl Header {
    pub(super) fn new(record: StringRecord) -> Self {
        let names = record.iter().map(Box::from).collect();
        Self { record: Arc::new(record), names }
    }
}

/// The fields of a record as text, with the names they stand under.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub(super) parts: Parts<'a, str>,
    pub(super) header: Option<&'a Header>,
    pub(super) trim: bool,
    pub(super) line: u64,
}

impl<'a> Row<'a> {
    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        self.parts.fields().map(move |field| self.trimmed(field))
    }

    #[inline]
    pub(super) fn trimmed(&self, field: &'a str) -> &'a str {
        if self.trim { field.trim() } else { field }
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
    #[inline]
    fn from_row(row: Row<'_>) -> Result<Self, Problem> {
        T::deserialize(&mut Fields::new(row))
    }
}

impl FromRow for Record {
    fn from_row(row: Row<'_>) -> Result<Self, Problem> {
        let mut fields = StringRecord::with_capacity(row.parts.text.len(), row.parts.ends.len());
        row.iter().for_each(|field| fields.push_field(field));
        Ok(Self { fields, header: row.header.map(|header| Arc::clone(&header.record)), line: row.line })
    }
}
