//! Records as they are: rows that lend their fields.

mod block;
mod column;
mod de;
mod edits;
mod fault;
mod header;
mod parts;
mod serde;
mod view;

pub use column::{Column, ColumnIndex};
pub use edits::NewText;

pub(crate) use block::{Block, Marks};
pub(crate) use de::{Fault, Fields as Deserializer, Problem};
pub(crate) use edits::Edits;
pub(crate) use fault::{column_name, header_fault};
pub(crate) use header::Header;
pub(crate) use parts::{MAX_RECORD, Parts, offset};
pub(crate) use view::Row;

use crate::problem::Quoted;
use ::serde::Deserialize;
use batch_core::{BadRecord, BoxError, Error, ErrorKind, Result};
use csv::StringRecord;
use std::{
    fmt::{self, Display, Write},
    ops::Index,
    str::FromStr,
    sync::Arc,
};

/// A record of a file that lends its fields, as `&str`, instead of having a `String` for each.
///
/// A handle: rows that were read together share one buffer, so that a row costs no allocation, and neither does its clone. Read
/// by [`CsvReader::rows`](crate::CsvReader::rows), written by a [`CsvWriter`](crate::CsvWriter) of rows, which copies the fields
/// without serde.
///
/// ```
/// use batch_core::Result;
/// use batch_csv::{Column, RecordRow};
///
/// static NAME: Column = Column::new("name");
///
/// fn check(mut row: RecordRow) -> Result<RecordRow> {
///     let stock: u32 = row.parse("stock")?; // or the reason, with line and column
///     row.rewrite(&NAME, |name, new| new.push_uppercase(name))?;
///     row.set(2, stock + 1)?;
///     Ok(row)
/// }
///
/// let row = RecordRow::with_header(["id", "name", "stock"], ["7", "bolt", "41"]);
/// assert_eq!(check(row).unwrap().iter().collect::<Vec<_>>(), ["7", "BOLT", "42"]);
/// ```
///
/// # Names and numbers
/// A field is named by its number from 0, its column's name, or a [`Column`], which is found without comparing names.
/// `row["name"]` and `row[3]` are for fields that are known to be there: they panic, which fails the item, where [`get`](Self::get)
/// is `None` and [`field`](Self::field) an error.
///
/// # Memory
/// A row keeps the whole buffer, about 128 KiB, from being used again. Who keeps single rows for long takes [`detached`](Self::detached)
/// ones.
///
/// # Serde
/// [`deserialize`](Self::deserialize) fills structs, also with borrowed fields. A row serialises as a map from column to field, or as a
/// sequence where there is no header or the header has another width.
#[derive(Clone)]
pub struct RecordRow {
    block: Arc<Block>,
    index: u32,
    edits: Option<Edits>,
}

impl RecordRow {
    /// A row that was not read from a file and stands under no header, for tests and for processors that make rows.
    pub fn new<I>(fields: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        Self::alone(None, fields)
    }

    /// A row under a header of its own.
    pub fn with_header<H, I>(names: H, fields: I) -> Self
    where
        H: IntoIterator<Item: AsRef<str>>,
        I: IntoIterator<Item: AsRef<str>>,
    {
        let mut record = StringRecord::new();
        names.into_iter().for_each(|name| record.push_field(name.as_ref()));
        Self::alone(Some(Arc::new(Header::new(record))), fields)
    }

    fn alone<I: IntoIterator<Item: AsRef<str>>>(header: Option<Arc<Header>>, fields: I) -> Self {
        let fields: Vec<_> = fields.into_iter().collect();
        let mut block = Block::of(header);
        block.push_made(fields.len(), fields.iter().map(AsRef::as_ref), 0);
        Self::shared(Arc::new(block), 0)
    }

    #[inline]
    pub(crate) fn shared(block: Arc<Block>, index: u32) -> Self {
        Self { block, index, edits: None }
    }

    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.row().len()
    }

    /// Whether it has no field at all; what is read has one at least.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The field in that column; `None` where the header has no such column, or the row ends before it.
    #[inline]
    pub fn get(&self, column: impl ColumnIndex) -> Option<&str> {
        self.at(self.find(&column)?)
    }

    /// The field in that column.
    ///
    /// # Errors
    /// `Configuration` where the header has no such column; [`BadRecord`] where the row ends before it.
    #[inline]
    pub fn field(&self, column: impl ColumnIndex) -> Result<&str> {
        match self.get(&column) {
            Some(field) => Ok(field),
            None => Err(self.missing(&column)),
        }
    }

    /// The field in that column as a `T`.
    ///
    /// # Errors
    /// As of [`field`](Self::field), and a [`BadRecord`] with line, column and the row where the field is no `T`.
    #[inline]
    pub fn parse<T: FromStr<Err: Display>>(&self, column: impl ColumnIndex) -> Result<T> {
        let field = self.field(&column)?;
        field.parse().map_err(|e| self.not_parsed(&column, field, &e))
    }

    /// The fields from left to right.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.row().iter()
    }

    /// The row as a `T`, which may borrow from it.
    ///
    /// By the header's names into a struct or a map, else by position; types mean what they mean to a
    /// [`CsvReader`](crate::CsvReader) of them.
    ///
    /// # Errors
    /// [`BadRecord`] with line, column and the row; `Configuration` where the header is why no row can be a `T`.
    pub fn deserialize<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        T::deserialize(&mut Deserializer::new(self.row())).map_err(|problem| self.no_item(problem))
    }

    /// Replaces the field in that column by what `value` displays.
    ///
    /// The row that others cloned stays as it is. New texts are written one behind the other into a buffer of the thread, so that this
    /// allocates nothing either, but once in 64 KiB of them.
    ///
    /// # Errors
    /// As of [`field`](Self::field): no column is added.
    pub fn set(&mut self, column: impl ColumnIndex, value: impl Display) -> Result<()> {
        let index = self.place(&column)?;
        let mut told = Ok(());
        self.edits = Some(Edits::with(self.edits.as_ref(), offset(index), |new| told = write!(new, "{value}")));
        // The row is not used after an error.
        told.map_err(|_| self.bad(&column, "the new value cannot be displayed").into())
    }

    /// Replaces the field in that column by what `write` makes of it.
    ///
    /// ```
    /// # use batch_csv::RecordRow;
    /// # let mut row = RecordRow::with_header(["name"], ["bolt"]);
    /// row.rewrite("name", |old, new| new.extend(old.chars().rev()))?;
    /// # assert_eq!(&row["name"], "tlob");
    /// # Ok::<(), batch_core::BoxError>(())
    /// ```
    ///
    /// # Errors
    /// As of [`field`](Self::field).
    pub fn rewrite(&mut self, column: impl ColumnIndex, write: impl FnOnce(&str, &mut NewText<'_>)) -> Result<()> {
        let index = self.place(&column)?;
        let old = self.at(index).unwrap_or_default();
        self.edits = Some(Edits::with(self.edits.as_ref(), offset(index), |new| write(old, new)));
        Ok(())
    }

    /// The header that the row stands under, if the file has one.
    pub fn header(&self) -> Option<&StringRecord> {
        self.block.header.as_deref().map(|header| &header.record)
    }

    /// The line on which the row begins, from 1; 0 for a row that was not read from a file.
    pub fn line(&self) -> u64 {
        self.row().line
    }

    /// An error that says what is wrong with a field of this row: its skip record names line, column and row.
    pub fn bad(&self, column: impl ColumnIndex, reason: impl Into<BoxError>) -> BadRecord {
        let name = self.find(&column).map_or_else(|| column.label(), |index| column_name(self.header(), index));
        self.blame(Some(name), reason.into())
    }

    /// The same row in a buffer of its own.
    pub fn detached(&self) -> Self {
        let mut block = Block::of(self.block.header.clone());
        block.push_made(self.len(), self.iter(), self.line());
        Self::shared(Arc::new(block), 0)
    }
}

impl RecordRow {
    #[inline]
    pub(crate) fn row(&self) -> Row<'_> {
        Row { edits: self.edits.as_ref(), ..self.block.row(self.index) }
    }

    /// What the row was split by.
    pub(crate) fn marks(&self) -> Marks {
        self.block.marks
    }

    /// The same, where its text is still the line that it was, but for its edits.
    #[inline]
    pub(crate) fn split_by(&self) -> Option<Marks> {
        self.block.row(self.index).plain.then_some(self.block.marks)
    }

    #[inline]
    fn find(&self, column: &impl ColumnIndex) -> Option<usize> {
        column.find(self.block.header.as_deref())
    }

    #[inline]
    fn at(&self, index: usize) -> Option<&str> {
        match self.edits.as_ref().and_then(|edits| edits.get(index)) {
            Some(edited) => Some(edited),
            None => self.block.field(self.index, index),
        }
    }

    /// The number of a field that is there.
    #[inline]
    fn place(&self, column: &impl ColumnIndex) -> Result<usize> {
        match self.find(column) {
            Some(index) if self.block.field(self.index, index).is_some() => Ok(index),
            _ => Err(self.missing(column)),
        }
    }

    #[cold]
    fn missing(&self, column: &impl ColumnIndex) -> BoxError {
        match (self.find(column), &self.block.header) {
            (Some(_), _) => self.bad(column, "the record ends before this field").into(),
            (None, Some(header)) => {
                let (name, names) = (column.label(), fault::names(&header.record));
                let message = format!("{}; it has {names}", fault::no_column(&name));
                Error::new(ErrorKind::Configuration, message).into()
            }
            (None, None) => {
                let message = format!("there is no header to find the column `{}` in; name it by its number", column.label());
                Error::new(ErrorKind::Configuration, message).into()
            }
        }
    }

    #[cold]
    fn not_parsed(&self, column: &impl ColumnIndex, field: &str, error: &dyn Display) -> BoxError {
        self.bad(column, format!("cannot parse {}: {error}", Quoted(field))).into()
    }

    #[cold]
    fn no_item(&self, problem: Problem) -> BoxError {
        let Fault { column, what } = problem.into_fault();
        match header_fault(self.header(), &what) {
            Some(message) => Error::new(ErrorKind::Configuration, message).into(),
            None => {
                let column = column.map(|index| column_name(self.header(), index));
                self.blame(column, what.to_string().into()).into()
            }
        }
    }

    fn blame(&self, column: Option<String>, reason: BoxError) -> BadRecord {
        let mut bad = BadRecord::new(reason);
        bad.line = Some(self.line()).filter(|line| *line > 0);
        bad.column = column;
        bad.raw = Some(crate::writer::line(self));
        bad
    }
}

impl<C: ColumnIndex> Index<C> for RecordRow {
    type Output = str;

    /// # Panics
    /// There is no such field.
    #[expect(clippy::panic, reason = "as of every index; `get` and `field` do not")]
    fn index(&self, column: C) -> &str {
        match self.get(&column) {
            Some(field) => field,
            None => panic!("the row has no field {}", column.label()),
        }
    }
}

impl PartialEq for RecordRow {
    /// Whether both have the same fields under the same names.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter()) && self.header() == other.header()
    }
}

impl Eq for RecordRow {}

impl fmt::Debug for RecordRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
