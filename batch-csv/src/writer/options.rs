//! What a user can say about an output.

use super::CsvWriter;
use csv::{QuoteStyle, Terminator};

/// When what was flushed is on the disk, and not only with the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fsync {
    /// Before every checkpoint: a restart finds it after a power failure, too.
    #[default]
    EachChunk,
    /// When the file is published. After a power failure the file can be behind its checkpoint; the restart is then refused.
    /// After the death of the process alone nothing is missing.
    AtEnd,
}

/// What is done about a file that has the output's name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// It is replaced when the output is published, and stays as it is until then.
    #[default]
    Replace,
    /// It is refused, with `Configuration`: when the step starts, and again when the output is published.
    Refuse,
}

impl<T> CsvWriter<T> {
    /// The byte between fields. Default: `,`.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.dialect.set(|d| d.delimiter = delimiter);
        self
    }

    /// The byte around fields that need it, doubled within. Default: `"`.
    #[must_use]
    pub fn quote(mut self, quote: u8) -> Self {
        self.dialect.set(|d| d.quote = quote);
        self
    }

    /// Which fields are quoted. Default: [`QuoteStyle::Necessary`].
    ///
    /// With [`QuoteStyle::Never`] an item whose field would need quotes is an error of that item.
    #[must_use]
    pub fn quote_style(mut self, style: QuoteStyle) -> Self {
        self.dialect.set(|d| d.style = style);
        self
    }

    /// What ends a record. Default: `\n`, as in the csv crate; RFC 4180 has [`Terminator::CRLF`].
    #[must_use]
    pub fn terminator(mut self, terminator: Terminator) -> Self {
        self.dialect.set(|d| d.terminator = terminator);
        self
    }

    /// Whether a header is written, named after the first item's fields. Default: true. Tuples and sequences have no names, and get none.
    #[must_use]
    pub fn headers(mut self, yes: bool) -> Self {
        self.headers = yes;
        self
    }

    /// The header to write, whatever the items' fields are called, and also when there are no items.
    #[must_use]
    pub fn header<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.header = Some(names.into_iter().map(|name| name.as_ref().to_owned()).collect());
        self
    }

    /// Whether items may have different numbers of fields. Default: false, they are an error of the item.
    #[must_use]
    pub fn flexible(mut self, yes: bool) -> Self {
        self.flexible = yes;
        self
    }

    /// Whether text that a spreadsheet would take for a formula gets a `'` before it. Default: false, data is not changed.
    ///
    /// Text that begins with `=`, `+`, `-`, `@`, tab, carriage return or NUL (OWASP ASVS 1.2.10, CWE-1236). Numbers are never
    /// changed, nor is text that is a number as a whole, such as `-12.50`; so a telephone number `+49 171` is, `+49171` is not.
    #[must_use]
    pub fn escape_formulas(mut self, yes: bool) -> Self {
        self.dialect.escape_formulas = yes;
        self
    }

    /// When the file is on the disk. Default: [`Fsync::EachChunk`].
    #[must_use]
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.fsync = fsync;
        self
    }

    /// What is done about a file of the output's name. Default: [`Existing::Replace`].
    #[must_use]
    pub fn existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }
}
