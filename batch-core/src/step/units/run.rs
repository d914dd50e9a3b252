//! From page to page, and from unit to unit.

use super::{
    super::{Ended, StepRun},
    UnitFn, UnitStep,
    attempt::{Outcome, Worker},
    keys::{Keys, Unit},
};
use crate::{
    error::{BoxError, Error, ErrorKind},
    item::Reader,
    listener::ChunkReport,
    repository::Request,
    transaction::Transactions,
};
use serde::Serialize;
use tracing::Instrument;

/// The parts of a running step.
struct Running<R: Reader, T, F> {
    keys: Keys<R>,
    worker: Worker<T, F, R::Item>,
    failures: Failures,
}

/// What failed in this try.
#[derive(Default)]
struct Failures {
    units: u64,
    /// Key and error of the first.
    first: Option<(String, BoxError)>,
}

/// Runs the step; the reader is closed whatever happens.
pub(super) async fn run<R, T, F>(step: UnitStep<R, T, F>, run: &mut StepRun) -> Result<Ended, Error>
where
    R: Reader<Item: Serialize + Clone + Sync>,
    T: Transactions,
    F: for<'a> UnitFn<'a, T::Conn, R::Item> + 'static,
{
    demand_connections(&step, run)?;
    let UnitStep { keys, transactions, work, options, .. } = step;
    let keys = Keys::new(keys, options.only.as_deref(), run)?;
    let mut running = Running { keys, worker: Worker { transactions, work, options }, failures: Failures::default() };
    let ended = match running.keys.open(run).await {
        Ok(()) => running.pages(run).await,
        Err(error) => Err(error),
    };
    running.keys.close(run, ended).await
}

/// A step whose parts would wait for each other's connections does not start.
fn demand_connections<R: Reader, T: Transactions, F>(step: &UnitStep<R, T, F>, run: &StepRun) -> Result<(), Error> {
    let kept = step.keys.connections();
    match step.transactions.connections() {
        Some(all) if all <= kept => {
            let message = format!("the reader keeps {kept} and a unit needs 1 of the pool's {all} connections; give the pool more");
            Err(run.error(ErrorKind::Configuration, message))
        }
        _ => Ok(()),
    }
}

impl<R, T, F> Running<R, T, F>
where
    R: Reader<Item: Serialize + Clone + Sync>,
    T: Transactions,
    F: for<'a> UnitFn<'a, T::Conn, R::Item>,
{
    async fn pages(&mut self, run: &mut StepRun) -> Result<Ended, Error> {
        while let Some(units) = self.keys.next(run, &self.worker.transactions, &self.worker.options.retry).await? {
            for unit in units {
                if run.ending()? || run.allowance.left() == 0 {
                    return Ok(Ended::Stopped);
                }
                run.allowance.spend(1);
                let span = tracing::debug_span!("unit", key = unit.text);
                match self.unit(unit, run).instrument(span).await? {
                    Some(request) => run.obey(request).await?,
                    None => return Ok(Ended::Stopped),
                }
                tokio::task::yield_now().await;
            }
        }
        if run.ending()? { Ok(Ended::Stopped) } else { self.end(run) }
    }

    /// Runs one unit and tells of it; `None` when the run was asked to end in its middle.
    async fn unit(&mut self, unit: Unit<R::Item>, run: &mut StepRun) -> Result<Option<Option<Request>>, Error> {
        for listener in run.listeners.each() {
            listener
                .before_chunk(&run.execution)
                .await
                .map_err(|e| run.error(ErrorKind::Failed, "a listener failed before a unit").because(e))?;
        }
        let (begun, before, key) = (run.clock.uptime(), run.execution.counts, unit.text.clone());
        let checkpoint = self.keys.checkpoint(run.execution.checkpoint.read + 1);
        let (request, failure) = match self.worker.run(unit, checkpoint, run).await? {
            Outcome::Done(request) => (request, None),
            Outcome::Failed(error, request) => (request, Some(error)),
            Outcome::Stopped => return Ok(None),
        };
        let chunk = run.execution.counts.since(before);
        let mut report = ChunkReport::new(&run.execution);
        (report.chunk, report.total) = (chunk, self.keys.total());
        report.write_time = run.clock.uptime().saturating_sub(begun);
        let undone = run.execution.counts.rollbacks - before.rollbacks;
        report.attempts = u32::try_from(undone + chunk.written).unwrap_or(u32::MAX);
        for listener in run.listeners.back() {
            run.listeners.note("after a unit", listener.after_chunk(&report).await);
        }
        if let Some(error) = failure {
            self.count(key, error, run)?;
        }
        Ok(Some(request))
    }

    /// Counts a failure, which may be one too many.
    fn count(&mut self, key: String, error: BoxError, run: &StepRun) -> Result<(), Error> {
        tracing::warn!(key, %error, "a unit failed");
        self.failures.units += 1;
        self.failures.first.get_or_insert((key, error));
        match self.worker.options.max_failures {
            Some(most) if self.failures.units > most => {
                let message = format!("more than {most} units failed, and the rest was not tried; launch again to go on");
                Err(self.failures.error(message, run))
            }
            _ => Ok(()),
        }
    }

    /// How the step ends when no key is left.
    fn end(&mut self, run: &StepRun) -> Result<Ended, Error> {
        if self.failures.units > 0 {
            let (failed, tried) = (self.failures.units, run.execution.counts.read);
            let message = format!("{failed} of {tried} units failed; launch again to run only those");
            return Err(self.failures.error(message, run));
        }
        if let Some(key) = self.keys.missing() {
            let message = format!("the unit {key} was to be run alone, but the reader does not yield it; correct the key");
            return Err(run.error(ErrorKind::Configuration, message));
        }
        Ok(if self.keys.leaves_some() { Ended::Stopped } else { Ended::Completed })
    }
}

impl Failures {
    fn error(&mut self, message: String, run: &StepRun) -> Error {
        match self.first.take() {
            Some((key, error)) => run.error(ErrorKind::Failed, format!("{message}; the first was {key}")).because(error),
            None => run.error(ErrorKind::Failed, message),
        }
    }
}
