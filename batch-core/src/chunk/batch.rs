//! One chunk between reading and commit: its items, what was left out, and where it ends.

use super::source::Cut;
use crate::{
    error::{BadRecord, BoxError, ItemProblem, chain, find},
    execution::{Counts, Phase, SkipRecord},
    item::{Chunk, Encoded, Gaps, Numbers, Total},
};
use serde_json::Value;
use std::time::Duration;

/// A filled chunk. Buffers are kept from chunk to chunk.
#[derive(Debug)]
pub(super) struct Batch<Out> {
    /// What the processor let through, in input order.
    pub(super) outs: Vec<Out>,
    /// What the writer's encoder made of all of them.
    pub(super) encoded: Option<Encoded>,
    /// Number of the first record since the instance began.
    pub(super) first: u64,
    /// Records consumed.
    pub(super) read: u64,
    pub(super) filtered: u64,
    /// The number of items at which it was full, whatever else ended it.
    pub(super) size: usize,
    /// For each item that the processor dropped, how many outputs were before it.
    pub(super) dropped: Vec<u32>,
    /// For each record skipped in reading, how many items were before it.
    pub(super) skipped: Vec<u32>,
    /// Line of each item, where the reader knows lines.
    pub(super) lines: Vec<u64>,
    /// Skips in reading and processing; they count when the chunk commits.
    pub(super) skips: Vec<Skipped>,
    /// The reader's position behind the chunk.
    pub(super) position: Value,
    pub(super) total: Option<Total>,
    pub(super) read_time: Duration,
    pub(super) process_time: Duration,
    /// Nothing comes after this chunk.
    pub(super) end: bool,
    /// The run was asked to end while the chunk was being filled, or nothing may be read any more.
    pub(super) stopped: bool,
    /// Why the chunk cannot be written.
    pub(super) failure: Option<Failure>,
}

/// An item left out, and why.
#[derive(Debug)]
pub(super) struct Skipped {
    pub(super) record: SkipRecord,
    pub(super) error: BoxError,
}

/// Why a chunk fails.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) phase: Phase,
    /// Number and line of the item at fault, where one is known.
    pub(super) number: Option<u64>,
    pub(super) line: Option<u64>,
    pub(super) error: BoxError,
}

/// What it took to write a chunk; the fields are those of [`ChunkReport`](crate::ChunkReport).
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    pub(super) write_time: Duration,
    pub(super) open_time: Duration,
    pub(super) commit_time: Duration,
    pub(super) attempts: u32,
    pub(super) write_calls: u32,
}

impl<Out> Default for Batch<Out> {
    fn default() -> Self {
        Self {
            outs: Vec::new(),
            encoded: None,
            first: 0,
            read: 0,
            filtered: 0,
            size: 0,
            dropped: Vec::new(),
            skipped: Vec::new(),
            lines: Vec::new(),
            skips: Vec::new(),
            position: Value::Null,
            total: None,
            read_time: Duration::ZERO,
            process_time: Duration::ZERO,
            end: false,
            stopped: false,
            failure: None,
        }
    }
}

impl<Out> Batch<Out> {
    /// Empties the batch for a chunk that begins with record `first`.
    pub(super) fn begin(&mut self, first: u64) {
        self.outs.clear();
        self.encoded = None;
        self.dropped.clear();
        self.skipped.clear();
        self.lines.clear();
        self.skips.clear();
        (self.first, self.read, self.filtered) = (first, 0, 0);
        (self.read_time, self.process_time) = (Duration::ZERO, Duration::ZERO);
        (self.end, self.stopped, self.failure) = (false, false, None);
    }

    /// Whether its items are all there to be processed.
    pub(super) fn is_read(&self) -> bool {
        !self.stopped && self.failure.is_none()
    }

    /// Notes that filling it was given up.
    pub(super) fn cut(&mut self, cut: Option<Cut>) {
        match cut {
            None => {}
            Some(Cut::Unwanted) => self.stopped = true,
            Some(Cut::Late(limit)) => {
                let error = format!("reading and processing the chunk took longer than {limit:?}").into();
                self.failure = Some(Failure { phase: Phase::Process, number: None, line: None, error });
            }
        }
    }

    /// Whether no chunk can follow this one.
    pub(super) fn is_last(&self) -> bool {
        self.end || self.stopped || self.failure.is_some()
    }

    /// Items read, those that were filtered or skipped in processing included.
    pub(super) fn items(&self) -> usize {
        self.outs.len() + self.dropped.len()
    }

    /// What the chunk adds, its skips in writing aside.
    pub(super) fn counts(&self) -> Counts {
        let skips = |phase| self.skips.iter().filter(|s| s.record.phase == phase).count() as u64;
        Counts {
            read: self.read,
            filtered: self.filtered,
            read_skips: skips(Phase::Read),
            process_skips: skips(Phase::Process),
            commits: 1,
            ..Counts::default()
        }
    }

    /// Which records the outputs from index `start` came from.
    pub(super) fn numbers(&self, start: usize) -> Gaps<'_> {
        Gaps { first: self.first, start, dropped: &self.dropped, skipped: &self.skipped }
    }

    /// Outputs `from..to` as a writer sees them.
    pub(super) fn chunk<'a>(&'a self, from: usize, to: usize, origin: &'a str) -> Chunk<'a, Out> {
        let encoded = self.encoded.as_ref().filter(|_| to - from == self.outs.len());
        Chunk::new(&self.outs[from..to], Numbers::Gaps(self.numbers(from)), origin).with_encoded(encoded)
    }

    /// Number and line of output `index`.
    pub(super) fn place(&self, index: usize) -> (u64, Option<u64>) {
        let numbers = self.numbers(index);
        (numbers.at(0), self.lines.get(numbers.item(0)).copied())
    }

    /// Number and line of input item `item`.
    pub(super) fn place_of_item(&self, item: usize) -> (u64, Option<u64>) {
        (self.numbers(0).of_item(item), self.lines.get(item).copied())
    }
}

impl Skipped {
    /// The record of an item that failed in `phase` with `error`.
    pub(super) fn new(phase: Phase, (number, line): (u64, Option<u64>), item: Option<String>, error: BoxError) -> Self {
        let bad = find::<BadRecord>(&error);
        let problem = find::<ItemProblem>(&error);
        let reason = match (bad, problem) {
            (Some(bad), _) => chain(bad.reason().as_ref()),
            (None, Some(problem)) => problem.reason.clone(),
            (None, None) => chain(error.as_ref()),
        };
        let record = SkipRecord {
            phase,
            number,
            line: bad.and_then(|b| b.line).or(line),
            byte: bad.and_then(|b| b.byte),
            column: bad.and_then(|b| b.column.clone()).or_else(|| problem.map(|p| p.column.to_owned())),
            reason,
            item: bad.and_then(|b| b.raw.clone()).or(item),
        };
        Self { record, error }
    }
}
