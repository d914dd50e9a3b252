//! The process that is killed: runs one job, as a program would.

use crate::{
    input::Row,
    process::{code, wait_at},
};
use batch_core::{
    Adaptive, Chunk, Completion, Context, ItemProblem, Job, Parameters, Result, Retry, Scope, Step, Transient, Undo, Writer,
    failpoint::{hit, passages},
};
use batch_csv::{CsvReader, CsvWriter, Fsync, RecordRow};
use batch_sql::{SqlInsert, Sqlite, SqliteOptions};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::SqliteConnection;
use std::{fs, path::PathBuf, time::Duration};

/// The environment variable that makes a process of this binary a worker.
pub(crate) const ENV: &str = "BATCH_KILL_WORKER";

/// What the worker runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// CSV to a table, then a tasklet that adds up the table.
    Load,
    /// CSV to CSV, checkpoints in transactions of their own.
    Copy,
    /// CSV to CSV inside the default transaction.
    CopyInTransaction,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Load, Kind::Copy, Kind::CopyInTransaction];

/// What goes wrong in the worker by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trouble {
    None,
    /// The processor ends the process at this item.
    Abort(u64),
    /// The writer finds the item's target busy for ever, and waits an hour between attempts.
    Busy(u64),
    /// The writer never ends with this item.
    Hang(u64),
}

/// A worker's orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) folder: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) chunk: usize,
    /// How long chunks shall take, which begin with `chunk` items and have at most ten times as many; none keeps their size.
    pub(crate) latency: Option<Duration>,
    pub(crate) lease: Duration,
    /// How long a launch waits for the database's lock.
    pub(crate) launch_wait: Duration,
    /// Whether every commit is put on the disk; the death of a process needs it not.
    pub(crate) fsync: bool,
    pub(crate) trouble: Trouble,
    /// Where the numbers of passages are written after the run.
    pub(crate) passages: Option<PathBuf>,
    /// The worker begins when this file appears.
    pub(crate) barrier: Option<PathBuf>,
}

impl Spec {
    pub(crate) fn new(folder: impl Into<PathBuf>, kind: Kind, chunk: usize) -> Self {
        Self {
            folder: folder.into(),
            kind,
            chunk,
            latency: None,
            lease: Duration::from_secs(30),
            launch_wait: Duration::from_secs(10),
            fsync: false,
            trouble: Trouble::None,
            passages: None,
            barrier: None,
        }
    }

    fn size(&self) -> Completion {
        match self.latency {
            None => self.chunk.into(),
            Some(target) => Adaptive::latency(target).between(1, 10 * self.chunk).start(self.chunk).into(),
        }
    }

    /// The file that says that the trouble has come.
    pub(crate) fn mark(&self) -> PathBuf {
        self.folder.join("trouble")
    }
}

/// Runs the worker's job and ends the process with the documented code; in a process that is no worker, nothing.
#[test]
fn child() {
    let Ok(orders) = std::env::var(ENV) else { return };
    let spec: Spec = serde_json::from_str(&orders).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let code = runtime.block_on(run(&spec));
    if let Some(path) = &spec.passages {
        fs::write(path, serde_json::to_vec(&passages()).unwrap()).unwrap();
    }
    std::process::exit(code.into());
}

async fn run(spec: &Spec) -> u8 {
    if let Some(barrier) = &spec.barrier {
        wait_at(barrier).await;
    }
    let outcome = match open(spec).await {
        Ok(database) => job(spec, &database).launch(Parameters::new().set("input", "in.csv")).stop_on_signals().run().await,
        Err(error) => Err(error),
    };
    code(outcome)
}

pub(crate) async fn open(spec: &Spec) -> Result<Sqlite, batch_core::Error> {
    let options = SqliteOptions::new().launch_wait(spec.launch_wait);
    let options = if spec.fsync { options } else { options.power_cut_may_lose_last_commits() };
    options.open(&format!("sqlite://{}?mode=rw", spec.folder.join("job.db").display())).await
}

fn job(spec: &Spec, database: &Sqlite) -> Job<Sqlite> {
    let job = Job::new("kill", database).lease(spec.lease);
    let orders = spec.clone();
    match spec.kind {
        Kind::Load => job.step("load", move |s| Ok(load(&orders, s))).step("total", |s| Ok(s.tasklet(total))),
        Kind::Copy => job.step("copy", move |s| Ok(copy(&orders, s))),
        Kind::CopyInTransaction => job.step("copy", move |s| Ok(copy_in_transaction(&orders, s))),
    }
}

fn load(spec: &Spec, scope: &Scope<Sqlite>) -> impl Step + use<> {
    let trouble = spec.trouble;
    scope
        .chunk(spec.size(), CsvReader::<Row>::open(spec.folder.join("in.csv")))
        .filter(|row| row.kind != "gone")
        .map(move |row| process(row, trouble))
        .writer(Watched::new(SqlInsert::into("product"), spec))
        .skip(100_000)
        .retry(retry(trouble))
}

pub(crate) fn process(row: Row, trouble: Trouble) -> Result<Row> {
    hit("worker.processing");
    if trouble == Trouble::Abort(row.id) {
        std::process::abort();
    }
    if row.cents < 0 {
        return Err(ItemProblem { column: "cents", reason: format!("{} is negative", row.cents) }.into());
    }
    Ok(row)
}

async fn total(conn: &mut SqliteConnection, _: &mut Context) -> Result<()> {
    hit("worker.total");
    sqlx::query("INSERT INTO total SELECT count(*), sum(cents) FROM product").execute(conn).await?;
    hit("worker.totalled");
    Ok(())
}

fn copy(spec: &Spec, scope: &Scope<Sqlite>) -> impl Step + use<> {
    let (reader, writer) = ends(spec);
    scope
        .chunk(spec.size(), reader)
        .without_transaction()
        .filter(|record| record.get(1) != Some("gone"))
        .map(examine)
        .writer(writer)
        .skip(100_000)
}

fn copy_in_transaction(spec: &Spec, scope: &Scope<Sqlite>) -> impl Step + use<> {
    let (reader, writer) = ends(spec);
    let rows = scope.chunk(spec.size(), reader).filter(|record| record.get(1) != Some("gone")).map(examine);
    rows.writer(writer).skip(100_000).workers(3)
}

fn ends(spec: &Spec) -> (CsvReader<RecordRow>, Watched<CsvWriter<RecordRow>>) {
    let reader = CsvReader::rows(spec.folder.join("in.csv")).flexible(true);
    let fsync = if spec.fsync { Fsync::EachChunk } else { Fsync::AtEnd };
    let writer = CsvWriter::create(spec.folder.join("out.csv")).fsync(fsync);
    (reader, Watched::new(writer, spec))
}

fn examine(record: RecordRow) -> Result<RecordRow> {
    hit("worker.processing");
    match record.get(2) {
        Some(cents) if cents.starts_with('-') => {
            Err(ItemProblem { column: "cents", reason: format!("{cents} is negative") }.into())
        }
        _ => Ok(record),
    }
}

fn retry(trouble: Trouble) -> Retry {
    match trouble {
        Trouble::Busy(_) => Retry::times(1000).constant(Duration::from_secs(3600)),
        _ => Retry::default(),
    }
}

/// A writer between two points, so that it can be killed while a chunk is being isolated.
struct Watched<W> {
    inner: W,
    trouble: Trouble,
    /// Appears with the trouble.
    mark: PathBuf,
}

impl<W> Watched<W> {
    fn new(inner: W, spec: &Spec) -> Self {
        Self { inner, trouble: spec.trouble, mark: spec.mark() }
    }

    async fn suffer<T: Numbered>(&self, items: &[T]) -> Result<()> {
        let hit = |id| items.iter().any(|item| item.number() == Some(id));
        match self.trouble {
            Trouble::Busy(id) if hit(id) => {
                fs::write(&self.mark, [])?;
                Err(Transient("the target is busy".into()).into())
            }
            Trouble::Hang(id) if hit(id) => {
                fs::write(&self.mark, [])?;
                std::future::pending().await
            }
            _ => Ok(()),
        }
    }
}

trait Numbered {
    fn number(&self) -> Option<u64>;
}

impl Numbered for Row {
    fn number(&self) -> Option<u64> {
        Some(self.id)
    }
}

impl Numbered for RecordRow {
    fn number(&self) -> Option<u64> {
        self.get(0)?.parse().ok()
    }
}

impl<T: Numbered + Sync + 'static, C: Send, W: Writer<T, C> + Sync> Writer<T, C> for Watched<W> {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, T>) -> Result<()> {
        hit("worker.writing");
        self.suffer(items.items()).await?;
        self.inner.write(conn, items).await?;
        hit("worker.wrote");
        Ok(())
    }

    async fn open(&mut self, saved: Option<Value>) -> Result<()> {
        self.inner.open(saved).await
    }

    fn rollback_to(&mut self, items: usize) {
        hit("worker.rewinding");
        self.inner.rollback_to(items);
    }

    async fn flush(&mut self) -> Result<Value> {
        self.inner.flush().await
    }

    async fn finish(&mut self) -> Result<()> {
        self.inner.finish().await
    }

    async fn close(&mut self) -> Result<()> {
        self.inner.close().await
    }

    fn undo(&self) -> Undo {
        self.inner.undo()
    }
}
