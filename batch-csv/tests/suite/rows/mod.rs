//! Rows that lend their fields.

mod buffers;
mod edits;
mod errors;
mod fields;
mod job;
mod properties;

use crate::support::{Folder, read};
use batch_csv::{CsvReader, RecordRow};

/// The rows of a file with that text.
pub(crate) fn rows(text: &str) -> Vec<RecordRow> {
    read(CsvReader::rows(Folder::new().file(text)).flexible(true)).into_iter().map(Result::unwrap).collect()
}

pub(crate) fn fields(row: &RecordRow) -> Vec<&str> {
    row.iter().collect()
}
