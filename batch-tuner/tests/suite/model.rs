//! A job whose costs are known.

use batch_core::{Chunk, Job, ListWriter, ManualClock, Memory, Parameters, Result, Retry, Transactions, Undo, Writer, iter};
use batch_sql::{SqlConn, SqlInsert, Sqlite};
use batch_tuner::{Trial, Tuner};
use serde::Serialize;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const SIZES: [usize; 5] = [10, 100, 500, 1000, 5000];

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) id: i64,
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T12:00:00Z".parse().unwrap())
}

/// A writer that needs 100 µs a call and 10 µs an item beside what it does: 500 items make 98,039 a second, 96 % of what is possible.
pub(crate) struct Costly<W> {
    inner: W,
    clock: ManualClock,
}

impl<W> Costly<W> {
    pub(crate) fn new(inner: W, clock: &ManualClock) -> Self {
        Self { inner, clock: clock.clone() }
    }
}

impl<T: Sync, C: Send, W: Writer<T, C>> Writer<T, C> for Costly<W> {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, T>) -> Result<()> {
        self.clock.advance(Duration::from_micros(100 + 10 * items.len() as u64));
        self.inner.write(conn, items).await
    }

    fn undo(&self) -> Undo {
        self.inner.undo()
    }

    fn rollback_to(&mut self, items: usize) {
        self.inner.rollback_to(items);
    }
}

/// The job of a trial into a list.
pub(crate) fn listed(trial: &Trial<Memory>, clock: &ManualClock) -> Job<Memory> {
    let (size, own) = (trial.chunk(), clock.clone());
    Job::new("model", trial.database()).clock(clock.clone()).step("all", move |s| {
        let rows = iter((0..i64::MAX).map(|id| Row { id }));
        Ok(s.chunk(size, rows).writer(Costly::new(ListWriter::new(), &own)).retry(Retry::times(2)))
    })
}

/// The job of a trial into the table `row`.
pub(crate) fn inserted<D: Transactions<Conn: SqlConn> + Clone>(trial: &Trial<D>, clock: &ManualClock) -> Job<D> {
    let (size, own) = (trial.chunk(), clock.clone());
    Job::new("model", trial.database()).clock(clock.clone()).step("all", move |s| {
        let rows = iter((0..i64::MAX).map(|id| Row { id }));
        Ok(s.chunk(size, rows).writer(Costly::new(SqlInsert::into("row"), &own)).retry(Retry::times(2)))
    })
}

/// A database of its own, with the table `row`.
pub(crate) async fn sqlite() -> (TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let database = Sqlite::open(&format!("sqlite://{}", folder.path().join("test.db").display())).await.unwrap();
    execute(&database, "CREATE TABLE row (id INTEGER PRIMARY KEY)").await;
    (folder, database)
}

pub(crate) async fn execute(database: &Sqlite, sql: &'static str) {
    batch_sql::Database::Sqlite(database.clone()).execute(sql).await.unwrap();
}

/// As short as a tuning can be: by chunks alone, so that it depends on no time.
pub(crate) fn quick<D, J, P>(tuner: Tuner<D, J, P>, clock: &ManualClock) -> Tuner<D, J, P>
where
    D: Transactions + Clone,
    J: Fn(&Trial<D>) -> Job<D>,
    P: AsyncFn(&Trial<D>) -> Result<()>,
{
    tuner.chunks(SIZES).clock(clock.clone()).trial_time(Duration::ZERO).seed(1).parameters(|_| Parameters::new())
}
