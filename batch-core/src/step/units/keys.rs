//! Reading the keys of units, and choosing those that are to be run.

use super::super::{StepRun, is_transient, patiently};
use crate::{
    error::{BoxError, Error, ErrorKind, Result, panicked},
    execution::{Checkpoint, UnitRecord, UnitStatus},
    item::{Reader, Total},
    policy::Retry,
    transaction::Transactions,
};
use futures_util::FutureExt;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
};

/// Keys read, and looked up in the log, at once.
const PAGE: usize = 500;

/// Where a checkpoint says with which step execution the current round over all units began.
const SINCE: &str = "units_since";

/// A unit to be run.
pub(super) struct Unit<K> {
    /// Its key's place among the keys, from 0.
    pub(super) number: u64,
    pub(super) key: K,
    /// The key as it stands in the log.
    pub(super) text: String,
    /// Attempts begun before.
    pub(super) attempts: u32,
}

/// The keys of a step.
pub(super) struct Keys<R: Reader> {
    reader: R,
    page: Vec<R::Item>,
    next: u64,
    end: bool,
    choice: Choice,
}

impl<R: Reader<Item: Serialize>> Keys<R> {
    pub(super) fn new(reader: R, only: Option<&[R::Item]>, run: &StepRun) -> Result<Self, Error> {
        Ok(Self { reader, page: Vec::new(), next: 0, end: false, choice: Choice::new(only, run)? })
    }

    /// Opens the reader, always at its beginning: what is done is told by the log.
    pub(super) async fn open(&mut self, run: &StepRun) -> Result<(), Error> {
        self.reader.open(None).await.map_err(|e| reader_error(run, "the reader of the keys cannot be opened", e))
    }

    /// Closes the reader; the first error counts.
    pub(super) async fn close<V>(&mut self, run: &StepRun, outcome: Result<V, Error>) -> Result<V, Error> {
        match self.reader.close().await {
            Err(error) => outcome.and(Err(reader_error(run, "the reader of the keys cannot be closed", error))),
            Ok(()) => outcome,
        }
    }

    /// The units of the next page; empty ones may come. `None` at the end, and when the run was asked to end.
    pub(super) async fn next<T: Transactions>(
        &mut self,
        run: &mut StepRun,
        transactions: &T,
        retry: &Retry,
    ) -> Result<Option<Vec<Unit<R::Item>>>, Error> {
        if self.end || !self.read(run, transactions, retry).await? {
            return Ok(None);
        }
        let units = self.units(run)?;
        self.look_up(units, run).await.map(Some)
    }

    /// Fills the page; `false` when the run was asked to end meanwhile.
    async fn read<T: Transactions>(&mut self, run: &StepRun, transactions: &T, retry: &Retry) -> Result<bool, Error> {
        let (mut made, mut had) = (0, 0);
        loop {
            let reading = AssertUnwindSafe(self.reader.read_chunk(PAGE, &mut self.page)).catch_unwind();
            let caught = tokio::select! {
                biased;
                caught = reading => caught,
                () = run.control.ended() => return Ok(false),
            };
            let error = match caught.unwrap_or_else(|panic| Err(panicked("the reader of the keys", panic.as_ref()))) {
                Ok(more) => {
                    self.end = !more;
                    return Ok(true);
                }
                Err(error) => error,
            };
            (made, had) = if self.page.len() > had { (1, self.page.len()) } else { (made + 1, had) };
            if !retry.again(made, &error, is_transient(transactions, &error)) {
                return Err(reader_error(run, "the keys cannot be read", transactions.explain(error)));
            }
            run.back_off(retry, made).await;
        }
    }

    /// The page's keys, each once.
    fn units(&mut self, run: &StepRun) -> Result<Vec<Unit<R::Item>>, Error> {
        let mut seen = HashSet::new();
        let mut units = Vec::with_capacity(self.page.len());
        for key in self.page.drain(..) {
            let (number, text) = (self.next, text(&key, run)?);
            self.next += 1;
            if seen.insert(text.clone()) {
                units.push(Unit { number, key, text, attempts: 0 });
            }
        }
        Ok(units)
    }

    /// Leaves the units that are to be run; one call of the repository.
    async fn look_up(&mut self, mut units: Vec<Unit<R::Item>>, run: &StepRun) -> Result<Vec<Unit<R::Item>>, Error> {
        let texts: Vec<String> = units.iter().map(|unit| unit.text.clone()).collect();
        let found = patiently(run, || run.repository.find_units(run.instance, &run.execution.name, &texts)).await?;
        let found: HashMap<&str, &UnitRecord> = found.iter().map(|record| (record.key.as_str(), record)).collect();
        units.retain_mut(|unit| {
            let record = found.get(unit.text.as_str()).copied();
            unit.attempts = record.map_or(0, |record| record.attempts);
            self.choice.wants(&unit.text, record)
        });
        Ok(units)
    }

    /// What the next commit saves: in which round the units are, and that as many were tried as `read` says.
    pub(super) fn checkpoint(&self, read: u64) -> Checkpoint {
        let reader = json!({ SINCE: self.choice.since });
        Checkpoint { version: Checkpoint::VERSION, read, reader, writer: Value::Null }
    }

    pub(super) fn total(&self) -> Option<Total> {
        self.reader.total()
    }

    /// A unit that was to be run alone and that the reader did not yield.
    pub(super) fn missing(&self) -> Option<&str> {
        let only = self.choice.only.as_ref()?;
        only.iter().find(|(_, yielded)| !**yielded).map(|(key, _)| key.as_str())
    }

    /// Whether units are left to do that were not asked for.
    pub(super) fn leaves_some(&self) -> bool {
        self.choice.leaves_some
    }
}

/// Which units are to be run.
struct Choice {
    /// This step execution.
    step: i64,
    /// The step execution with which the round began: only what succeeded since then is done.
    since: i64,
    /// With a run by hand: its keys, and whether each was yielded.
    only: Option<HashMap<String, bool>>,
    leaves_some: bool,
}

impl Choice {
    fn new<K: Serialize>(only: Option<&[K]>, run: &StepRun) -> Result<Self, Error> {
        let only = only.map(|keys| keys.iter().map(|key| Ok((text(key, run)?, false))).collect::<Result<_, Error>>());
        Ok(Self { step: run.execution.id, since: since(run)?, only: only.transpose()?, leaves_some: false })
    }

    fn wants(&mut self, key: &str, record: Option<&UnitRecord>) -> bool {
        let tried = record.is_some_and(|record| record.step == self.step);
        let done = record.is_some_and(|record| record.status == UnitStatus::Success && record.step >= self.since);
        match self.only.as_mut().map(|only| only.get_mut(key)) {
            None => !tried && !done,
            Some(Some(yielded)) => {
                *yielded = true;
                !tried
            }
            Some(None) => {
                self.leaves_some |= !done;
                false
            }
        }
    }
}

/// The round begins with a step that starts from its beginning: at first, or again after it was complete.
fn since(run: &StepRun) -> Result<i64, Error> {
    let checkpoint = &run.execution.checkpoint;
    if checkpoint.is_start() {
        return Ok(run.execution.id);
    }
    checkpoint.reader.get(SINCE).and_then(Value::as_i64).ok_or_else(|| {
        let message = "the saved position is not one of units; was another kind of step in this one's place before?";
        run.error(ErrorKind::NeedsOperator, message)
    })
}

fn text<K: Serialize>(key: &K, run: &StepRun) -> Result<String, Error> {
    let text = serde_json::to_string(key)
        .map_err(|e| run.error(ErrorKind::Configuration, "the key of a unit does not serialise to JSON").because(e))?;
    if text.chars().count() <= UnitRecord::KEY_LIMIT {
        return Ok(text);
    }
    let message = format!("the key of a unit has more than {} characters as JSON; use a shorter one", UnitRecord::KEY_LIMIT);
    Err(run.error(ErrorKind::Configuration, message).with("unit", text.chars().take(80).collect::<String>() + ".."))
}

fn reader_error(run: &StepRun, message: &str, error: BoxError) -> Error {
    let kind = error.downcast_ref::<Error>().map_or(ErrorKind::Failed, Error::kind);
    run.error(kind, message).because(error)
}
