//! The names of a file's columns.

use csv::StringRecord;
use std::sync::atomic::{AtomicU64, Ordering};

/// The names of columns, which all rows of a file share.
#[derive(Debug)]
pub struct Header {
    /// No other header of this process has it.
    pub(crate) id: u64,
    /// For messages and for users.
    pub(crate) record: StringRecord,
    /// For every field of every record: a `StringRecord` takes longer to find one.
    pub(crate) names: Vec<Box<str>>,
}

impl Header {
    pub(crate) fn new(record: StringRecord) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let names = record.iter().map(Box::from).collect();
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), record, names }
    }

    /// The first column of that name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|column| **column == *name)
    }
}
