//! The source on a task of its own, which fills chunks for as long as somebody takes them, and has several processed at once.

use super::{
    batch::Batch,
    process::Processing,
    source::{Source, within},
};
use crate::item::{Processor, Reader};
use futures_util::FutureExt;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Filled chunks, in the order of the input.
pub(super) struct Feed<R: Reader, P: Processor<R::Item>> {
    places: mpsc::Receiver<Place<P::Out>>,
    /// Whose turn it is.
    next: Option<Place<P::Out>>,
    /// Buffers to fill again; no more of them are about than chunks.
    spare: mpsc::UnboundedSender<Batch<P::Out>>,
    cancel: CancellationToken,
    task: AbortOnDropHandle<Box<Source<R, P>>>,
}

/// A chunk in the line.
enum Place<Out> {
    Filled(Box<Batch<Out>>),
    UnderWay(AbortOnDropHandle<Batch<Out>>),
}

impl<R: Reader, P: Processor<R::Item>> Feed<R, P> {
    /// Begins to fill, at most `ahead` chunks more than were taken and one for each worker.
    pub(super) fn start(source: Box<Source<R, P>>, ahead: usize, workers: usize) -> Self {
        let (line, places) = mpsc::channel(ahead + workers);
        let (spare, emptied) = mpsc::unbounded_channel();
        let cancel = source.surroundings.cancel.clone();
        let task = AbortOnDropHandle::new(tokio::spawn(fill(source, workers, line, emptied)));
        Self { places, next: None, spare, cancel, task }
    }

    /// The next chunk; `None` behind the last one, or when a task was lost. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Batch<P::Out>> {
        if self.next.is_none() {
            self.next = self.places.recv().await;
        }
        if let Place::UnderWay(task) = self.next.as_mut()? {
            let batch = task.await;
            self.next = None;
            return batch.ok();
        }
        match self.next.take() {
            Some(Place::Filled(batch)) => Some(*batch),
            _ => None,
        }
    }

    /// The next chunk, where it is there already.
    pub(super) fn ready(&mut self) -> Option<Batch<P::Out>> {
        self.next().now_or_never().flatten()
    }

    /// Takes a chunk's buffers back.
    pub(super) fn recycle(&self, batch: Batch<P::Out>) {
        // The task may have ended.
        let _ = self.spare.send(batch);
    }

    /// Ends the filling and gives the source back; `None` when it was lost.
    pub(super) async fn stop(self) -> Option<Box<Source<R, P>>> {
        self.cancel.cancel();
        drop((self.places, self.next));
        self.task.await.ok()
    }
}

async fn fill<R: Reader, P: Processor<R::Item>>(
    mut source: Box<Source<R, P>>,
    workers: usize,
    line: mpsc::Sender<Place<P::Out>>,
    mut emptied: mpsc::UnboundedReceiver<Batch<P::Out>>,
) -> Box<Source<R, P>> {
    let idle = Arc::new(Semaphore::new(workers));
    // A chunk has its place before it is read, so that no more are about than that.
    while let Ok(room) = line.reserve().await {
        let mut batch = emptied.try_recv().unwrap_or_default();
        if workers == 1 {
            source.fill(&mut batch).await;
        } else {
            source.read_only(&mut batch).await;
        }
        let last = batch.is_last();
        room.send(if workers == 1 || !batch.is_read() {
            Place::Filled(Box::new(batch))
        } else {
            let Ok(worker) = idle.clone().acquire_owned().await else { break };
            let work = Work { items: std::mem::take(&mut source.items), by: source.processing.clone(), limit: source.chunk_limit };
            Place::UnderWay(AbortOnDropHandle::new(tokio::spawn(work.on(batch, worker))))
        });
        if last {
            break;
        }
    }
    source
}

/// A chunk to be processed by a worker.
struct Work<In, P: Processor<In>> {
    items: Vec<In>,
    by: Arc<Processing<In, P>>,
    limit: Option<Duration>,
}

impl<In: Send, P: Processor<In>> Work<In, P> {
    async fn on(mut self, mut batch: Batch<P::Out>, worker: OwnedSemaphorePermit) -> Batch<P::Out> {
        let cut = within(self.limit, &self.by.surroundings.cancel, self.by.chunk(&mut self.items, &mut batch)).await;
        batch.cut(cut);
        drop(worker);
        batch
    }
}
