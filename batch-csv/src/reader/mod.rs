//! Reads delimited files.

mod bad;
mod de;
mod encoding;
mod lines;
mod open;
mod options;
mod parts;
mod position;
mod row;
mod source;
mod split;
mod utf16;
mod window;

pub use position::CsvPosition;

use crate::{problem::file_error, record::Record};
use batch_core::{Error, ErrorKind, Reader, Result, Total};
use csv::{StringRecord, Trim};
use encoding_rs::Encoding;
use open::{Open, read_error};
use options::Options;
use row::{FromRow, Row};
use split::{Mark, Split};
use std::{marker::PhantomData, path::PathBuf};

/// Lines remembered for [`Reader::take_lines`]; who takes none must not pay for them with memory.
const LINES: usize = 1 << 20;

/// Reads the records of a delimited file (RFC 4180) as items.
///
/// `T` is any type that serde can deserialise: by the header's names into a struct, else by position. [`CsvReader::records`]
/// yields [`Record`]s of columns not known beforehand.
///
/// Defaults: a header row, commas, double quotes, every record as wide as the header, UTF-8, 1 MiB a record. As in the csv crate,
/// `\n`, `\r` and `\r\n` each end a record, blank lines are left out, and a quote within an unquoted field is data. A byte order
/// mark of UTF-8 or UTF-16 overrules [`encoding`](Self::encoding). NUL is data.
///
/// # Bad records
/// A record that is wider or narrower than it must be, not text in the file's encoding, not what `T` needs, too long, or in a
/// quote that is never closed, is a [`BadRecord`](batch_core::BadRecord) with line, byte offset, column and raw text (4 KiB of
/// it); the reader then stands after it. A quote that is never closed takes the rest of the file, and its reason says how much.
///
/// # Errors
/// `open` fails with `Configuration` where the file is missing, not readable, not a regular file, or has a malformed header; so
/// does the first `read` that finds that the header lacks a column which `T` needs, or has it twice. An empty file yields no items.
///
/// # Restart
/// Only the head of the file and its header are read again, then the reader seeks to the byte after the last committed record. A
/// file of another length or with another head (64 KiB) is refused with `NeedsOperator`. What is appended to the file after
/// `open` is not read.
///
/// # Blocking
/// Files are read within the futures: 128 KiB at a time, mostly from the page cache, which takes less than handing the work to
/// another thread. No future waits in between, so `read` is cancel-safe. Memory: the window, plus at most twenty times the longest
/// record, which `max_record_bytes` bounds.
pub struct CsvReader<T> {
    options: Options,
    open: Option<Open>,
    position: CsvPosition,
    lines: Vec<u64>,
    items: PhantomData<fn() -> T>,
}

impl<T> CsvReader<T> {
    /// A reader of the file at `path`, which is opened when the step starts.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        let options = Options::new(path.into());
        Self { options, open: None, position: CsvPosition::default(), lines: Vec::new(), items: PhantomData }
    }

    /// The byte between fields. Default: `,`.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.options.dialect.delimiter = delimiter;
        self
    }

    /// The byte around fields that contain delimiters, line ends or quotes, doubled within. Default: `"`.
    #[must_use]
    pub fn quote(mut self, quote: u8) -> Self {
        self.options.dialect.quote = Some(quote);
        self
    }

    /// Takes quotes as data: no field contains a delimiter or a line end.
    #[must_use]
    pub fn no_quoting(mut self) -> Self {
        self.options.dialect.quote = None;
        self
    }

    /// Whether the first record names the columns and is no item. Default: true.
    ///
    /// Without, structs are filled by position, and the first record sets the width.
    #[must_use]
    pub fn has_headers(mut self, yes: bool) -> Self {
        self.options.has_headers = yes;
        self
    }

    /// Names the columns; where the file has a header row, too, that one is passed over.
    #[must_use]
    pub fn headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut record = StringRecord::new();
        names.into_iter().for_each(|name| record.push_field(name.as_ref()));
        self.options.names = Some(record);
        self
    }

    /// Whether records may have more or fewer fields than the header. Default: false, they are bad records.
    ///
    /// Fields that are missing are `None` or the type's default, else the record is bad; those beyond the header are left out.
    #[must_use]
    pub fn flexible(mut self, yes: bool) -> Self {
        self.options.flexible = yes;
        self
    }

    /// The byte that makes a line a comment when it is the first of a record. Default: none.
    #[must_use]
    pub fn comment(mut self, comment: Option<u8>) -> Self {
        self.options.dialect.comment = comment;
        self
    }

    /// Which white space (Unicode's) is taken off the ends of fields, quoted ones too. Default: [`Trim::None`].
    #[must_use]
    pub fn trim(mut self, trim: Trim) -> Self {
        self.options.trim = trim;
        self
    }

    /// The encoding of the file, unless it begins with a byte order mark. Default: UTF-8.
    ///
    /// All of the WHATWG standard's but ISO-2022-JP; in those of two bytes a character, such as Shift_JIS, delimiter and quote
    /// must not be letters or one of ``@[\]^_`{|}~``, which can be half of a character. Else `open` fails with `Configuration`.
    #[must_use]
    pub fn encoding(mut self, encoding: &'static Encoding) -> Self {
        self.options.encoding = encoding;
        self
    }

    /// The longest record in bytes of the file, without its line end. Default: 1 MiB.
    ///
    /// A longer one is a bad record, and is passed over in bounded memory.
    #[must_use]
    pub fn max_record_bytes(mut self, max: usize) -> Self {
        self.options.max_record_bytes = max;
        self
    }

    /// The header of the file, read now; empty where there is none.
    ///
    /// For a writer that is to write the same header also when no item follows.
    ///
    /// # Errors
    /// As `open`.
    pub fn header(&self) -> Result<StringRecord, Error> {
        let (open, _) = Open::start(&self.options)?;
        Ok(open.columns().cloned().unwrap_or_default())
    }
}

impl CsvReader<Record> {
    /// A reader of the records at `path` as they are, of any width: [`flexible`](Self::flexible) is on.
    pub fn records(path: impl Into<PathBuf>) -> Self {
        Self::open(path).flexible(true)
    }
}

impl<T: FromRow> CsvReader<T> {
    /// Hands the next item to `take`, without a future around it; `None` at the end.
    ///
    /// Not returned, because moving items from result to result takes longer than making them.
    #[inline]
    fn next<R>(&mut self, take: impl FnOnce(T) -> R) -> Result<Option<R>> {
        let Self { options, open, position, lines, .. } = self;
        let Some(open) = open else { return Err(not_open(options).into()) };
        let split = match open.split.next() {
            Ok(Split::End) => return Ok(None),
            Ok(split) => split,
            Err(e) => {
                open.split.seek(Mark { byte: position.byte, line: position.line });
                return Err(read_error(&options.path, e).into());
            }
        };
        advance(position, open);
        let row = match row(options, open, split, &mut position.width) {
            Ok(row) => row,
            Err((column, reason)) => return Err(bad::record(open, column, reason)),
        };
        let line = row.line;
        let taken = match T::from_row(row) {
            Ok(item) => take(item),
            Err(problem) => return Err(bad::fault(open, problem.into_fault(), &options.path)),
        };
        if lines.len() < LINES {
            lines.push(line);
        }
        Ok(Some(taken))
    }
}

fn advance(position: &mut CsvPosition, open: &Open) {
    let Mark { byte, line } = open.split.here();
    (position.byte, position.line) = (byte, line);
    position.record += 1;
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
    Ok(Row { parts, header: open.header.as_ref(), trim: options.trims_fields(), line: open.split.begin().line })
}

fn not_open(options: &Options) -> Error {
    file_error(ErrorKind::Failed, "the reader is not open", &options.path)
}

impl<T: FromRow> Reader for CsvReader<T> {
    type Item = T;
    type Position = CsvPosition;

    async fn open(&mut self, resume: Option<CsvPosition>) -> Result<()> {
        let (mut open, mut position) = Open::start(&self.options)?;
        if let Some(saved) = resume {
            position.admit(&saved, position.byte, &self.options.path)?;
            open.split.seek(Mark { byte: saved.byte, line: saved.line });
            position = saved;
        }
        self.lines.clear();
        (self.open, self.position) = (Some(open), position);
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<T>> {
        self.next(|item| item)
    }

    fn position(&self) -> CsvPosition {
        self.position.clone()
    }

    async fn read_chunk(&mut self, max: usize, into: &mut Vec<T>) -> Result<bool> {
        while into.len() < max {
            if self.next(|item| into.push(item))?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn total(&self) -> Option<Total> {
        self.open.as_ref().map(|_| Total { done: self.position.byte, of: self.position.length })
    }

    fn bytes(&self) -> u64 {
        self.position.byte
    }

    fn take_lines(&mut self, lines: &mut Vec<u64>) {
        lines.clear();
        std::mem::swap(lines, &mut self.lines);
    }

    async fn close(&mut self) -> Result<()> {
        self.open = None;
        Ok(())
    }
}
