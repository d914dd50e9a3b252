//! The chunks between the source and their commit, in order: some in flight, some written, some waiting for their turn.

use super::{
    Fork,
    caution::Caution,
    fly::{Landed, Open, Route, fly},
    patience::Patience,
};
use crate::{
    chunk::{batch::Batch, feed::Feed, run::told, sink::give_up},
    error::{Error, ErrorKind},
    item::{Processor, Reader, Writer},
    step::StepRun,
    transaction::{Overlap, Transactions},
};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::{collections::VecDeque, sync::Arc};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// The line of chunks, at most as many as may be in flight.
pub(super) struct Line<W, T: Transactions, Out> {
    fork: Fork<W>,
    route: Arc<Route<T>>,
    patience: Patience,
    slots: VecDeque<Slot<W, T, Out>>,
    /// The number of the slot at the front.
    first: u64,
    aloft: FuturesUnordered<Flight<W, T, Out>>,
    spare: Vec<W>,
    pub(super) caution: Caution,
}

/// Ends with the slot's number.
type Flight<W, T, Out> = AbortOnDropHandle<(u64, Landed<W, T, Out>)>;

enum Slot<W, T: Transactions, Out> {
    Waiting(Waiting<Out>),
    Aloft,
    Written { batch: Batch<Out>, open: Open<W, T>, since: Instant },
}

impl<W, T: Transactions, Out> Slot<W, T, Out> {
    fn waiting(batch: Batch<Out>) -> Self {
        Self::Waiting(Waiting { batch, told: None, failed: false })
    }
}

/// A chunk with nothing in the database.
pub(super) struct Waiting<Out> {
    pub(super) batch: Batch<Out>,
    /// Whether listeners were told of it, and what one of them answered.
    pub(super) told: Option<Result<(), Error>>,
    /// It was in flight and failed.
    failed: bool,
}

/// Whose turn it is, and how far that chunk is.
pub(super) enum Turn<W, T: Transactions, Out> {
    Written(Batch<Out>, Open<W, T>),
    /// Nothing is in flight.
    Alone(Waiting<Out>),
}

impl<W, T, Out> Line<W, T, Out>
where
    Out: Send + Sync + 'static,
    W: Writer<Out, T::Conn>,
    T: Transactions,
{
    pub(super) fn new(fork: Fork<W>, route: Arc<Route<T>>, overlap: Overlap) -> Self {
        Self {
            fork,
            route,
            patience: Patience::new(overlap.idle / 2),
            slots: VecDeque::new(),
            first: 0,
            aloft: FuturesUnordered::new(),
            spare: Vec::new(),
            caution: Caution::default(),
        }
    }

    /// Awaits the chunk at the front, and lets others fly meanwhile.
    ///
    /// # Errors
    /// A task was lost.
    pub(super) async fn turn<R, P>(
        &mut self,
        feed: &mut Feed<R, P>,
        writer: &mut W,
        run: &StepRun,
    ) -> Result<Turn<W, T, Out>, Error>
    where
        R: Reader,
        P: Processor<R::Item, Out = Out>,
    {
        let mut open = true;
        loop {
            // Those behind fly while the one at the front commits, also where that is written already.
            while self.slots.len() < self.fork.chunks
                && let Some(batch) = feed.ready()
            {
                self.slots.push_back(Slot::waiting(batch));
            }
            self.launch(writer, run).await;
            if let Some(turn) = self.front().await {
                return Ok(turn);
            }
            let deadline = self.deadline();
            tokio::select! {
                biased;
                landed = self.aloft.next(), if !self.aloft.is_empty() => match landed {
                    Some(Ok((number, landed))) => self.landed(number, landed),
                    _ => return Err(lost(run, "the task that writes a chunk was lost")),
                },
                batch = feed.next(), if open && self.slots.len() < self.fork.chunks => match batch {
                    Some(batch) => self.slots.push_back(Slot::waiting(batch)),
                    None if self.slots.is_empty() => return Err(lost(run, "the task that reads ahead was lost")),
                    None => open = false,
                },
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => self.give_way().await,
            }
        }
    }

    /// Lets what may fly take off, in order. A chunk that failed while it was filled is judged first.
    async fn launch(&mut self, base: &mut W, run: &StepRun) {
        for (at, slot) in (self.first..).zip(&mut self.slots) {
            let Slot::Waiting(waiting) = slot else { continue };
            if self.caution.is_on() || !waiting.flies() {
                break;
            }
            if waiting.told.is_none() {
                waiting.told = Some(told(run).await);
                if !waiting.flies() {
                    break;
                }
            }
            let batch = std::mem::take(&mut waiting.batch);
            let span = tracing::debug_span!("chunk", first = batch.first, read = batch.read);
            let writer = self.spare.pop().unwrap_or_else(|| (self.fork.copy)(base));
            let flight = fly(writer, batch, self.route.clone()).instrument(span);
            self.aloft.push(AbortOnDropHandle::new(tokio::spawn(async move { (at, flight.await) })));
            *slot = Slot::Aloft;
        }
    }

    /// The chunk at the front, if its turn has come.
    async fn front(&mut self) -> Option<Turn<W, T, Out>> {
        match self.slots.pop_front()? {
            Slot::Written { batch, open, .. } => {
                self.first += 1;
                Some(Turn::Written(batch, open))
            }
            Slot::Aloft => {
                self.slots.push_front(Slot::Aloft);
                None
            }
            Slot::Waiting(waiting) => {
                self.first += 1;
                self.ground().await;
                if waiting.failed {
                    self.caution.trouble();
                }
                Some(Turn::Alone(waiting))
            }
        }
    }

    fn landed(&mut self, number: u64, landed: Landed<W, T, Out>) {
        let at = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        if let Some(open) = &landed.open {
            self.patience.wrote(open.written.saturating_sub(open.opened));
        }
        let Some(slot) = self.slots.get_mut(at) else { return };
        *slot = match landed.open {
            Some(open) => Slot::Written { batch: landed.batch, open, since: Instant::now() },
            None => Slot::Waiting(Waiting { batch: landed.batch, told: Some(Ok(())), failed: true }),
        };
    }

    /// When a chunk behind one that is still being written has waited long enough: that one may wait for its locks.
    fn deadline(&self) -> Option<Instant> {
        let waits = self.slots.iter().filter_map(|slot| match slot {
            Slot::Written { since, .. } => Some(*since + self.patience.wait()),
            _ => None,
        });
        waits.min()
    }

    /// Rolls back the chunks that are written behind one that is not.
    async fn give_way(&mut self) {
        tracing::warn!("a chunk in flight is rolled back: the one before it takes so long that it may wait for its locks");
        self.caution.trouble();
        self.undo_written().await;
    }

    /// Rolls back everything that is in flight, and waits for that. What is written goes first: others may wait for its locks.
    pub(super) async fn ground(&mut self) {
        loop {
            self.undo_written().await;
            match self.aloft.next().await {
                Some(Ok((number, landed))) => self.landed(number, landed),
                // A task that was lost has taken its transaction with it.
                Some(Err(_)) => {}
                None => return,
            }
        }
    }

    async fn undo_written(&mut self) {
        for slot in &mut self.slots {
            match std::mem::replace(slot, Slot::Aloft) {
                Slot::Written { batch, open, .. } => {
                    *slot = Slot::Waiting(Waiting { batch, told: Some(Ok(())), failed: false });
                    give_up(&*self.route.transactions, open.tx, false).await;
                }
                other => *slot = other,
            }
        }
    }

    /// Takes the writer of a chunk back that was committed.
    pub(super) fn recycle(&mut self, writer: W) {
        self.spare.push(writer);
    }
}

impl<Out> Waiting<Out> {
    /// A chunk that was in flight and could not be committed.
    pub(super) fn again(batch: Batch<Out>) -> Self {
        Self { batch, told: Some(Ok(())), failed: true }
    }

    fn flies(&self) -> bool {
        let batch = &self.batch;
        let whole = batch.failure.is_none() && !batch.stopped && !batch.outs.is_empty();
        whole && !self.failed && !matches!(self.told, Some(Err(_)))
    }
}

fn lost(run: &StepRun, message: &str) -> Error {
    run.error(ErrorKind::Failed, message)
}
