//! Records that the automaton is not needed for, which takes many times longer: lines without quotes, and records whose quotes are
//! where they should be.

use super::split::Dialect;
use crate::record::offset;

/// Where a record ends in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Its last byte is before this one.
    pub(super) at: usize,
    /// Bytes of its line end.
    pub(super) terminator: usize,
}

impl End {
    /// The end of the first line; `None` where the window may not have all of it.
    #[inline]
    pub(super) fn of_line(window: &[u8]) -> Option<Self> {
        Self::at(window, memchr::memchr2(b'\r', b'\n', window)?)
    }

    #[inline]
    fn at(window: &[u8], at: usize) -> Option<Self> {
        match window.get(at..)? {
            [b'\r', b'\n', ..] => Some(Self { at, terminator: 2 }),
            [_, _, ..] => Some(Self { at, terminator: 1 }),
            _ => None,
        }
    }
}

/// Finds the ends of a line's fields, which have no quotes.
#[inline]
pub(super) fn split(line: &[u8], delimiter: u8, ends: &mut Vec<u32>) {
    ends.clear();
    ends.extend(memchr::memchr_iter(delimiter, line).map(offset));
    ends.push(offset(line.len()));
}

/// Appends the fields of a record with quotes to `text`, with the delimiter between them, and says where the record ends.
///
/// `None` where it does not end in the window, or has a quoted field with something behind its closing quote: what that means, the
/// automaton decides.
pub(super) fn unquote(window: &[u8], dialect: Dialect, text: &mut Vec<u8>, ends: &mut Vec<u32>) -> Option<End> {
    let quote = dialect.quote?;
    text.clear();
    ends.clear();
    let mut at = 0;
    loop {
        at = match window.get(at..)? {
            [first, ..] if *first == quote => quoted(window, at + 1, quote, text)?,
            rest => {
                let length = memchr::memchr3(dialect.delimiter, b'\r', b'\n', rest)?;
                text.extend_from_slice(rest.get(..length)?);
                at + length
            }
        };
        ends.push(offset(text.len()));
        match *window.get(at)? {
            b'\r' | b'\n' => return End::at(window, at),
            delimiter if delimiter == dialect.delimiter => text.push(delimiter),
            _ => return None,
        }
        at += 1;
    }
}

/// Appends a field whose first byte between quotes is at `at`; returns where the one after its closing quote is.
fn quoted(window: &[u8], mut at: usize, quote: u8, text: &mut Vec<u8>) -> Option<usize> {
    loop {
        let rest = window.get(at..)?;
        let length = memchr::memchr(quote, rest)?;
        at += length + 1;
        if window.get(at) != Some(&quote) {
            text.extend_from_slice(rest.get(..length)?);
            return Some(at);
        }
        text.extend_from_slice(rest.get(..=length)?);
        at += 1;
    }
}
