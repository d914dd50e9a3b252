//! Rows as records, without serde.

use super::dialect::Dialect;
use crate::record::{Edits, Marks, RecordRow, Row, column_name};
use csv::{QuoteStyle, Terminator};

/// Appends a row and the line end; returns its number of fields. Its columns go to `names`, if they are wanted and there are as many.
///
/// Means the same as to serialise it. Where the row is still the line that was read, and nothing in it means anything else here, what was not edited is copied as it is.
pub(super) fn write(
    dialect: &Dialect,
    out: &mut Vec<u8>,
    row: &RecordRow,
    names: Option<&mut Vec<String>>,
) -> Result<usize, String> {
    let (fields, begin) = (row.row(), out.len());
    if fields.len() == 0 {
        return Err("an item without fields cannot be written".to_owned());
    }
    if let (Some(names), Some(header)) = (names, fields.header.filter(|header| header.names.len() == fields.len())) {
        names.extend(header.names.iter().map(|name| name.to_string()));
    }
    if row.split_by().is_some_and(|marks| dialect.copies(marks)) {
        copy(dialect, out, fields)?;
    } else {
        for (index, field) in fields.iter().enumerate() {
            put(dialect, out, &fields, index, field.as_bytes())?;
        }
    }
    dialect.end(out, begin);
    Ok(fields.len())
}

impl Dialect {
    /// Whether a field without these marks and line ends is written as it is.
    #[inline]
    fn copies(&self, marks: Marks) -> bool {
        let ends = matches!(self.terminator, Terminator::CRLF | Terminator::Any(b'\r' | b'\n'));
        let style = matches!(self.style, QuoteStyle::Necessary | QuoteStyle::Never);
        (marks.delimiter, marks.quote) == (self.delimiter, Some(self.quote)) && ends && style && !self.escape_formulas
    }
}

fn copy(dialect: &Dialect, out: &mut Vec<u8>, row: Row<'_>) -> Result<(), String> {
    let mut next = 0;
    for (column, text) in row.edits.into_iter().flat_map(Edits::entries) {
        let column = column as usize;
        if next < column {
            separate(dialect, out, next);
            out.extend_from_slice(row.parts.span(next, column));
        }
        put(dialect, out, &row, column, text)?;
        next = column + 1;
    }
    if next < row.len() {
        separate(dialect, out, next);
        out.extend_from_slice(row.parts.span(next, row.len()));
    }
    Ok(())
}

fn put(dialect: &Dialect, out: &mut Vec<u8>, row: &Row<'_>, index: usize, field: &[u8]) -> Result<(), String> {
    separate(dialect, out, index);
    dialect.text(out, field).map_err(|problem| {
        let header = row.header.map(|header| &header.record);
        format!("{}: {problem}", column_name(header, index))
    })
}

fn separate(dialect: &Dialect, out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(dialect.delimiter);
    }
}

/// The row as the line that it would be in a file, for messages: 4 KiB of it at most.
pub(crate) fn line(row: &RecordRow) -> String {
    const SHOWN: usize = 4 * 1024;
    let (mut dialect, mut out) = (Dialect::default(), Vec::new());
    let marks = row.marks();
    dialect.set(|dialect| (dialect.delimiter, dialect.quote) = (marks.delimiter, marks.quote.unwrap_or(dialect.quote)));
    // Quotes are on, so that every field can be written.
    let _ = write(&dialect, &mut out, row, None);
    let mut line = String::from_utf8_lossy(out.strip_suffix(b"\n").unwrap_or(&out)).into_owned();
    if line.len() > SHOWN {
        line.truncate(line.floor_char_boundary(SHOWN));
        line.push('…');
    }
    line
}
