//! Bytes to records: where each begins, its fields without quotes, and what is wrong with its shape.

use super::{
    line::{self, End},
    lines::Lines,
    source::Source,
};
use crate::record::{Parts, offset};
use csv_core::ReadRecordResult as Step;
use std::io;

/// What a file's records are separated and quoted by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    pub(super) comment: Option<u8>,
}

impl Dialect {
    fn automaton(self) -> csv_core::Reader {
        let mut builder = csv_core::ReaderBuilder::new();
        builder.delimiter(self.delimiter).quoting(self.quote.is_some()).quote(self.quote.unwrap_or(b'"'));
        primed(builder.build())
    }
}

/// The automaton takes a byte order mark off what it sees first. That is done elsewhere, and after a seek the same three bytes
/// are data: so it sees an empty line first.
fn primed(mut core: csv_core::Reader) -> csv_core::Reader {
    core.read_record(b"\n", &mut [0], &mut [0]);
    core
}

/// Where something is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) byte: u64,
    pub(super) line: u64,
}

/// What [`Splitter::next`] came upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    Record,
    /// Longer than allowed, by its bytes in the file without the line end; its fields were not kept.
    TooLong(u64),
    /// The file ends between quotes; with the line on which they were opened.
    Unclosed(u64),
    End,
}

/// Takes records off a source one by one, in memory bounded by the longest one allowed.
///
/// Blank lines and comments before a record are stepped over here and not by the automaton, so that `begin` is where the record
/// begins. A comment ends with its line, whichever way that ends.
pub(super) struct Splitter {
    source: Source,
    core: csv_core::Reader,
    dialect: Dialect,
    lines: Lines,
    max: u64,
    found: Found,
    /// Where each field of the record found last ends.
    ends: Vec<u32>,
    /// The record found last, where it does not lie in the window as it is; longer where the automaton made it.
    text: Vec<u8>,
    text_len: usize,
    /// What the automaton counts in.
    core_ends: Vec<usize>,
    core_ends_len: usize,
    begin: Mark,
    /// No quote is before this byte, as counted by [`Source::seen`].
    unquoted: u64,
}

/// Where the record found last is.
#[derive(Debug, Clone, Copy)]
enum Found {
    /// In the window, so many bytes back: a line without quotes.
    Line(usize),
    /// In memory of its own, with the delimiter between fields.
    Unquoted,
    /// There, without.
    Automaton,
}

impl Splitter {
    pub(super) fn new(source: Source, dialect: Dialect, line: u64, max: u64) -> Self {
        Self {
            begin: Mark { byte: source.offset(), line },
            source,
            core: dialect.automaton(),
            dialect,
            lines: Lines::at(line),
            max,
            found: Found::Automaton,
            ends: Vec::with_capacity(64),
            text: vec![0; 4096],
            text_len: 0,
            core_ends: vec![0; 64],
            core_ends_len: 0,
            unquoted: 0,
        }
    }

    /// Goes to `mark`, where a record begins.
    pub(super) fn seek(&mut self, mark: Mark) {
        self.source = self.source.at(mark.byte);
        self.lines = Lines::at(mark.line);
        self.core = self.dialect.automaton();
        self.begin = mark;
        self.unquoted = 0;
    }

    /// The record found last.
    #[inline]
    pub(super) fn record(&self) -> Parts<'_, [u8]> {
        let ends = self.ends.as_slice();
        if let Found::Line(back) = self.found {
            return Parts { text: self.source.passed(back, self.text_len), ends, gap: 1 };
        }
        let gap = usize::from(matches!(self.found, Found::Unquoted));
        Parts { text: self.text.get(..self.text_len).unwrap_or_default(), ends, gap }
    }

    /// The record found last, where it is known to be text.
    #[inline]
    pub(super) fn text(&self) -> Option<Parts<'_, str>> {
        let Found::Line(back) = self.found else { return None };
        Some(Parts { text: self.source.passed_text(back, self.text_len)?, ends: &self.ends, gap: 1 })
    }

    /// Whether the record found last is a line without quotes.
    #[inline]
    pub(super) fn is_line(&self) -> bool {
        matches!(self.found, Found::Line(_))
    }

    /// Where the record found last begins.
    #[inline]
    pub(super) fn begin(&self) -> Mark {
        self.begin
    }

    /// Just after the record found last.
    #[inline]
    pub(super) fn here(&self) -> Mark {
        Mark { byte: self.source.offset(), line: self.lines.line }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Finds the next record. After an error it stands in the middle of one, and only `seek` helps.
    pub(super) fn next(&mut self) -> io::Result<Split> {
        if !self.skip_to_record()? {
            return Ok(Split::End);
        }
        self.begin = self.here();
        if let Some(size) = self.line().or_else(|| self.unquote()) {
            return Ok(self.judge(size));
        }
        (self.text_len, self.core_ends_len, self.found) = (0, 0, Found::Automaton);
        while self.source.fill()? {
            if self.step() {
                return self.complete();
            }
        }
        self.complete_at_end()
    }

    /// Steps over blank lines and comments; `false` at the end of the file.
    fn skip_to_record(&mut self) -> io::Result<bool> {
        while self.source.fill()? {
            match self.source.window().first() {
                Some(b'\r' | b'\n') => self.skip(1),
                first if first.is_some() && first == self.dialect.comment.as_ref() => self.skip_line()?,
                _ => return Ok(true),
            }
        }
        Ok(false)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while self.source.fill()? {
            let window = self.source.window();
            if let Some(end) = window.iter().position(|b| matches!(b, b'\r' | b'\n')) {
                self.skip(end);
                return Ok(());
            }
            self.skip(window.len());
        }
        Ok(())
    }

    fn skip(&mut self, count: usize) {
        self.lines.pass_any(self.source.window().get(..count).unwrap_or_default());
        self.source.consume(count);
    }

    /// Takes a record that is a line without quotes, as most are, where it lies. Returns its size; `None` for all others, and for the
    /// last line of the window.
    #[inline]
    fn line(&mut self) -> Option<u64> {
        let window = self.source.window();
        let end = End::of_line(window)?;
        let line = window.get(..end.at)?;
        if let Some(quote) = self.dialect.quote {
            let seen = self.source.seen();
            if seen + end.at as u64 > self.unquoted {
                let clear = usize::try_from(self.unquoted.saturating_sub(seen)).ok()?;
                let quote = memchr::memchr(quote, window.get(clear..)?).map_or(window.len(), |at| clear + at);
                self.unquoted = seen + quote as u64;
                if quote < end.at {
                    return None;
                }
            }
        }
        line::split(line, self.dialect.delimiter, &mut self.ends);
        (self.found, self.text_len) = (Found::Line(end.at + end.terminator), end.at);
        self.lines.pass_line();
        Some(self.take(end))
    }

    /// Takes a record with quotes that ends in the window and is as RFC 4180 says.
    fn unquote(&mut self) -> Option<u64> {
        let window = self.source.window();
        let end = line::unquote(window, self.dialect, &mut self.text, &mut self.ends)?;
        let record = window.get(..end.at + end.terminator)?;
        self.lines.pass_any(record);
        (self.found, self.text_len) = (Found::Unquoted, self.text.len());
        Some(self.take(end))
    }

    /// Steps over a record that ends so; returns its size in the file, without the line end.
    #[inline]
    fn take(&mut self, end: End) -> u64 {
        self.source.consume(end.at);
        let size = self.size();
        self.source.consume(end.terminator);
        size
    }

    /// Feeds the window to the automaton; whether the record is complete.
    fn step(&mut self) -> bool {
        if self.size() > self.max + self.source.unit() {
            // Too long already: what follows is read over the same memory, only to find the end.
            (self.text_len, self.core_ends_len) = (0, 0);
        }
        let (window, newlines) = (self.source.window(), self.core.line());
        let (text, ends) = (self.text.get_mut(self.text_len..), self.core_ends.get_mut(self.core_ends_len..));
        let (step, used, text, ends) = self.core.read_record(window, text.unwrap_or_default(), ends.unwrap_or_default());
        let bytes = window.get(..used).unwrap_or_default();
        self.lines.pass(bytes, self.core.line() - newlines);
        self.source.consume(used);
        self.text_len += text;
        self.core_ends_len += ends;
        if step == Step::Record {
            return true;
        }
        self.grow(&step);
        false
    }

    fn grow(&mut self, step: &Step) {
        match step {
            Step::OutputFull => self.text.resize((self.text.len() * 2).max(4096), 0),
            Step::OutputEndsFull => self.core_ends.resize(self.core_ends.len() * 2, 0),
            Step::InputEmpty | Step::Record | Step::End => {}
        }
    }

    /// Bytes of the file since the record began.
    fn size(&self) -> u64 {
        self.source.offset() - self.begin.byte
    }

    /// The `\n` of a `\r\n` belongs to the record, so that a position never stands between them.
    fn complete(&mut self) -> io::Result<Split> {
        let size = self.size() - self.source.unit();
        if self.lines.after_cr() && self.source.fill()? && self.source.window().first() == Some(&b'\n') {
            self.skip(1);
        }
        self.lines = Lines::at(self.lines.line);
        Ok(self.made(size))
    }

    /// Takes over what the automaton made.
    fn made(&mut self, size: u64) -> Split {
        self.ends.clear();
        self.ends.extend(self.core_ends.get(..self.core_ends_len).unwrap_or_default().iter().copied().map(offset));
        self.judge(size)
    }

    /// Ends the last line of a file that does not: nowhere but between quotes does a line end not end the record.
    fn complete_at_end(&mut self) -> io::Result<Split> {
        loop {
            let (text, ends) = (self.text.get_mut(self.text_len..), self.core_ends.get_mut(self.core_ends_len..));
            let (step, _, _, found) = self.core.read_record(b"\n", text.unwrap_or_default(), ends.unwrap_or_default());
            self.core_ends_len += found;
            match step {
                Step::Record => return Ok(self.made(self.size())),
                Step::OutputFull | Step::OutputEndsFull => self.grow(&step),
                Step::InputEmpty | Step::End => return Ok(Split::Unclosed(self.quote_line()?)),
            }
        }
    }

    fn judge(&self, size: u64) -> Split {
        if size > self.max { Split::TooLong(size) } else { Split::Record }
    }

    /// The line on which the field begins that the file ends in, found by reading the record again.
    fn quote_line(&self) -> io::Result<u64> {
        let mut source = self.source.at(self.begin.byte);
        let (mut core, mut lines) = (self.dialect.automaton(), Lines::at(self.begin.line));
        let mut opened = lines.line;
        let mut scratch = [0; 4096];
        while source.fill()? {
            let (found, used, _) = core.read_field(source.window(), &mut scratch);
            lines.pass_any(source.window().get(..used).unwrap_or_default());
            source.consume(used);
            if matches!(found, csv_core::ReadFieldResult::Field { .. }) {
                opened = lines.line;
            }
        }
        Ok(opened)
    }
}
