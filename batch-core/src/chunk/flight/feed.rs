//! The source on a task of its own, which fills chunks for as long as somebody takes them.

use crate::{
    chunk::{batch::Batch, source::Source},
    item::{Processor, Reader},
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Filled chunks, in order.
pub(super) struct Feed<R: Reader, P: Processor<R::Item>> {
    chunks: mpsc::Receiver<Batch<P::Out>>,
    /// Buffers to fill again; no more of them are about than chunks.
    spare: mpsc::UnboundedSender<Batch<P::Out>>,
    cancel: CancellationToken,
    task: AbortOnDropHandle<Box<Source<R, P>>>,
}

impl<R: Reader, P: Processor<R::Item>> Feed<R, P> {
    /// Begins to fill, at most `ahead` chunks more than were taken, and the one under way.
    pub(super) fn start(source: Box<Source<R, P>>, ahead: usize) -> Self {
        let (filled, chunks) = mpsc::channel(ahead.max(1));
        let (spare, emptied) = mpsc::unbounded_channel();
        let cancel = source.surroundings.cancel.clone();
        Self { chunks, spare, cancel, task: AbortOnDropHandle::new(tokio::spawn(fill(source, filled, emptied))) }
    }

    /// The next chunk; `None` behind the last one, or when the task was lost. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Batch<P::Out>> {
        self.chunks.recv().await
    }

    /// Takes a chunk's buffers back.
    pub(super) fn recycle(&self, batch: Batch<P::Out>) {
        // The task may have ended.
        let _ = self.spare.send(batch);
    }

    /// Ends the filling and gives the source back; `None` when it was lost.
    pub(super) async fn stop(self) -> Option<Box<Source<R, P>>> {
        self.cancel.cancel();
        drop(self.chunks);
        self.task.await.ok()
    }
}

async fn fill<R: Reader, P: Processor<R::Item>>(
    mut source: Box<Source<R, P>>,
    filled: mpsc::Sender<Batch<P::Out>>,
    mut emptied: mpsc::UnboundedReceiver<Batch<P::Out>>,
) -> Box<Source<R, P>> {
    loop {
        let mut batch = emptied.try_recv().unwrap_or_default();
        source.fill(&mut batch).await;
        let last = batch.is_last();
        if filled.send(batch).await.is_err() || last {
            return source;
        }
    }
}
