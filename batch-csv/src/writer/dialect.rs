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
}

impl Default for Dialect {
    fn default() -> Self {
        let (style, terminator) = (QuoteStyle::Necessary, Terminator::Any(b'\n'));
        let mut dialect = Self { delimiter: b',', quote: b'"', style, terminator, escape_formulas: false, special: [false; 256] };
        dialect.set(|_| {});
        dialect
    }
}

impl Dialect {
    /// Changes the bytes that separate, and with them which fields need quotes.
    pub(super) fn set(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.special = std::array::from_fn(|byte| u8::try_from(byte).is_ok_and(|byte| self.is_special(byte)));
    }

    /// Why this cannot be read back, if so.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let line_end = |byte: u8| matches!(byte, b'\r' | b'\n');
        let ends_with = |byte: u8| matches!(self.terminator, Terminator::Any(end) if end == byte);
        let odd = |byte: u8| !byte.is_ascii() || line_end(byte) || ends_with(byte);
        (self.delimiter == self.quote || odd(self.delimiter) || odd(self.quote))
            .then_some("delimiter, quote and line end must differ, and delimiter and quote be ASCII, no line end")
    }

    /// Appends a field; `Err` where it cannot be told from two, because quoting is off.
    pub(super) fn field(&self, out: &mut Vec<u8>, field: &[u8], text: bool) -> Result<(), &'static str> {
        let escape: &[u8] = if text && self.escape_formulas && is_formula(field) { b"'" } else { b"" };
        let special = field.iter().any(|byte| self.special[usize::from(*byte)]);
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
        for byte in field {
            out.push(*byte);
            if *byte == self.quote {
                out.push(self.quote);
            }
        }
        out.push(self.quote);
        Ok(())
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
