//! Fields and records as bytes (RFC 4180).

use csv::{QuoteStyle, Terminator};

/// What records are separated and quoted by, with the defaults in [`Dialect::default`].
#[derive(Debug, Clone)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    pub(super) style: QuoteStyle,
    pub(super) terminator: Terminator,
    pub(super) escape_formulas: bool,
    /// For each byte, whether a field that contains it needs quotes; kept by [`Dialect::set`].
    special: [bool; 256],
    /// Whether numbers and truth values are written as they are; kept, too.
    bare_numbers: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        let (style, terminator) = (QuoteStyle::Necessary, Terminator::Any(b'\n'));
        let (delimiter, quote, special, bare_numbers) = (b',', b'"', [false; 256], false);
        let mut dialect = Self { delimiter, quote, style, terminator, escape_formulas: false, special, bare_numbers };
        dialect.set(|_| {});
        dialect
    }
}

impl Dialect {
    /// Changes the bytes that separate, and with them which fields need quotes.
    pub(super) fn set(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.special = std::array::from_fn(|byte| u8::try_from(byte).is_ok_and(|byte| self.is_special(byte)));
        let bare = matches!(self.style, QuoteStyle::Necessary | QuoteStyle::Never);
        self.bare_numbers = bare && !self.has_special(b"+-.0123456789abcdefghijklmnopqrstuvwxyzENI");
    }

    /// Why this cannot be read back, if so.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let line_end = |byte: u8| matches!(byte, b'\r' | b'\n');
        let ends_with = |byte: u8| matches!(self.terminator, Terminator::Any(end) if end == byte);
        let odd = |byte: u8| !byte.is_ascii() || line_end(byte) || ends_with(byte);
        (self.delimiter == self.quote || odd(self.delimiter) || odd(self.quote))
            .then_some("delimiter, quote and line end must differ, and delimiter and quote be ASCII, no line end")
    }

    /// Appends a field that is a text; `Err` where it cannot be told from two, because quoting is off.
    #[inline]
    pub(super) fn text(&self, out: &mut Vec<u8>, field: &[u8]) -> Result<(), &'static str> {
        if self.is_bare(field) {
            out.extend_from_slice(field);
            return Ok(());
        }
        self.dressed(out, field, self.escape_formulas && is_formula(field))
    }

    /// Appends a field that is a number, a truth value or nothing.
    #[inline]
    pub(super) fn number(&self, out: &mut Vec<u8>, field: &[u8]) -> Result<(), &'static str> {
        if self.bare_numbers {
            out.extend_from_slice(field);
            return Ok(());
        }
        self.dressed(out, field, false)
    }

    /// Appends a field that `write` appends as it is; where that is not how it stands in the file, it is done again.
    pub(super) fn written(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), &'static str> {
        let begin = out.len();
        write(out);
        if self.is_bare(out.get(begin..).unwrap_or_default()) {
            return Ok(());
        }
        let field = out.split_off(begin);
        self.text(out, &field)
    }

    /// Whether a text is certainly written as it is.
    #[inline]
    fn is_bare(&self, field: &[u8]) -> bool {
        matches!(self.style, QuoteStyle::Necessary) && !self.escape_formulas && !self.has_special(field)
    }

    fn dressed(&self, out: &mut Vec<u8>, field: &[u8], escape: bool) -> Result<(), &'static str> {
        let escape: &[u8] = if escape { b"'" } else { b"" };
        let special = self.has_special(field);
        if special && matches!(self.style, QuoteStyle::Never) {
            return Err("contains the delimiter, a quote or a line end, and quoting is off");
        }
        if !special && !self.quotes(field) {
            out.extend_from_slice(escape);
            out.extend_from_slice(field);
            return Ok(());
        }
        out.push(self.quote);
        out.extend_from_slice(escape);
        let mut rest = field;
        while let Some((part, behind)) = memchr::memchr(self.quote, rest).and_then(|at| rest.split_at_checked(at + 1)) {
            out.extend_from_slice(part);
            out.push(self.quote);
            rest = behind;
        }
        out.extend_from_slice(rest);
        out.push(self.quote);
        Ok(())
    }

    /// Eight bytes at a time, since one branch a byte is what most of a field's time went into.
    #[inline]
    fn has_special(&self, field: &[u8]) -> bool {
        let (words, rest) = field.as_chunks::<8>();
        let special = |byte: &u8| self.special[usize::from(*byte)];
        words.iter().any(|word| word.iter().fold(false, |any, byte| any | special(byte))) || rest.iter().any(special)
    }

    /// Appends the end of a record that began at `begin`. One empty field is written as two quotes: readers pass blank lines over.
    pub(super) fn end(&self, out: &mut Vec<u8>, begin: usize) {
        if out.len() == begin {
            out.extend_from_slice(&[self.quote, self.quote]);
        }
        match self.terminator {
            Terminator::Any(byte) => out.push(byte),
            _ => out.extend_from_slice(b"\r\n"),
        }
    }

    fn is_special(&self, byte: u8) -> bool {
        byte == self.delimiter
            || byte == self.quote
            || matches!(byte, b'\r' | b'\n')
            || matches!(self.terminator, Terminator::Any(end) if end == byte)
    }

    fn quotes(&self, field: &[u8]) -> bool {
        match self.style {
            QuoteStyle::Always => true,
            QuoteStyle::NonNumeric => !is_number(field),
            _ => false,
        }
    }
}

/// Whether a spreadsheet would compute the text: OWASP ASVS 1.2.10, CWE-1236. What is a number as a whole is none.
fn is_formula(field: &[u8]) -> bool {
    matches!(field.first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | 0)) && !is_number(field)
}

fn is_number(field: &[u8]) -> bool {
    std::str::from_utf8(field).is_ok_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite))
}
