//! Rows in one buffer, which they share.

use super::{
    header::Header,
    parts::{Parts, offset},
    view::Row,
};
use std::sync::Arc;

/// How many bytes, and how many ends of fields, a block keeps room for when it is written again.
const KEPT: usize = 1 << 20;

/// Rows of a file, their texts one behind the other.
///
/// Written by the reader alone, shared by its rows, and written again when none is left.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The fields of each row, each but a row's last followed by the delimiter.
    text: String,
    /// Where each field ends, counted from the beginning of its row.
    ends: Vec<u32>,
    rows: Vec<Place>,
    pub(crate) header: Option<Arc<Header>>,
    pub(crate) marks: Marks,
}

/// What the rows were split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
}

impl Default for Marks {
    fn default() -> Self {
        Self { delimiter: b',', quote: Some(b'"') }
    }
}

/// Where a row is in its block, and where the reader stood behind it.
#[derive(Debug, Clone, Copy)]
struct Place {
    text: usize,
    ends: usize,
    fields: usize,
    plain: bool,
    line: u64,
    byte_after: u64,
    line_after: u64,
}

impl Block {
    /// An empty block under `header`, of rows that are none of a file.
    pub(crate) fn of(header: Option<Arc<Header>>) -> Self {
        Self { header, ..Self::default() }
    }

    /// Empties it for rows under `header`.
    pub(crate) fn begin(&mut self, header: Option<&Arc<Header>>, marks: Marks) {
        self.text.clear();
        self.ends.clear();
        self.rows.clear();
        // What one huge record took is given back.
        self.text.shrink_to(KEPT);
        self.ends.shrink_to(KEPT);
        self.marks = marks;
        match (&self.header, header) {
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) => {}
            _ => self.header = header.cloned(),
        }
    }

    /// Appends a row; where it ends in the file is still to be told by [`Self::end`].
    #[inline]
    pub(crate) fn push(&mut self, row: Row<'_>) {
        let Parts { text, ends, gap } = row.parts;
        self.place(ends.len(), row.plain, row.line);
        if gap == 1 && !row.trim {
            self.text.push_str(text);
            self.ends.extend_from_slice(ends);
        } else {
            self.push_fields(row.iter());
        }
    }

    /// Says where the reader stands behind the last row.
    #[inline]
    pub(crate) fn end(&mut self, byte: u64, line: u64) {
        if let Some(place) = self.rows.last_mut() {
            (place.byte_after, place.line_after) = (byte, line);
        }
    }

    /// Appends a row of `count` fields that is none of a file.
    pub(crate) fn push_made<'a>(&mut self, count: usize, fields: impl IntoIterator<Item = &'a str>, line: u64) {
        self.place(count, false, line);
        self.push_fields(fields);
    }

    #[inline]
    fn place(&mut self, fields: usize, plain: bool, line: u64) {
        let (text, ends) = (self.text.len(), self.ends.len());
        self.rows.push(Place { text, ends, fields, plain, line, byte_after: 0, line_after: 0 });
    }

    fn push_fields<'a>(&mut self, fields: impl IntoIterator<Item = &'a str>) {
        let start = self.text.len();
        for (index, field) in fields.into_iter().enumerate() {
            if index > 0 {
                self.text.push(char::from(self.marks.delimiter));
            }
            self.text.push_str(field);
            self.ends.push(offset(self.text.len() - start));
        }
    }

    /// How many rows it has.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of all rows.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.text.len()
    }

    /// Row `index`, as it was read.
    #[inline]
    pub(crate) fn row(&self, index: u32) -> Row<'_> {
        let Some(place) = self.rows.get(index as usize) else { return Row::default() };
        let ends = self.ends.get(place.ends..place.ends + place.fields).unwrap_or_default();
        let text_end = place.text + ends.last().map_or(0, |end| *end as usize);
        let parts = Parts { text: self.text.get(place.text..text_end).unwrap_or_default(), ends, gap: 1 };
        Row { parts, plain: place.plain, header: self.header.as_deref(), trim: false, edits: None, line: place.line }
    }

    /// A field of row `index`, as it was read: the same as by way of [`Self::row`], for those who want no more.
    #[inline]
    pub(crate) fn field(&self, index: u32, column: usize) -> Option<&str> {
        let place = self.rows.get(index as usize)?;
        if column >= place.fields {
            return None;
        }
        let at = place.ends + column;
        let end = *self.ends.get(at)? as usize;
        let start = if column == 0 { 0 } else { *self.ends.get(at - 1)? as usize + 1 };
        self.text.get(place.text + start..place.text + end)
    }

    /// The line on which row `index` begins.
    #[inline]
    pub(crate) fn line(&self, index: usize) -> u64 {
        self.rows.get(index).map_or(0, |place| place.line)
    }

    /// Byte and line just after row `index`.
    #[inline]
    pub(crate) fn after(&self, index: usize) -> Option<(u64, u64)> {
        self.rows.get(index).map(|place| (place.byte_after, place.line_after))
    }
}
