//! A file in reading: one record after the other, and where that stands.

use super::{
    bad,
    open::{Open, read_error},
    options::Options,
    position::{CsvPosition, Place},
    shelf::Shelf,
    split::{Mark, Split},
};
use crate::{
    problem::file_error,
    record::{Problem, Row},
};
use batch_core::{Error, ErrorKind, Result, Total};

/// Lines remembered for `Reader::take_lines`; who takes none must not pay for them with memory.
const LINES: usize = 1 << 20;

/// A reader, whatever it makes of its records.
pub struct Reading {
    pub(super) options: Options,
    pub(super) open: Option<Open>,
    /// Which file it is; its place is that at the beginning.
    file: CsvPosition,
    /// Behind the last record that was yielded.
    pub(super) place: Place,
    /// Behind the last record that was split; the same, but for rows, which are split many at a time.
    pub(super) ahead: Place,
    /// Line of each item since they were last taken.
    pub(super) lines: Vec<u64>,
    pub(super) shelf: Shelf,
}

impl Reading {
    pub(super) fn new(options: Options) -> Self {
        let (file, place, shelf) = (CsvPosition::default(), Place::default(), Shelf::default());
        Self { options, open: None, file, place, ahead: place, lines: Vec::new(), shelf }
    }

    pub(super) fn start(&mut self, resume: Option<&CsvPosition>) -> Result<(), Error> {
        let (mut open, file) = Open::start(&self.options)?;
        self.place = file.place();
        if let Some(saved) = resume {
            file.admit(saved, file.byte, &self.options.path)?;
            open.split.seek(Mark { byte: saved.byte, line: saved.line });
            self.place = saved.place();
        }
        self.ahead = self.place;
        self.lines.clear();
        self.shelf = Shelf::default();
        (self.open, self.file) = (Some(open), file);
        Ok(())
    }

    pub(super) fn close(&mut self) {
        self.open = None;
        self.shelf = Shelf::default();
    }

    pub(super) fn position(&self) -> CsvPosition {
        self.file.at(self.place)
    }

    pub(super) fn total(&self) -> Option<Total> {
        self.open.as_ref().map(|_| Total { done: self.place.byte, of: self.file.length })
    }

    /// Hands the next record to `make`, and yields what comes out; `None` at the end.
    #[inline]
    pub(super) fn next<R>(&mut self, make: impl FnOnce(Row<'_>) -> Result<R, Problem>) -> Result<Option<R>> {
        let mut line = 0;
        let made = self.split(|row| {
            line = row.line;
            make(row)
        });
        self.place = self.ahead;
        if matches!(made, Ok(Some(_))) {
            self.note(line);
        }
        made
    }

    /// The same, without counting the record as yielded.
    #[inline]
    pub(super) fn split<R>(&mut self, make: impl FnOnce(Row<'_>) -> Result<R, Problem>) -> Result<Option<R>> {
        let Self { options, open, ahead, .. } = self;
        let Some(open) = open else { return Err(not_open(options).into()) };
        let split = match open.split.next() {
            Ok(Split::End) => return Ok(None),
            Ok(split) => split,
            Err(e) => {
                open.split.seek(Mark { byte: ahead.byte, line: ahead.line });
                return Err(read_error(&options.path, e).into());
            }
        };
        ahead.advance(open.split.here());
        let row = match row(options, open, split, &mut ahead.width) {
            Ok(row) => row,
            Err((column, reason)) => return Err(bad::record(open, column, reason)),
        };
        make(row).map(Some).map_err(|problem| bad::fault(open, problem.into_fault(), &options.path))
    }

    /// Remembers the line of an item that was yielded.
    #[inline]
    pub(super) fn note(&mut self, line: u64) {
        if self.lines.len() < LINES {
            self.lines.push(line);
        }
    }
}

/// The record that was just split as text; or the column at fault, if it is one, and the reason.
#[inline]
fn row<'a>(
    options: &Options,
    open: &'a mut Open,
    split: Split,
    width: &mut Option<usize>,
) -> Result<Row<'a>, (Option<usize>, String)> {
    if let Some(reason) = bad::shape(open, split, options.max_record_bytes) {
        return Err((None, reason));
    }
    let record = open.split.record();
    let has = record.ends.len();
    let must = width.filter(|_| !options.flexible).unwrap_or(has);
    if has != must {
        return Err((None, bad::width(open, has, must)));
    }
    width.get_or_insert(must);
    let text = open.split.text().map_or_else(|| open.coding.text(record, &mut open.decoded), Ok);
    let parts = text.map_err(|malformed| (Some(malformed.column), malformed.reason()))?;
    let (line, plain) = (open.split.begin().line, open.split.is_line());
    Ok(Row { parts, plain, header: open.header.as_deref(), trim: options.trims_fields(), edits: None, line })
}

fn not_open(options: &Options) -> Error {
    file_error(ErrorKind::Failed, "the reader is not open", &options.path)
}
