//! What is wrong with a record, in the words of an operator.

use super::{encoding::Coding, open::Open, source::Form, split::Split};
use crate::{
    problem::{Count, file_error},
    record::{Fault, column_name, header_fault},
};
use batch_core::{BadRecord, BoxError, ErrorKind};
use std::path::Path;

/// Bytes of a bad record that are kept for its skip record.
const RAW: usize = 4 * 1024;

/// A bad record; its raw text is read from the file again, so that good ones pay nothing for it.
pub(super) fn record(open: &Open, column: Option<usize>, reason: String) -> BoxError {
    let begin = open.split.begin();
    let mut bad = BadRecord::new(reason);
    bad.line = Some(begin.line);
    bad.byte = Some(begin.byte);
    bad.column = column.map(|index| column_name(open.columns(), index));
    bad.raw = raw(open);
    bad.into()
}

/// The reason why a record was not split, if that is so.
#[inline]
pub(super) fn shape(open: &Open, split: Split, max: usize) -> Option<String> {
    let (begin, here) = (open.split.begin(), open.split.here());
    match split {
        Split::Record | Split::End => None,
        Split::TooLong(size) => Some(format!("the record has {} bytes, {} are allowed", Count(size), Count(max as u64))),
        Split::Unclosed(opened) => {
            let more = match here.line.saturating_sub(begin.line) {
                0 => String::new(),
                lines => format!(" and takes the {} line ends up to the end of the file", Count(lines)),
            };
            Some(format!("the quote opened on line {} is never closed{more}", Count(opened)))
        }
    }
}

/// The reason why a record has not as many fields as it must have.
pub(super) fn width(open: &Open, has: usize, must: usize) -> String {
    let other = if open.header.is_some() { "the header" } else { "the first record" };
    format!("the record has {}, {other} has {must}", fields(has))
}

/// A record that is no item; or the end, where the header is why none can be.
pub(super) fn fault(open: &Open, fault: Fault, path: &Path) -> BoxError {
    match (header_fault(open.columns(), &fault.what), fault.what) {
        (Some(message), _) => file_error(ErrorKind::Configuration, message, path).into(),
        (None, what) => record(open, fault.column, what.to_string()),
    }
}

fn fields(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}

/// The record as it stands in the file, without its line end; `None` where it cannot be read again.
fn raw(open: &Open) -> Option<String> {
    let (begin, end) = (open.split.begin().byte, open.split.here().byte);
    let length = usize::try_from(end.saturating_sub(begin)).unwrap_or(usize::MAX);
    let bytes = open.split.source().peek_raw(begin, length.min(RAW)).ok()?;
    if length <= RAW {
        return Some(open.coding.lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned());
    }
    Some(open.coding.lossy(whole(&bytes, open.coding)) + "…")
}

/// Without the character that the limit may have cut in two.
fn whole(bytes: &[u8], coding: Coding) -> &[u8] {
    let cut = match coding.form {
        Form::Utf16 { .. } => bytes.len() & !1,
        Form::Utf8 | Form::Bytes => {
            (0..4).map(|n| bytes.len() - n).find(|n| bytes.get(*n).is_none_or(|b| b & 0xC0 != 0x80)).unwrap_or(bytes.len())
        }
    };
    bytes.get(..cut).unwrap_or_default()
}
