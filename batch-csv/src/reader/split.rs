//! Bytes to records: where each begins, its fields without quotes, and what is wrong with its shape.

use super::{lines::Lines, parts::Parts, source::Source};
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
    text: Vec<u8>,
    ends: Vec<usize>,
    text_len: usize,
    ends_len: usize,
    /// The delimiters of the record found last, where it is a line without quotes, and bytes since it began.
    line_ends: Vec<usize>,
    line_back: Option<usize>,
    begin: Mark,
}

impl Splitter {
    pub(super) fn new(source: Source, dialect: Dialect, line: u64, max: u64) -> Self {
        let begin = Mark { byte: source.offset(), line };
        let (text, ends) = (vec![0; 4096], vec![0; 64]);
        let (lines, core) = (Lines::at(line), dialect.automaton());
        let (text_len, ends_len, line_ends, line_back) = (0, 0, Vec::new(), None);
        Self { source, core, dialect, lines, max, text, ends, text_len, ends_len, line_ends, line_back, begin }
    }

    /// Goes to `mark`, where a record begins.
    pub(super) fn seek(&mut self, mark: Mark) {
        self.source = self.source.at(mark.byte);
        self.lines = Lines::at(mark.line);
        self.core = self.dialect.automaton();
        self.begin = mark;
    }

    /// The record found last.
    #[inline]
    pub(super) fn record(&self) -> Parts<'_, [u8]> {
        if let Some(back) = self.line_back {
            let (ends, length) = (self.line_ends.as_slice(), self.line_ends.last().copied());
            return Parts { text: self.source.passed(back, length.unwrap_or_default()), ends, gap: 1 };
        }
        let (text, ends) = (self.text.get(..self.text_len), self.ends.get(..self.ends_len));
        Parts { text: text.unwrap_or_default(), ends: ends.unwrap_or_default(), gap: 0 }
    }

    /// The record found last, where it is known to be text.
    #[inline]
    pub(super) fn text(&self) -> Option<Parts<'_, str>> {
        let (ends, length) = (self.line_ends.as_slice(), *self.line_ends.last()?);
        Some(Parts { text: self.source.passed_text(self.line_back?, length)?, ends, gap: 1 })
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
        if let Some(size) = self.line() {
            return Ok(self.judge(size));
        }
        (self.text_len, self.ends_len, self.line_back) = (0, 0, None);
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

    /// Takes a record that is a line without quotes, as most are, where it lies: three searches take a third of the time that the
    /// automaton does, and mean the same. Returns its size; `None` for all others, and for the last line of the window.
    fn line(&mut self) -> Option<u64> {
        let window = self.source.window();
        let end = memchr::memchr2(b'\r', b'\n', window)?;
        let (line, rest) = window.split_at_checked(end)?;
        let terminator = match rest {
            [b'\r', b'\n', ..] => 2,
            [_, _, ..] => 1,
            _ => return None,
        };
        if self.dialect.quote.is_some_and(|quote| memchr::memchr(quote, line).is_some()) {
            return None;
        }
        self.line_ends.clear();
        self.line_ends.extend(memchr::memchr_iter(self.dialect.delimiter, line));
        self.line_ends.push(end);
        self.source.consume(end);
        let size = self.size();
        self.source.consume(terminator);
        self.lines.pass_line();
        self.line_back = Some(end + terminator);
        Some(size)
    }

    /// Feeds the window to the automaton; whether the record is complete.
    fn step(&mut self) -> bool {
        if self.size() > self.max + self.source.unit() {
            // Too long already: what follows is read over the same memory, only to find the end.
            (self.text_len, self.ends_len) = (0, 0);
        }
        let (window, newlines) = (self.source.window(), self.core.line());
        let (text, ends) = (self.text.get_mut(self.text_len..), self.ends.get_mut(self.ends_len..));
        let (step, used, text, ends) = self.core.read_record(window, text.unwrap_or_default(), ends.unwrap_or_default());
        let bytes = window.get(..used).unwrap_or_default();
        self.lines.pass(bytes, self.core.line() - newlines);
        self.source.consume(used);
        self.text_len += text;
        self.ends_len += ends;
        if step == Step::Record {
            return true;
        }
        self.grow(&step);
        false
    }

    fn grow(&mut self, step: &Step) {
        match step {
            Step::OutputFull => self.text.resize(self.text.len() * 2, 0),
            Step::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
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
        Ok(self.judge(size))
    }

    /// Ends the last line of a file that does not: nowhere but between quotes does a line end not end the record.
    fn complete_at_end(&mut self) -> io::Result<Split> {
        loop {
            let (text, ends) = (self.text.get_mut(self.text_len..), self.ends.get_mut(self.ends_len..));
            let (step, _, _, found) = self.core.read_record(b"\n", text.unwrap_or_default(), ends.unwrap_or_default());
            self.ends_len += found;
            match step {
                Step::Record => return Ok(self.judge(self.size())),
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
