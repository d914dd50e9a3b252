//! Where a reader stands, and which file it stands in.

use super::split::Mark;
use crate::problem::{Count, file_error, io_error};
use batch_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use std::{fs::File, os::unix::fs::FileExt, path::Path};

/// How much of the file's beginning tells it from others: 64 KiB.
const HEAD: u64 = 64 * 1024;

/// Where a [`CsvReader`](crate::CsvReader) goes on after a restart, and what tells its file from another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvPosition {
    /// Offset of the byte after the last record consumed, from 0, in the file as it is stored.
    pub byte: u64,
    /// The line that begins there, from 1; `\n`, `\r` and `\r\n` each end a line, also between quotes.
    pub line: u64,
    /// Records consumed so far, bad ones included, the header not.
    pub record: u64,
    /// Fields that every record must have; unknown before the first record of a file without a header.
    #[serde(default)]
    pub width: Option<usize>,
    /// Length of the file in bytes when it was opened; what is appended later is not read.
    pub length: u64,
    /// BLAKE3 of the file's first 64 KiB (or of all of it), in hexadecimal.
    pub head: String,
}

/// What of a position moves.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) byte: u64,
    pub(super) line: u64,
    pub(super) record: u64,
    pub(super) width: Option<usize>,
}

impl Place {
    /// Goes over a record, behind which is `here`.
    #[inline]
    pub(super) fn advance(&mut self, here: Mark) {
        (self.byte, self.line) = (here.byte, here.line);
        self.record += 1;
    }
}

impl CsvPosition {
    pub(super) fn place(&self) -> Place {
        let Self { byte, line, record, width, .. } = *self;
        Place { byte, line, record, width }
    }

    /// That place in the same file.
    pub(super) fn at(&self, place: Place) -> Self {
        let Place { byte, line, record, width } = place;
        Self { byte, line, record, width, length: self.length, head: self.head.clone() }
    }

    /// The position at the beginning of an open file.
    pub(crate) fn start(file: &File, path: &Path) -> Result<Self, Error> {
        let failed = |e| io_error(ErrorKind::Failed, "cannot read the input file", path, e);
        let length = file.metadata().map_err(failed)?.len();
        let mut head = vec![0; usize::try_from(length.min(HEAD)).unwrap_or_default()];
        file.read_exact_at(&mut head, 0).map_err(failed)?;
        let head = blake3::hash(&head).to_hex().to_string();
        Ok(Self { byte: 0, line: 1, record: 0, width: None, length, head })
    }

    /// Refuses to go on at `saved` where this is another file, or where `saved` can't be a position behind the header.
    pub(crate) fn admit(&self, saved: &Self, header_end: u64, path: &Path) -> Result<(), Error> {
        let Some(what) = self.difference(saved, header_end) else { return Ok(()) };
        let todo = "put the file of the last run back, or start a new instance";
        Err(file_error(ErrorKind::NeedsOperator, format!("cannot go on in the input file: {what}; {todo}"), path))
    }

    fn difference(&self, saved: &Self, header_end: u64) -> Option<String> {
        if self.length != saved.length {
            let (now, then) = (Count(self.length), Count(saved.length));
            return Some(format!("the file has {now} bytes, at the last commit it had {then}"));
        }
        if self.head != saved.head {
            let head = Count(self.length.min(HEAD));
            return Some(format!("its first {head} bytes are not what they were at the last commit"));
        }
        let possible = (header_end..=self.length).contains(&saved.byte) && saved.line > 0;
        let (byte, length) = (Count(saved.byte), Count(self.length));
        (!possible).then(|| format!("the checkpoint names byte {byte}, where no record of its {length} bytes can begin"))
    }
}
