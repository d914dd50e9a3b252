//! The loop of a step whose chunks overlap.

use super::{
    Fork,
    fly::{Open, Route},
    line::{Line, Turn, Waiting},
};
use crate::{
    chunk::{
        batch::Batch,
        feed::Feed,
        isolate::Parts,
        run::{Running, at_end, judge, told},
        sink::{Attempt, Written, adopted, commit_chunk, give_up, make_commit},
    },
    error::{Error, ErrorKind},
    item::{Processor, Reader, Writer},
    step::{Ended, StepRun},
    transaction::{Overlap, Transactions},
};
use std::sync::Arc;

impl<R, P, W, T> Running<R, P, W, T>
where
    R: Reader,
    P: Processor<R::Item>,
    W: Writer<P::Out, T::Conn>,
    T: Transactions,
{
    /// As [`Self::chunks`], with several of them written at once.
    pub(in crate::chunk) async fn flights(&mut self, fork: Fork<W>, overlap: Overlap, run: &mut StepRun) -> Result<Ended, Error> {
        let Some(mut feed) = self.pipeline.take_feed() else {
            return Err(run.error(ErrorKind::Failed, "the source was lost"));
        };
        let route = Route {
            transactions: self.sink.transactions.clone(),
            origin: self.sink.origin.clone(),
            limit: self.sink.chunk_limit,
            clock: run.clock.clone(),
        };
        let mut line = Line::new(fork, Arc::new(route), overlap);
        let ended = self.fly(&mut line, &mut feed, run).await;
        line.ground().await;
        self.pipeline.give_feed(feed);
        ended
    }

    async fn fly(&mut self, line: &mut Line<W, T, P::Out>, feed: &mut Feed<R, P>, run: &mut StepRun) -> Result<Ended, Error> {
        loop {
            if run.ending()? {
                return Ok(Ended::Stopped);
            }
            let ended = match line.turn(feed, &mut self.sink.writer, run).await? {
                Turn::Alone(waiting) => self.alone(waiting, line, feed, run).await?,
                Turn::Written(batch, open) => self.written(batch, open, line, feed, run).await?,
            };
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    /// A chunk that is written at its turn, with nothing in flight.
    async fn alone(
        &mut self,
        waiting: Waiting<P::Out>,
        line: &mut Line<W, T, P::Out>,
        feed: &Feed<R, P>,
        run: &mut StepRun,
    ) -> Result<Option<Ended>, Error> {
        let Waiting { mut batch, told: answer, .. } = waiting;
        if let Some(ended) = at_end(&batch, run)? {
            return Ok(Some(ended));
        }
        judge(&self.skip, &mut batch, run).await?;
        match answer {
            Some(answer) => answer?,
            None => told(run).await?,
        }
        let written = self.sink.write(&batch, run).await;
        let ended = self.settle(&batch, written, run).await?;
        line.caution.walked();
        feed.recycle(batch);
        Ok(ended)
    }

    /// A chunk that was in flight, at its turn.
    async fn written(
        &mut self,
        mut batch: Batch<P::Out>,
        open: Open<W, T>,
        line: &mut Line<W, T, P::Out>,
        feed: &Feed<R, P>,
        run: &mut StepRun,
    ) -> Result<Option<Ended>, Error> {
        let Open { tx, mut writer, began, opened, .. } = open;
        let mut parts = Parts { kept: batch.outs.len(), calls: 1, ..Parts::default() };
        let transactions = self.sink.transactions.clone();
        // How many skips are left is known only now.
        if let Err(error) = judge(&self.skip, &mut batch, run).await {
            give_up(&*transactions, tx, false).await;
            return Err(error);
        }
        let attempt = match make_commit(&mut writer, transactions.is_dry_run(), &batch, &parts, run).await {
            Ok(commit) => commit_chunk(&*transactions, tx, commit, opened, &mut parts, run).await,
            Err(broken) => {
                give_up(&*transactions, tx, false).await;
                Ok(Attempt::Undone { failure: broken.failure, transient: false, at_commit: false })
            }
        };
        let written = match attempt {
            Ok(Attempt::Committed { commit, request }) => {
                let effort = parts.effort(run.clock.uptime().saturating_sub(began), 1);
                let added = adopted(*commit, run);
                self.pipeline.encode_by(|| writer.encoder());
                line.recycle(writer);
                line.caution.flew();
                if request.is_some() || run.control.is_paused() {
                    line.ground().await;
                }
                Ok(Written::Committed { added, request, effort })
            }
            Ok(Attempt::Undone { .. }) => {
                line.ground().await;
                line.caution.trouble();
                return self.alone(Waiting::again(batch), line, feed, run).await;
            }
            Err(error) => Err(error),
        };
        let ended = self.settle(&batch, written, run).await?;
        feed.recycle(batch);
        Ok(ended)
    }
}
