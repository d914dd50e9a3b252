//! Chunks in order, the next ones read and processed while the one before is being written.

use super::{
    batch::Batch,
    feed::Feed,
    process::Processing,
    source::Source,
    waits::{Waits, Watch},
};
use crate::item::{Encoder, Processor, Reader};
use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// The source and the chunks it filled ahead.
pub(super) struct Pipeline<R: Reader, P: Processor<R::Item>> {
    /// Away while it fills on its own task; gone for good when that task was aborted.
    source: Option<Box<Source<R, P>>>,
    /// Has the source where chunks are filled all the time.
    feed: Option<Feed<R, P>>,
    processing: Arc<Processing<R::Item, P>>,
    ready: VecDeque<Batch<P::Out>>,
    spare: Vec<Batch<P::Out>>,
    ahead: usize,
    workers: usize,
    /// What filling the last chunk took, wherever that was, and the last write.
    filled: Duration,
    written: Duration,
    waits: Waits,
    watch: Watch,
}

/// What waking another thread takes, about: for less, and where writes are short, no chunk is filled ahead.
const QUICK: Duration = Duration::from_micros(20);
const SHORT: Duration = Duration::from_millis(1);

impl<R: Reader, P: Processor<R::Item>> Pipeline<R, P> {
    /// Chunks of `source`, at most `ahead` of them filled before their turn, and those besides that `workers` process.
    pub(super) fn new(source: Box<Source<R, P>>, ahead: usize, workers: usize) -> Self {
        Self {
            processing: source.processing.clone(),
            source: Some(source),
            feed: None,
            ready: VecDeque::new(),
            spare: Vec::new(),
            ahead,
            workers,
            filled: Duration::MAX,
            written: Duration::MAX,
            waits: Waits::default(),
            watch: Watch::default(),
        }
    }

    /// Has chunks filled all the time where several are processed at once, and else in the waits of the writes.
    pub(super) fn start(&mut self) {
        if self.workers > 1 {
            self.feed = self.take_feed();
        }
    }

    /// Whether the last write waited for something, so that other tasks had their turn, and no thread is wanted to fill the next chunk: it
    /// is filled here, in one of the next write's waits.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.never_waits() && (self.in_vain() || self.waits.hold(self.filled))
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
        let batch = match (&mut self.feed, self.ready.pop_front()) {
            (Some(feed), _) => feed.next().await?,
            (None, Some(batch)) => batch,
            (None, None) => {
                let mut batch = self.spare.pop().unwrap_or_default();
                self.source.as_mut()?.fill(&mut batch).await;
                batch
            }
        };
        self.filled = batch.read_time + batch.process_time;
        Some(batch)
    }

    /// Has the next chunks made ready by the writer's encoder, as soon as it has one.
    pub(super) fn encode_by(&self, encoder: impl FnOnce() -> Option<Encoder<P::Out>>) {
        if self.processing.encoder.get().is_none()
            && let Some(encoder) = encoder()
        {
            // Nobody else sets it.
            let _ = self.processing.encoder.set(encoder);
        }
    }

    /// Takes a chunk's buffers back.
    pub(super) fn recycle(&mut self, batch: Batch<P::Out>) {
        match &self.feed {
            Some(feed) => feed.recycle(batch),
            None => self.spare.push(batch),
        }
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
        let (begun, place) = (Instant::now(), self.waits.place_for(self.filled));
        let mut watch = std::mem::take(&mut self.watch);
        watch.clear();
        let mut filling = None;
        let written = poll_fn(|cx| {
            watch.woken();
            let written = write.as_mut().poll(cx);
            if written.is_pending() {
                let at = watch.waits();
                if at >= place && filling.is_none() {
                    filling = self.fill_ahead(last);
                }
            }
            written
        })
        .await;
        self.written = if watch.is_empty() { Duration::ZERO } else { begun.elapsed() };
        let done = match filling {
            Some(filling) => self.take_over(filling, written.is_err()).await,
            None => None,
        };
        self.waits.learn(&watch, done);
        self.watch = watch;
        written
    }

    /// Begins to fill the next chunks, where there is room for them.
    fn fill_ahead(&mut self, last: bool) -> Option<Filling<R, P>> {
        let room = self.ahead.saturating_sub(self.ready.len());
        if last || room == 0 || self.in_vain() || self.ready.back().is_some_and(|b| b.is_last()) {
            return None;
        }
        let source = self.source.take()?;
        let (cancel, enough) = (source.surroundings.cancel.clone(), Arc::new(AtomicBool::new(false)));
        let task = tokio::spawn(fill_ahead(source, std::mem::take(&mut self.spare), room, enough.clone()));
        Some(Filling { task: AbortOnDropHandle::new(task), cancel, enough })
    }

    /// Takes over what was filled, once the chunk that is begun is done; when that was.
    async fn take_over(&mut self, filling: Filling<R, P>, failed: bool) -> Option<Instant> {
        filling.enough.store(true, Ordering::Relaxed);
        if failed {
            filling.cancel.cancel();
        }
        let ahead = filling.task.await.ok()?;
        self.source = Some(ahead.source);
        self.ready.extend(ahead.filled);
        self.spare = ahead.spare;
        Some(ahead.done)
    }

    /// Has chunks filled all the time from now on; `None` when the source was lost.
    pub(super) fn take_feed(&mut self) -> Option<Feed<R, P>> {
        let start = |source| Feed::start(source, self.ahead, self.workers);
        self.feed.take().or_else(|| self.source.take().map(start))
    }

    /// Takes it back.
    pub(super) fn give_feed(&mut self, feed: Feed<R, P>) {
        self.feed = Some(feed);
    }

    /// The source, to be closed; `None` when it was lost.
    pub(super) async fn into_source(self) -> Option<Box<Source<R, P>>> {
        match self.feed {
            Some(feed) => feed.stop().await,
            None => self.source,
        }
    }
}

/// Chunks that are being filled.
struct Filling<R: Reader, P: Processor<R::Item>> {
    task: AbortOnDropHandle<Ahead<R, P>>,
    cancel: CancellationToken,
    /// Set when the write is done.
    enough: Arc<AtomicBool>,
}

/// Chunks that were filled ahead, with the source.
struct Ahead<R: Reader, P: Processor<R::Item>> {
    source: Box<Source<R, P>>,
    filled: Vec<Batch<P::Out>>,
    spare: Vec<Batch<P::Out>>,
    done: Instant,
}

/// Fills at least one chunk, and more while there is room and the chunk before is still being written.
async fn fill_ahead<R: Reader, P: Processor<R::Item>>(
    mut source: Box<Source<R, P>>,
    mut spare: Vec<Batch<P::Out>>,
    room: usize,
    enough: Arc<AtomicBool>,
) -> Ahead<R, P> {
    let mut filled = Vec::with_capacity(room);
    loop {
        let mut batch = spare.pop().unwrap_or_default();
        source.fill(&mut batch).await;
        let last = batch.is_last();
        filled.push(batch);
        if last || filled.len() >= room || enough.load(Ordering::Relaxed) {
            return Ahead { source, filled, spare, done: Instant::now() };
        }
    }
}
