//! A record as it is, for copying files whose columns are not known beforehand.

use csv::StringRecord;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::{fmt, ops::Deref, sync::Arc};

/// A record of any width as text, with the header it stands under.
///
/// Dereferences to [`StringRecord`]. Serialises as a map from column to field, or as a sequence where there is no header or the
/// header has another width; so a [`CsvWriter`](crate::CsvWriter) of records writes their header by itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    pub(crate) fields: StringRecord,
    pub(crate) header: Option<Arc<StringRecord>>,
    pub(crate) line: u64,
}

impl Record {
    /// A record without a header and a line, for tests and for processors that make records.
    pub fn new(fields: impl Into<StringRecord>) -> Self {
        Self { fields: fields.into(), header: None, line: 0 }
    }

    /// The header that the record stands under, if the file has one.
    pub fn header(&self) -> Option<&StringRecord> {
        self.header.as_deref()
    }

    /// The field in the first column of that name; `None` where the header or the record has none.
    pub fn column(&self, name: &str) -> Option<&str> {
        let index = self.header()?.iter().position(|column| column == name)?;
        self.fields.get(index)
    }

    /// The line on which the record begins, from 1; 0 for a record that was not read from a file.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The fields without header and line.
    pub fn into_fields(self) -> StringRecord {
        self.fields
    }
}

impl Deref for Record {
    type Target = StringRecord;

    fn deref(&self) -> &StringRecord {
        &self.fields
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(f)
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.header() {
            Some(header) if header.len() == self.fields.len() => {
                let mut map = serializer.serialize_map(Some(header.len()))?;
                for (name, field) in header.iter().zip(&self.fields) {
                    map.serialize_entry(name, field)?;
                }
                map.end()
            }
            _ => {
                let mut seq = serializer.serialize_seq(Some(self.fields.len()))?;
                for field in &self.fields {
                    seq.serialize_element(field)?;
                }
                seq.end()
            }
        }
    }
}
