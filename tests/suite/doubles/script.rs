//! What goes wrong when, and what happened.

use super::error::{X, Y};
use batch_core::{BadRecord, BoxError, Phase, Transient};
use parking_lot::Mutex;
use std::sync::Arc;

/// How a value fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A transient error; class X.
    Busy,
    /// A record that the reader has passed; class X.
    BadRecord,
    /// A plain error of class X.
    X,
    /// A plain error of class Y.
    Y,
    Panic,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Once,
    Twice,
    Always,
}

/// One script, shared by all doubles of a play.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<Seen>>);

struct Line {
    phase: Phase,
    value: i64,
    fault: Fault,
    left: u32,
}

/// What happened so far.
#[derive(Default)]
pub(crate) struct Seen {
    lines: Vec<Line>,
    /// Calls of `read`, the one at the end included.
    pub(crate) read_calls: usize,
    /// Items given to the processor.
    pub(crate) processed: Vec<i64>,
    /// Items of each write call, whatever became of them.
    pub(crate) writes: Vec<Vec<i64>>,
    /// The positions that the reader was opened at.
    pub(crate) reader_opens: Vec<Option<u64>>,
    /// The states that the writer was opened at.
    pub(crate) writer_opens: Vec<Option<u64>>,
    pub(crate) reader_closes: usize,
    pub(crate) writer_closes: usize,
    pub(crate) finishes: usize,
    /// Records consumed at each commit.
    pub(crate) boundaries: Vec<u64>,
    /// Items that a writer made durable, less those it took back.
    pub(crate) list: Vec<i64>,
    /// Length of the list before a flush that nothing has followed yet.
    pub(crate) unconfirmed: Option<usize>,
}

impl Script {
    pub(crate) fn fail(&self, phase: Phase, value: i64, fault: Fault, times: Times) {
        let left = match times {
            Times::Once => 1,
            Times::Twice => 2,
            Times::Always => u32::MAX,
        };
        self.seen(|seen| seen.lines.push(Line { phase, value, fault, left }));
    }

    /// Forgets what was to go wrong.
    pub(crate) fn heal(&self) {
        self.seen(|seen| seen.lines.clear());
    }

    pub(crate) fn seen<V>(&self, f: impl FnOnce(&mut Seen) -> V) -> V {
        f(&mut self.0.lock())
    }

    /// Fails where the script says so.
    pub(crate) fn meet(&self, phase: Phase, value: i64) -> Result<(), BoxError> {
        let fault = self.seen(|seen| {
            let line = seen.lines.iter_mut().find(|l| l.phase == phase && l.value == value && l.left > 0)?;
            line.left -= 1;
            Some(line.fault)
        });
        match fault {
            None => Ok(()),
            Some(Fault::Busy) => Err(Transient(X(value).into()).into()),
            Some(Fault::BadRecord) => Err(BadRecord::new(X(value)).into()),
            Some(Fault::X) => Err(X(value).into()),
            Some(Fault::Y) => Err(Y(value).into()),
            Some(Fault::Panic) => panic!("scripted at {value}"),
        }
    }
}

/// Each list of values as `[from-to]`, in the notation of the acceptance tables.
pub(crate) fn ranges(calls: &[Vec<i64>]) -> String {
    calls.iter().map(|call| format!("[{}]", range(call))).collect()
}

fn range(values: &[i64]) -> String {
    let runs = values.chunk_by(|a, b| a + 1 == *b);
    let texts: Vec<String> = runs
        .map(|run| match (run.first(), run.last()) {
            (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
            _ => run.iter().map(i64::to_string).collect(),
        })
        .collect();
    texts.join(",")
}
