//! Reads delimited files.

mod bad;
mod encoding;
mod item;
mod line;
mod lines;
mod open;
mod options;
mod position;
mod reading;
mod shelf;
mod source;
mod split;
mod utf16;
mod window;

pub use position::CsvPosition;

use crate::record::{MAX_RECORD, RecordRow};
use batch_core::{Error, Reader, Result, Total};
use csv::{StringRecord, Trim};
use encoding_rs::Encoding;
use item::FromRecord;
use open::Open;
use options::Options;
use reading::Reading;
use std::{marker::PhantomData, path::PathBuf};

/// Reads the records of a delimited file (RFC 4180) as items.
///
/// `T` is any type that serde can deserialise: by the header's names into a struct, else by position. [`CsvReader::rows`]
/// yields [`RecordRow`]s, which lend their fields and know their columns by name.
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
/// record, which `max_record_bytes` bounds; of rows also one buffer of 128 KiB, and those that rows still have.
pub struct CsvReader<T> {
    reading: Reading,
    items: PhantomData<fn() -> T>,
}

impl<T> CsvReader<T> {
    /// A reader of the file at `path`, which is opened when the step starts.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self { reading: Reading::new(Options::new(path.into())), items: PhantomData }
    }

    /// The byte between fields. Default: `,`.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.reading.options.dialect.delimiter = delimiter;
        self
    }

    /// The byte around fields that contain delimiters, line ends or quotes, doubled within. Default: `"`.
    #[must_use]
    pub fn quote(mut self, quote: u8) -> Self {
        self.reading.options.dialect.quote = Some(quote);
        self
    }

    /// Takes quotes as data: no field contains a delimiter or a line end.
    #[must_use]
    pub fn no_quoting(mut self) -> Self {
        self.reading.options.dialect.quote = None;
        self
    }

    /// Whether the first record names the columns and is no item. Default: true.
    ///
    /// Without, structs are filled by position, and the first record sets the width.
    #[must_use]
    pub fn has_headers(mut self, yes: bool) -> Self {
        self.reading.options.has_headers = yes;
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
        self.reading.options.names = Some(record);
        self
    }

    /// Whether records may have more or fewer fields than the header. Default: false, they are bad records.
    ///
    /// Fields that are missing are `None` or the type's default, else the record is bad; those beyond the header are left out.
    #[must_use]
    pub fn flexible(mut self, yes: bool) -> Self {
        self.reading.options.flexible = yes;
        self
    }

    /// The byte that makes a line a comment when it is the first of a record. Default: none.
    #[must_use]
    pub fn comment(mut self, comment: Option<u8>) -> Self {
        self.reading.options.dialect.comment = comment;
        self
    }

    /// Which white space (Unicode's) is taken off the ends of fields, quoted ones too. Default: [`Trim::None`].
    #[must_use]
    pub fn trim(mut self, trim: Trim) -> Self {
        self.reading.options.trim = trim;
        self
    }

    /// The encoding of the file, unless it begins with a byte order mark. Default: UTF-8.
    ///
    /// All of the WHATWG standard's but ISO-2022-JP; in those of two bytes a character, such as Shift_JIS, delimiter and quote
    /// must not be letters or one of ``@[\]^_`{|}~``, which can be half of a character. Else `open` fails with `Configuration`.
    #[must_use]
    pub fn encoding(mut self, encoding: &'static Encoding) -> Self {
        self.reading.options.encoding = encoding;
        self
    }

    /// The longest record in bytes of the file, without its line end. Default: 1 MiB; at most 1 GiB.
    ///
    /// A longer one is a bad record, and is passed over in bounded memory.
    #[must_use]
    pub fn max_record_bytes(mut self, max: usize) -> Self {
        self.reading.options.max_record_bytes = max.min(MAX_RECORD);
        self
    }

    /// The header of the file, read now; empty where there is none.
    ///
    /// For a writer that is to write the same header also when no item follows.
    ///
    /// # Errors
    /// As `open`.
    pub fn header(&self) -> Result<StringRecord, Error> {
        let (open, _) = Open::start(&self.reading.options)?;
        Ok(open.columns().cloned().unwrap_or_default())
    }
}

impl CsvReader<RecordRow> {
    /// A reader of the rows of the file at `path`, which have no `String` a field: the same as
    /// `CsvReader::<RecordRow>::open(path)`.
    ///
    /// Rows are split many at a time, up to a bad record, and share a buffer; so `read` seldom does more than count. Positions, lines,
    /// bad records and restarts are those of other items, and so is that a row is as wide as the header: else ask for
    /// [`flexible`](Self::flexible).
    pub fn rows(path: impl Into<PathBuf>) -> Self {
        Self::open(path)
    }
}

impl<T: FromRecord> Reader for CsvReader<T> {
    type Item = T;
    type Position = CsvPosition;

    async fn open(&mut self, resume: Option<CsvPosition>) -> Result<()> {
        Ok(self.reading.start(resume.as_ref())?)
    }

    async fn read(&mut self) -> Result<Option<T>> {
        T::read(&mut self.reading)
    }

    fn position(&self) -> CsvPosition {
        self.reading.position()
    }

    async fn read_chunk(&mut self, max: usize, into: &mut Vec<T>) -> Result<bool> {
        T::read_chunk(&mut self.reading, max, into)
    }

    fn total(&self) -> Option<Total> {
        self.reading.total()
    }

    fn bytes(&self) -> u64 {
        self.reading.place.byte
    }

    fn take_lines(&mut self, lines: &mut Vec<u64>) {
        lines.clear();
        std::mem::swap(lines, &mut self.reading.lines);
    }

    async fn close(&mut self) -> Result<()> {
        self.reading.close();
        Ok(())
    }
}
