//! Rows that were split many at a time, and are yielded one by one.

use super::{position::Place, reading::Reading};
use crate::record::{Block, Marks, RecordRow};
use batch_core::{BoxError, Result};
use std::{collections::VecDeque, sync::Arc};

/// Bytes of text after which a block is full: as much as the window it is taken from, so that both stay in the second-level cache.
const SIZE: usize = 128 * 1024;
/// Rows after which it is full, however short.
const ROWS: usize = 4096;
/// Blocks that are remembered while rows of theirs are somewhere, to be used again.
const OUT: usize = 256;

/// The block whose rows are being yielded, and those before it.
#[derive(Default)]
pub(super) struct Shelf {
    block: Arc<Block>,
    /// The row to be yielded next.
    next: usize,
    /// What was found behind the block, with the place behind that.
    bad: Option<(Place, BoxError)>,
    /// Oldest first.
    out: VecDeque<Arc<Block>>,
}

impl Shelf {
    /// A block that no row has any more.
    fn free(&mut self) -> Arc<Block> {
        let block = std::mem::take(&mut self.block);
        self.next = 0;
        self.out.push_back(block);
        let oldest_is_free = self.out.front_mut().is_some_and(|block| Arc::get_mut(block).is_some());
        let full = self.out.len() > OUT;
        match self.out.pop_front_if(|_| oldest_is_free || full) {
            Some(block) if oldest_is_free => block,
            _ => Arc::default(),
        }
    }
}

impl Reading {
    /// Yields the next row.
    #[inline]
    pub(super) fn next_row(&mut self) -> Result<Option<RecordRow>> {
        if self.shelf.next >= self.shelf.block.len() && !self.stock()? {
            return Ok(None);
        }
        Ok(Some(self.take_row()))
    }

    /// Yields rows into `into` until that holds `max`; `Ok(false)` at the end.
    pub(super) fn next_rows(&mut self, max: usize, into: &mut Vec<RecordRow>) -> Result<bool> {
        while into.len() < max {
            let left = self.shelf.block.len() - self.shelf.next;
            if left == 0 {
                if !self.stock()? {
                    return Ok(false);
                }
                continue;
            }
            let count = left.min(max - into.len());
            into.extend((0..count).map(|_| self.take_row()));
        }
        Ok(true)
    }

    /// Yields a row of the block that has one.
    #[inline]
    fn take_row(&mut self) -> RecordRow {
        let Shelf { block, next, .. } = &mut self.shelf;
        let row = RecordRow::shared(Arc::clone(block), crate::record::offset(*next));
        if let Some((byte, line)) = block.after(*next) {
            (self.place.byte, self.place.line) = (byte, line);
        }
        let line = block.line(*next);
        *next += 1;
        self.place.record += 1;
        self.place.width = self.ahead.width;
        self.note(line);
        row
    }

    /// Fills a block with the rows that come next; `false` at the end. What is bad behind them is told when they are yielded.
    fn stock(&mut self) -> Result<bool> {
        if let Some((place, error)) = self.shelf.bad.take() {
            self.place = place;
            return Err(error);
        }
        let mut shared = self.shelf.free();
        let found = match Arc::get_mut(&mut shared) {
            Some(block) => self.fill(block),
            None => Ok(()),
        };
        self.shelf.block = shared;
        match found {
            Ok(()) => Ok(self.shelf.block.len() > 0),
            Err(error) if self.shelf.block.len() == 0 => {
                self.place = self.ahead;
                Err(error)
            }
            Err(error) => {
                self.shelf.bad = Some((self.ahead, error));
                Ok(true)
            }
        }
    }

    fn fill(&mut self, block: &mut Block) -> Result<()> {
        let dialect = self.options.dialect;
        let marks = Marks { delimiter: dialect.delimiter, quote: dialect.quote };
        block.begin(self.open.as_ref().and_then(|open| open.header.as_ref()), marks);
        while block.len() < ROWS && block.size() < SIZE {
            let pushed = self.split(|row| {
                block.push(row);
                Ok(())
            })?;
            if pushed.is_none() {
                break;
            }
            block.end(self.ahead.byte, self.ahead.line);
        }
        Ok(())
    }
}
