//! Several inputs as one.

use crate::{
    error::{BadRecord, Error, ErrorKind, Result, caused_by},
    item::{BoxReader, Reader, Total},
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Reads several inputs one after the other, in the order given; each has its own reader, open only while it is read.
///
/// ```
/// use batch_core::item::{ListReader, MultiReader};
/// let reader = MultiReader::new(["a.txt", "b.txt"], |path| ListReader::new([format!("first line of {path}")]));
/// # let _ = reader;
/// ```
///
/// A restart needs the same inputs in the same order; fewer of them than were committed are refused with kind `NeedsOperator`.
/// An error of opening or closing an input is returned by the `read` that goes on to the next one.
pub struct MultiReader<S, F, R> {
    sources: Vec<S>,
    make: F,
    state: State<R>,
    /// Index of the current source.
    at: usize,
    tally: Tally,
    /// Bytes of the sources behind.
    bytes: u64,
    /// Lines of the sources behind that nobody took yet.
    lines: Vec<u64>,
}

enum State<R> {
    /// The current source is not open.
    Idle,
    Reading(R),
    /// On the way to the current source. Kept between calls, so that a `read` dropped meanwhile interrupts nothing.
    Moving(BoxFuture<'static, Result<R>>),
}

/// Where a [`MultiReader`] stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultiPosition<P> {
    /// Index of the source, from 0; the number of sources at the end.
    source: usize,
    /// Records consumed of it: what a reader that cannot seek has to drop.
    read: u64,
    /// Its reader's own position.
    at: Option<P>,
}

/// What was read; a separate value, so that it is right even where a `read_chunk` is dropped in the middle.
#[derive(Default)]
struct Tally {
    /// Records consumed of the current source.
    read: u64,
    /// Items yielded since the lines were taken.
    yielded: usize,
}

impl<S, F, R> MultiReader<S, F, R>
where
    S: Clone,
    F: Fn(S) -> R,
    R: Reader,
{
    /// Reads each of `sources` with the reader that `make` builds for it.
    pub fn new(sources: impl IntoIterator<Item = S>, make: F) -> Self {
        let sources = sources.into_iter().collect();
        Self { sources, make, state: State::Idle, at: 0, tally: Tally::default(), bytes: 0, lines: Vec::new() }
    }

    /// The open reader of the current source; on the way to it, if need be. `None` at the end.
    async fn current(&mut self) -> Result<Option<(&mut R, &mut Tally)>> {
        if let State::Idle = self.state {
            let Some(source) = self.sources.get(self.at) else { return Ok(None) };
            self.state = State::Moving(Box::pin(open(None, (self.make)(source.clone()))));
        }
        if let State::Moving(moving) = &mut self.state {
            // On an error the state stays idle, so that a transient one can be tried again.
            let opened = moving.await;
            self.state = State::Idle;
            self.state = State::Reading(opened?);
        }
        match &mut self.state {
            State::Reading(reader) => Ok(Some((reader, &mut self.tally))),
            State::Idle | State::Moving(_) => Ok(None),
        }
    }

    /// Leaves the current source, which is at its end.
    fn advance(&mut self) {
        let State::Reading(mut old) = std::mem::replace(&mut self.state, State::Idle) else { return };
        let mut lines = Vec::new();
        old.take_lines(&mut lines);
        self.lines.append(&mut lines);
        self.bytes += old.bytes();
        self.at += 1;
        self.tally.read = 0;
        self.state = match self.sources.get(self.at) {
            Some(source) => State::Moving(Box::pin(open(Some(old), (self.make)(source.clone())))),
            None => State::Reading(old),
        };
    }

    fn at_end(&self) -> bool {
        self.at >= self.sources.len()
    }
}

/// Closes `old` and opens `new`, which is closed again where it does not open.
async fn open<R: Reader>(old: Option<R>, mut new: R) -> Result<R> {
    if let Some(mut old) = old {
        old.close().await?;
    }
    match new.open(None).await {
        Ok(()) => Ok(new),
        Err(e) => {
            let _ = new.close().await;
            Err(e)
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S, F, R> Reader for MultiReader<S, F, R>
where
    S: Clone + Send + 'static,
    F: Fn(S) -> R + Send + 'static,
    R: Reader,
{
    type Item = R::Item;
    type Position = MultiPosition<R::Position>;

    async fn open(&mut self, resume: Option<Self::Position>) -> Result<()> {
        let MultiPosition { source, read, at } = resume.unwrap_or(MultiPosition { source: 0, read: 0, at: None });
        self.at = source;
        self.tally = Tally::default();
        let Some(found) = self.sources.get(source) else {
            return if source == self.sources.len() { Ok(()) } else { Err(gone(source, self.sources.len()).into()) };
        };
        let State::Reading(reader) = self.state_of((self.make)(found.clone())) else { return Ok(()) };
        // A position that is null says that the reader cannot seek.
        let at = match at {
            Some(at) if !serde_json::to_value(&at)?.is_null() => Some(at),
            _ => None,
        };
        let dropped = if at.is_some() { 0 } else { read };
        reader.open(at).await?;
        drop_records(reader, dropped).await?;
        self.tally.read = read;
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<R::Item>> {
        while !self.at_end() {
            let Some((reader, tally)) = self.current().await? else { return Ok(None) };
            let record = reader.read().await;
            tally.read += u64::from(consumed(&record));
            match record? {
                Some(item) => {
                    tally.yielded += 1;
                    return Ok(Some(item));
                }
                None => self.advance(),
            }
        }
        Ok(None)
    }

    fn position(&self) -> Self::Position {
        let at = match &self.state {
            State::Reading(reader) if !self.at_end() => Some(reader.position()),
            _ => None,
        };
        MultiPosition { source: self.at, read: self.tally.read, at }
    }

    async fn read_chunk(&mut self, max: usize, into: &mut Vec<R::Item>) -> Result<bool> {
        while into.len() < max && !self.at_end() {
            let Some((reader, tally)) = self.current().await? else { return Ok(false) };
            let pushing = Pushing { before: into.len(), into, tally };
            let more = reader.read_chunk(max, pushing.into).await;
            if more.as_ref().is_err_and(|e| caused_by::<BadRecord>(e, |_| true)) {
                pushing.tally.read += 1;
            }
            drop(pushing);
            if !more? {
                self.advance();
            }
        }
        Ok(into.len() >= max)
    }

    /// Its ratio is what counts: sources are taken to be as long as the current one.
    fn total(&self) -> Option<Total> {
        let (at, sources) = (self.at as u64, self.sources.len() as u64);
        let current = match &self.state {
            State::Reading(reader) if !self.at_end() => reader.total(),
            _ => None,
        };
        let Total { done, of } = current.filter(|t| t.of > 0).unwrap_or(Total { done: 0, of: 1 });
        Some(Total { done: at * of + done, of: sources * of })
    }

    fn bytes(&self) -> u64 {
        match &self.state {
            State::Reading(reader) if !self.at_end() => self.bytes + reader.bytes(),
            _ => self.bytes,
        }
    }

    fn take_lines(&mut self, lines: &mut Vec<u64>) {
        lines.clear();
        if let State::Reading(reader) = &mut self.state {
            reader.take_lines(lines);
        }
        lines.splice(0..0, self.lines.drain(..));
        // Some sources know lines and others do not: then nobody can tell which line is whose.
        if std::mem::take(&mut self.tally.yielded) != lines.len() {
            lines.clear();
        }
    }

    fn connections(&self) -> usize {
        match &self.state {
            State::Reading(reader) => reader.connections(),
            _ => self.sources.first().map_or(0, |source| (self.make)(source.clone()).connections()),
        }
    }

    async fn close(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => Ok(()),
            State::Reading(mut reader) => reader.close().await,
            State::Moving(moving) => moving.await?.close().await,
        }
    }

    fn boxed(self) -> BoxReader<R::Item> {
        BoxReader::new(self)
    }
}

impl<S, F, R> MultiReader<S, F, R> {
    /// The state with `reader` in it.
    fn state_of(&mut self, reader: R) -> &mut State<R> {
        self.state = State::Reading(reader);
        &mut self.state
    }
}

impl<S: fmt::Debug, F, R> fmt::Debug for MultiReader<S, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultiReader").field("sources", &self.sources).field("at", &self.at).finish_non_exhaustive()
    }
}

/// Counts what was pushed when it is dropped, wherever that is.
struct Pushing<'a, I> {
    before: usize,
    into: &'a mut Vec<I>,
    tally: &'a mut Tally,
}

impl<I> Drop for Pushing<'_, I> {
    fn drop(&mut self) {
        let pushed = self.into.len() - self.before;
        self.tally.read += pushed as u64;
        self.tally.yielded += pushed;
    }
}

fn consumed<I>(record: &Result<Option<I>>) -> bool {
    match record {
        Ok(item) => item.is_some(),
        Err(e) => caused_by::<BadRecord>(e, |_| true),
    }
}

/// Reads and drops what was committed of a source that cannot seek.
async fn drop_records<R: Reader>(reader: &mut R, records: u64) -> Result<()> {
    let mut dropped = 0;
    while dropped < records {
        let record = reader.read().await;
        match record {
            record if consumed(&record) => dropped += 1,
            Ok(_) => return Err(super::shrunk(records, Some(dropped))),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn gone(source: usize, sources: usize) -> Error {
    let message = format!("{} sources were begun, but there are {sources}: restore them before a restart", source + 1);
    Error::new(ErrorKind::NeedsOperator, message)
}

#[cfg(test)]
mod tests;
