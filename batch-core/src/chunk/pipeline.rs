//! Chunks in order, the next ones read and processed while the one before is being written.

use super::{batch::Batch, source::Source};
use crate::item::{Encoder, Processor, Reader};
use futures_util::poll;
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// The source and the chunks it filled ahead.
pub(super) struct Pipeline<R: Reader, P: Processor<R::Item>> {
    /// Away while it fills on its own task; gone for good when that task was aborted.
    source: Option<Box<Source<R, P>>>,
    ready: VecDeque<Batch<P::Out>>,
    spare: Vec<Batch<P::Out>>,
    ahead: usize,
    /// What filling the last chunk took, wherever that was, and the last write.
    filled: Duration,
    written: Duration,
}

/// What waking another thread takes, about: for less, and where writes are short, no chunk is filled ahead.
const QUICK: Duration = Duration::from_micros(20);
const SHORT: Duration = Duration::from_millis(1);

impl<R: Reader, P: Processor<R::Item>> Pipeline<R, P> {
    /// Chunks of `source`, at most `ahead` of them filled before their turn.
    pub(super) fn new(source: Box<Source<R, P>>, ahead: usize) -> Self {
        Self {
            source: Some(source),
            ready: VecDeque::new(),
            spare: Vec::new(),
            ahead,
            filled: Duration::MAX,
            written: Duration::MAX,
        }
    }

    /// Whether the last write waited for something, so that other tasks had their turn, and no thread is wanted to fill the next chunk.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.never_waits() && self.in_vain()
    }

    /// Whether the last write waited for nothing.
    pub(super) fn never_waits(&self) -> bool {
        self.written.is_zero()
    }

    /// Whether filling ahead would cost more than it saves.
    fn in_vain(&self) -> bool {
        self.filled < QUICK && self.written < SHORT
    }

    /// The next chunk; `None` when the source was lost.
    pub(super) async fn next(&mut self) -> Option<Batch<P::Out>> {
        let batch = match self.ready.pop_front() {
            Some(batch) => batch,
            None => {
                let mut batch = self.spare.pop().unwrap_or_default();
                self.source.as_mut()?.fill(&mut batch).await;
                batch
            }
        };
        self.filled = batch.read_time + batch.process_time;
        Some(batch)
    }

    /// Has the next chunks made ready by the writer's encoder.
    pub(super) fn encode_by(&mut self, encoder: Encoder<P::Out>) {
        if let Some(source) = &mut self.source {
            source.encoder = Some(encoder);
        }
    }

    /// Takes a chunk's buffers back.
    pub(super) fn recycle(&mut self, batch: Batch<P::Out>) {
        self.spare.push(batch);
    }

    /// Awaits the writing of a chunk, and fills the next ones meanwhile.
    ///
    /// Filling starts only once the write really waits: a writer in memory never pays for a task. Nor does a source that is quicker than a
    /// task is begun. It runs on a task of its own, so that the task which holds a transaction awaits nothing but its writer and its commit.
    pub(super) async fn overlap<T, E>(
        &mut self,
        last: bool,
        mut write: Pin<&mut impl Future<Output = Result<T, E>>>,
    ) -> Result<T, E> {
        if let Poll::Ready(written) = poll!(write.as_mut()) {
            self.written = Duration::ZERO;
            return written;
        }
        let begun = Instant::now();
        let written = self.fill_during(last, write).await;
        self.written = begun.elapsed();
        written
    }

    async fn fill_during<T, E>(&mut self, last: bool, write: Pin<&mut impl Future<Output = Result<T, E>>>) -> Result<T, E> {
        let room = self.ahead.saturating_sub(self.ready.len());
        if last || room == 0 || self.in_vain() || self.ready.back().is_some_and(|b| b.is_last()) {
            return write.await;
        }
        let Some(source) = self.source.take() else { return write.await };
        let cancel = source.surroundings.cancel.clone();
        let enough = Arc::new(AtomicBool::new(false));
        let filling =
            AbortOnDropHandle::new(tokio::spawn(fill_ahead(source, std::mem::take(&mut self.spare), room, enough.clone())));
        let written = write.await;
        enough.store(true, Ordering::Relaxed);
        if written.is_err() {
            cancel.cancel();
        }
        if let Ok((source, filled, spare)) = filling.await {
            self.source = Some(source);
            self.ready.extend(filled);
            self.spare = spare;
        }
        written
    }

    /// How many chunks may be filled before their turn.
    pub(super) fn ahead(&self) -> usize {
        self.ahead
    }

    /// Lends the source to who fills chunks in another way.
    pub(super) fn take_source(&mut self) -> Option<Box<Source<R, P>>> {
        self.source.take()
    }

    /// Takes a lent source back.
    pub(super) fn give_source(&mut self, source: Box<Source<R, P>>) {
        self.source = Some(source);
    }

    /// The source, to be closed.
    pub(super) fn into_source(self) -> Option<Box<Source<R, P>>> {
        self.source
    }
}

type Batches<Out> = Vec<Batch<Out>>;

/// Fills at least one chunk, and more while there is room and the chunk before is still being written.
async fn fill_ahead<R: Reader, P: Processor<R::Item>>(
    mut source: Box<Source<R, P>>,
    mut spare: Batches<P::Out>,
    room: usize,
    enough: Arc<AtomicBool>,
) -> (Box<Source<R, P>>, Batches<P::Out>, Batches<P::Out>) {
    let mut filled = Vec::with_capacity(room);
    loop {
        let mut batch = spare.pop().unwrap_or_default();
        source.fill(&mut batch).await;
        let last = batch.is_last();
        filled.push(batch);
        if last || filled.len() >= room || enough.load(Ordering::Relaxed) {
            return (source, filled, spare);
        }
    }
}
