//! THE loop: fill, judge, write, tell.

use super::{
    ChunkStep, Durability,
    batch::{Batch, Effort, Failure},
    connections::chunks_ahead,
    durability::with_durability,
    flight::overlap,
    pace::Pace,
    pipeline::Pipeline,
    process::Processing,
    sink::{Sink, Written, opening},
    source::{Source, Surroundings, is_bad_record},
};
use crate::{
    error::{Error, ErrorKind},
    execution::{Counts, Phase, SkipRecord},
    item::{Processor, Reader, Writer},
    listener::ChunkReport,
    policy::Skip,
    step::{Ended, StepRun, adopt, demand_ours, is_transient},
    transaction::Transactions,
};
use std::{
    pin::pin,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tracing::Instrument;

/// How long a step that waits for nothing keeps other tasks of its thread waiting, about, its longest chunk aside.
const TURN: Duration = Duration::from_millis(1);

/// The parts of a running chunk step.
pub(super) struct Running<R: Reader, P: Processor<R::Item>, W, T> {
    pub(super) pipeline: Pipeline<R, P>,
    pub(super) sink: Sink<W, T, P::Out>,
    pub(super) skip: Skip,
    durability: Durability,
    /// Where the chunks' size is adaptive.
    pace: Option<Pace>,
}

/// Runs the step from its checkpoint to its end; reader and writer are closed whatever happens.
pub(super) async fn run<R, P, W, T>(step: ChunkStep<R, P, W, T>, run: &mut StepRun) -> Result<Ended, Error>
where
    R: Reader,
    P: Processor<R::Item>,
    W: Writer<P::Out, T::Conn>,
    T: Transactions,
{
    let step = with_durability(step, run)?;
    let (ahead, workers) = (chunks_ahead(&step, run)?, step.options.workers);
    let (fork, overlap) = (step.fork, overlap(&step, ahead, run)?);
    adopt(run, &*step.transactions).await?;
    let durability = step.options.durability;
    let pace = step.completion.steered().map(Pace::new);
    let (mut source, mut sink) = assemble(step, run);
    source.size = pace.as_ref().map(Pace::next_size);
    let opened = open_both(&mut source, &mut sink, run).await;
    let mut running = Running { pipeline: Pipeline::new(source, ahead, workers), skip: sink.skip.clone(), sink, durability, pace };
    let ended = match (opened, fork.zip(overlap)) {
        (Err(error), _) => Err(error),
        (Ok(()), None) => running.chunks(run).await,
        (Ok(()), Some((fork, overlap))) => running.flights(fork, overlap, run).await,
    };
    let ended = durability.settle(run, ended).await;
    running.close(run, ended).await
}

type Halves<R, P, W, T> = (Box<Source<R, P>>, Sink<W, T, <P as Processor<<R as Reader>::Item>>::Out>);

/// Puts the two halves together.
fn assemble<R, P, W, T>(step: ChunkStep<R, P, W, T>, run: &StepRun) -> Halves<R, P, W, T>
where
    R: Reader,
    P: Processor<R::Item>,
    T: Transactions,
{
    let transactions = step.transactions.clone();
    let surroundings = Surroundings {
        listeners: run.listeners.clone(),
        allowance: run.allowance.clone(),
        cancel: run.control.child(),
        transient: Arc::new(move |error| is_transient(&*transactions, error)),
        clock: run.clock.clone(),
    };
    let processing = Processing {
        processor: step.processor,
        encoder: OnceLock::new(),
        skip: step.options.skip.clone(),
        retry: step.options.retry.clone(),
        concurrent: step.options.concurrent,
        item_limit: step.options.item_limit,
        hooks: step.input_hooks,
        surroundings: surroundings.clone(),
    };
    let source = Box::new(Source {
        reader: step.reader,
        processing: Arc::new(processing),
        completion: step.completion,
        size: None,
        skip: step.options.skip.clone(),
        retry: step.options.retry.clone(),
        chunk_limit: step.options.chunk_limit,
        items: Vec::new(),
        next: run.execution.checkpoint.read,
        surroundings,
    });
    let sink = Sink {
        writer: step.writer,
        transactions: step.transactions,
        skip: step.options.skip,
        retry: step.options.retry.unwrap_or_default(),
        chunk_limit: step.options.chunk_limit,
        hooks: step.output_hooks,
        origin: format!("{}/{}", run.instance, run.execution.name).into(),
    };
    (source, sink)
}

async fn open_both<R, P, W, T>(source: &mut Source<R, P>, sink: &mut Sink<W, T, P::Out>, run: &StepRun) -> Result<(), Error>
where
    R: Reader,
    P: Processor<R::Item>,
    W: Writer<P::Out, T::Conn>,
    T: Transactions,
{
    open(source, run).await?;
    sink.open(run).await?;
    // Rows are guarded by their commit.
    if sink.is_transactional() { Ok(()) } else { demand_ours(run).await }
}

/// Opens the reader at the checkpoint; one that cannot seek reads and drops what was consumed.
async fn open<R: Reader, P: Processor<R::Item>>(source: &mut Source<R, P>, run: &StepRun) -> Result<(), Error> {
    let checkpoint = &run.execution.checkpoint;
    let failed = |e| opening(run, "the reader cannot be opened", e);
    if checkpoint.is_start() {
        return source.reader.open(None).await.map_err(failed);
    }
    if !checkpoint.reader.is_null() {
        let position = serde_json::from_value(checkpoint.reader.clone()).map_err(|e| {
            let message = "the saved position does not fit this reader; was another reader put into the step since?";
            run.error(ErrorKind::NeedsOperator, message).because(e)
        })?;
        return source.reader.open(Some(position)).await.map_err(failed);
    }
    source.reader.open(None).await.map_err(failed)?;
    for _ in 0..checkpoint.read {
        match source.reader.read().await {
            Ok(Some(_)) => {}
            Err(error) if is_bad_record(&error) => {}
            Ok(None) => return Err(run.error(ErrorKind::NeedsOperator, "the input is shorter than what was already read of it")),
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

impl<R, P, W, T> Running<R, P, W, T>
where
    R: Reader,
    P: Processor<R::Item>,
    W: Writer<P::Out, T::Conn>,
    T: Transactions,
{
    async fn chunks(&mut self, run: &mut StepRun) -> Result<Ended, Error> {
        self.pipeline.start();
        let mut turn = Instant::now();
        loop {
            if run.ending()? {
                return Ok(Ended::Stopped);
            }
            let Some(batch) = self.pipeline.next().await else {
                return Err(run.error(ErrorKind::Failed, "the task that reads ahead was lost"));
            };
            if let Some(ended) = at_end(&batch, run)? {
                return Ok(ended);
            }
            let span = tracing::debug_span!("chunk", first = batch.first, read = batch.read);
            // Pinned, since instrumenting would copy the whole future.
            let ended = {
                let chunk = pin!(self.chunk(batch, run));
                chunk.instrument(span).await?
            };
            match ended {
                Some(ended) => return Ok(ended),
                // Where a task gives way, another thread is woken to take it.
                None if self.pipeline.is_at_rest() => {}
                None if self.pipeline.never_waits() && turn.elapsed() < TURN => {}
                None => {
                    tokio::task::yield_now().await;
                    turn = Instant::now();
                }
            }
        }
    }

    /// Judges, writes and tells one chunk; `Some` ends the step.
    async fn chunk(&mut self, mut batch: Batch<P::Out>, run: &mut StepRun) -> Result<Option<Ended>, Error> {
        judge(&self.skip, &mut batch, run).await?;
        told(run).await?;
        let Self { pipeline, sink, .. } = self;
        pipeline.encode_by(|| sink.writer.encoder());
        let written = {
            let writing = pin!(sink.write(&batch, run));
            pipeline.overlap(batch.end, writing).await
        };
        let ended = self.settle(&batch, written, run).await?;
        self.pipeline.recycle(batch);
        Ok(ended)
    }

    /// Tells what became of a chunk, and obeys what an operator asks; `Some` ends the step.
    pub(super) async fn settle(
        &mut self,
        batch: &Batch<P::Out>,
        written: Result<Written, Error>,
        run: &mut StepRun,
    ) -> Result<Option<Ended>, Error> {
        let (added, request, effort) = match written {
            Ok(Written::Committed { added, request, effort }) => (added, request, effort),
            Ok(Written::Stopped) => return Ok(Some(Ended::Stopped)),
            Err(error) if self.durability.is_behind(run, &error).await => return Ok(Some(Ended::Rewound)),
            Err(error) => return Err(chunk_failed(batch, run, error).await),
        };
        if let Some(pace) = &mut self.pace {
            pace.committed(batch, &effort, &run.execution.name);
        }
        tell(batch, added, effort, run).await;
        run.obey(request).await?;
        Ok(batch.end.then_some(Ended::Completed))
    }

    /// Publishes what a completed step wrote, and closes reader and writer. The first error counts.
    async fn close(mut self, run: &StepRun, ended: Result<Ended, Error>) -> Result<Ended, Error> {
        let dry = self.sink.transactions.is_dry_run();
        let mut outcome = ended;
        if matches!(outcome, Ok(Ended::Completed)) && !dry {
            crate::failpoint!("step.finishing");
            if let Err(error) = self.sink.writer.finish().await {
                outcome = Err(opening(run, "the writer could not publish what it wrote", error));
            }
            crate::failpoint!("step.finished");
        }
        if !dry && let Err(error) = self.sink.writer.close().await {
            outcome = outcome.and(Err(opening(run, "the writer could not be closed", error)));
        }
        if let Some(mut source) = self.pipeline.into_source().await {
            if matches!(outcome, Ok(Ended::Rewound)) {
                run.allowance.refund(source.next.saturating_sub(run.execution.checkpoint.read));
            }
            if let Err(error) = source.reader.close().await {
                outcome = outcome.and(Err(opening(run, "the reader could not be closed", error)));
            }
        }
        outcome
    }
}

/// How the step ends before `batch` is written, if it does.
pub(super) fn at_end<Out>(batch: &Batch<Out>, run: &StepRun) -> Result<Option<Ended>, Error> {
    if run.ending()? || batch.stopped {
        return Ok(Some(Ended::Stopped));
    }
    Ok((batch.read == 0 && batch.end && batch.failure.is_none()).then_some(Ended::Completed))
}

/// Tells listeners of a chunk that is about to be written.
pub(super) async fn told(run: &StepRun) -> Result<(), Error> {
    for listener in run.listeners.each() {
        listener
            .before_chunk(&run.execution)
            .await
            .map_err(|e| run.error(ErrorKind::Failed, "a listener failed before a chunk").because(e))?;
    }
    Ok(())
}

/// Fails the chunk for what went wrong while it was filled, now that it is its turn.
pub(super) async fn judge<Out>(skip: &Skip, batch: &mut Batch<Out>, run: &mut StepRun) -> Result<(), Error> {
    let mut failure = batch.failure.take();
    let before = run.execution.counts.skips();
    if let Some(over) = batch.skips.iter().position(|_| !skip.is_set()).or_else(|| {
        let room = skip.max().saturating_sub(before);
        usize::try_from(room).ok().filter(|room| batch.skips.len() > *room)
    }) {
        let skipped = batch.skips.remove(over);
        let error = over_limit(skip, skipped.error);
        failure =
            Some(Failure { phase: skipped.record.phase, number: Some(skipped.record.number), line: skipped.record.line, error });
        batch.skips.truncate(over);
    }
    match failure {
        None => Ok(()),
        Some(failure) => {
            run.execution.counts.rollbacks += 1;
            let error = failed(run, failure);
            Err(chunk_failed(batch, run, error).await)
        }
    }
}

/// Reports a committed chunk; nothing here can undo it.
async fn tell<Out>(batch: &Batch<Out>, added: Counts, effort: Effort, run: &StepRun) {
    let report = ChunkReport {
        step: &run.execution,
        chunk: added,
        total: batch.total,
        read_time: batch.read_time,
        process_time: batch.process_time,
        write_time: effort.write_time,
        open_time: effort.open_time,
        commit_time: effort.commit_time,
        attempts: effort.attempts,
        write_calls: effort.write_calls,
    };
    for listener in run.listeners.back() {
        run.listeners.note("after a chunk", listener.after_chunk(&report).await);
    }
}

/// Tells listeners that a chunk failed for good; its skips in reading and processing are told too, though they do not count.
async fn chunk_failed<Out>(batch: &Batch<Out>, run: &StepRun, error: Error) -> Error {
    let skips: Vec<SkipRecord> = batch.skips.iter().map(|s| s.record.clone()).collect();
    run.listeners.on_skip(&skips);
    for listener in run.listeners.back() {
        run.listeners.note("after a failed chunk", listener.on_chunk_error(&run.execution, &error).await);
    }
    error
}

/// The error of a step whose chunk failed: which item, which line, and the component's own error as its cause.
pub(super) fn failed(run: &StepRun, failure: Failure) -> Error {
    // A wrong name in a writer may be found when things were done already: a failure, and no longer a matter of the call.
    let is_ordinary = |kind| kind == ErrorKind::Failed || (kind == ErrorKind::Configuration && failure.phase == Phase::Write);
    if let Some(error) = failure.error.downcast_ref::<Error>()
        && !is_ordinary(error.kind())
    {
        let kind = error.kind();
        return run.error(kind, "the chunk cannot be committed").because(failure.error);
    }
    let what = match (failure.phase, failure.number) {
        (Phase::Read, _) => "the record cannot be read",
        (Phase::Process, Some(_)) => "the item cannot be processed",
        (Phase::Process, None) => "the chunk cannot be processed",
        (Phase::Write, Some(_)) => "the item cannot be written",
        (Phase::Write, None) => "the chunk cannot be written",
    };
    let mut error = run.error(ErrorKind::Failed, what);
    if let Some(number) = failure.number {
        error = error.with("item", number);
    }
    if let Some(line) = failure.line {
        error = error.with("line", line);
    }
    error.because(failure.error)
}

/// The error of the item that is one too many.
pub(super) fn over_limit(skip: &Skip, error: crate::BoxError) -> crate::BoxError {
    let message = format!("the skip limit of {} is reached, and this item failed too", skip.max());
    Error::new(ErrorKind::Failed, message).because(error).into()
}
