//! What a writer hands to the checkpoint.

use crate::problem::{Count, file_error, io_error};
use batch_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

/// How much of the file's end tells it from others: 4 KiB, which fits the cost of a chunk.
const TAIL: usize = 4 * 1024;
const VERSION: u32 = 1;

/// The state of the file at a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    version: u32,
    /// Bytes.
    pub(super) length: u64,
    /// Items; the header is none.
    pub(super) records: u64,
    /// Fields of each record, where all have the same number.
    pub(super) fields: Option<usize>,
    /// BLAKE3 of the last 4 KiB, in hexadecimal.
    tail: String,
}

impl Default for Saved {
    fn default() -> Self {
        Self { version: VERSION, length: 0, records: 0, fields: None, tail: Tail::default().hash() }
    }
}

impl Saved {
    pub(super) fn parse(value: &Value, path: &Path) -> Result<Self, Error> {
        let refuse = |what: &str| {
            let message = format!("the output file's checkpoint {what}; start a new instance");
            file_error(ErrorKind::NeedsOperator, message, path)
        };
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version > u64::from(VERSION) => Err(refuse("was written by a newer program")),
            _ => Self::deserialize(value).map_err(|e| refuse("cannot be read").because(e)),
        }
    }

    pub(super) fn to_value(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    /// The state with `bytes` and `records` more, whose end is `tail`.
    pub(super) fn after(&self, bytes: u64, records: u64, fields: Option<usize>, tail: &Tail) -> Self {
        let (length, records) = (self.length + bytes, self.records + records);
        Self { version: VERSION, length, records, fields, tail: tail.hash() }
    }

    /// The end of `file` at this state; or in which way the file is not at it.
    pub(super) fn find(&self, file: &File, path: &Path) -> Result<Result<Tail, String>, Error> {
        let failed = |e| io_error(ErrorKind::Failed, "cannot read the output file", path, e);
        let length = file.metadata().map_err(failed)?.len();
        if length < self.length {
            let (now, then) = (Count(length), Count(self.length));
            return Ok(Err(format!("it has {now} bytes, at the last commit it had {then}")));
        }
        let tail = Tail::read(file, self.length).map_err(failed)?;
        if tail.hash() != self.tail {
            let (bytes, length) = (Count(tail.0.len() as u64), Count(self.length));
            return Ok(Err(format!("the {bytes} bytes before byte {length} are not those of the last commit")));
        }
        Ok(Ok(tail))
    }
}

/// The last bytes of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    fn read(file: &File, length: u64) -> io::Result<Self> {
        let size = usize::try_from(length).unwrap_or(TAIL).min(TAIL);
        let mut bytes = vec![0; size];
        file.read_exact_at(&mut bytes, length - size as u64)?;
        Ok(Self(bytes))
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let new = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
        let surplus = (self.0.len() + new.len()).saturating_sub(TAIL);
        self.0.drain(..surplus);
        self.0.extend_from_slice(new);
    }

    fn hash(&self) -> String {
        blake3::hash(&self.0).to_hex().to_string()
    }
}
