//! The contract of a reader.

use super::BoxReader;
use crate::error::Result;
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;

/// Yields the items of a step, one after the other, and says where it stands.
///
/// # Behavior
/// - `open` is called once before all else: with `None` on a first start, with the last committed position on a restart.
/// - `Ok(Some(item))` consumed one record; `Ok(None)` is the end, and the engine does not call again.
/// - `Err` of a [`BadRecord`](crate::BadRecord) consumed the record and may be skipped. `Err` of a
///   [`Transient`](crate::Transient) consumed nothing, and `read` may be called again. Any other `Err` fails the step.
/// - `read` is cancel-safe: its future dropped, nothing was consumed and `position` is unchanged.
/// - `position` is just after the last record consumed, and opening another reader there yields exactly the rest.
/// - A position that serialises to null means that the reader cannot seek: a restart reads and drops what was consumed.
/// - `close` is called once, after success and after failure, also when `open` failed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reader",
    label = "not a `Reader`",
    note = "a chunk step starts with its reader: `s.chunk(1000, CsvReader::<Row>::open(path))`"
)]
pub trait Reader: Send + 'static {
    /// What is read.
    type Item: Send + 'static;
    /// Where a restart goes on.
    type Position: Serialize + DeserializeOwned + Send + 'static;

    /// Makes the reader ready at the beginning, or just after `resume`.
    fn open(&mut self, resume: Option<Self::Position>) -> impl Future<Output = Result<()>> + Send;

    /// The next item, or `None` at the end.
    fn read(&mut self) -> impl Future<Output = Result<Option<Self::Item>>> + Send;

    /// Just after the last record consumed.
    fn position(&self) -> Self::Position;

    /// Pushes items until `into` holds `max`; `Ok(false)` is the end. On `Err` what was pushed stays, and counts as read.
    ///
    /// Readers that have many items at hand override it, to save the cost of a call an item. Cancel-safe like `read`, but for
    /// what was already pushed.
    fn read_chunk(&mut self, max: usize, into: &mut Vec<Self::Item>) -> impl Future<Output = Result<bool>> + Send {
        async move {
            while into.len() < max {
                match self.read().await? {
                    Some(item) => into.push(item),
                    None => return Ok(false),
                }
            }
            Ok(true)
        }
    }

    /// How far it is, for progress; in a unit of the reader's own (bytes, rows). Default: unknown.
    fn total(&self) -> Option<Total> {
        None
    }

    /// Bytes consumed so far, for completion by bytes. Default: 0, so that such a policy never ends a chunk.
    fn bytes(&self) -> u64 {
        0
    }

    /// Moves the line numbers of the items yielded since the last call into `lines`, one an item. Default: none known.
    ///
    /// They name the line in errors and skip records of items that the processor or the writer refuses.
    fn take_lines(&mut self, lines: &mut Vec<u64>) {
        lines.clear();
    }

    /// Connections of the job's database that the reader keeps while the step runs. Default: 0.
    fn connections(&self) -> usize {
        0
    }

    /// Lets go of what `open` took.
    fn close(&mut self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// The reader behind a box, so that it can be chosen at run time; costs one allocation a chunk.
    fn boxed(self) -> BoxReader<Self::Item>
    where
        Self: Sized,
    {
        BoxReader::new(self)
    }
}

/// How far a reader is, in its own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// Behind it.
    pub done: u64,
    /// In all.
    pub of: u64,
}
