//! The process that is killed: a job with its rows, and maybe its progress, on a server.

use crate::process::{ARGUMENTS, Worker, code, wait_at};
use batch_core::{Context, Durability, Job, Parameters, Result, failpoint::passages, iter};
use batch_sql::{Connection, Database, SqlInsert};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const ENV: &str = "BATCH_KILL_SERVER_WORKER";
pub(super) const ROWS: i64 = 120;

/// What the job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Kind {
    /// Rows beside their checkpoint, some of them bad, then a tasklet.
    Load,
    /// The same, with three chunks in flight.
    Flight,
    /// One small transaction a key.
    Units,
    /// Progress in a file, rows on the server under a ledger.
    Elsewhere,
    /// The same, with three chunks in flight.
    FlightElsewhere,
    /// As [`Self::Flight`], with commits that do not wait for the server's disk.
    Relaxed,
}

/// Those that any server takes.
pub(super) const KINDS: [Kind; 5] = [Kind::Load, Kind::Flight, Kind::Units, Kind::Elsewhere, Kind::FlightElsewhere];

/// Orders for a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Orders {
    pub(super) kind: Kind,
    pub(super) chunk: usize,
    /// Where the rows go, and the progress with them unless there is a file for it.
    pub(super) server: String,
    pub(super) file: Option<String>,
    pub(super) lease: Duration,
    /// Made by the unit that fails once.
    pub(super) marker: PathBuf,
    pub(super) barrier: Option<PathBuf>,
    pub(super) passages: Option<PathBuf>,
}

impl Orders {
    /// Starts a worker; `points` arms failpoints.
    pub(super) fn start(&self, points: &str) -> Worker {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(ENV, serde_json::to_string(self).unwrap()).env("BATCH_FAILPOINT", points);
        command.args(ARGUMENTS.map(|word| if word == "worker::child" { "servers::worker::child" } else { word }));
        Worker::spawn(command)
    }
}

/// Runs the job and ends the process with the documented code; in a process that is no worker, nothing.
#[test]
fn child() {
    let Ok(orders) = std::env::var(ENV) else { return };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let code = runtime.block_on(run(&orders));
    if let Some(path) = &orders.passages {
        fs::write(path, serde_json::to_vec(&passages()).unwrap()).unwrap();
    }
    std::process::exit(code.into());
}

async fn run(orders: &Orders) -> u8 {
    if let Some(barrier) = &orders.barrier {
        wait_at(barrier).await;
    }
    let outcome = match open(orders).await {
        Ok((progress, rows)) => job(orders, &progress, rows).run(Parameters::new().set("run", 1)).await,
        Err(error) => Err(error),
    };
    code(outcome)
}

/// The database of the progress, and the one of the rows.
async fn open(orders: &Orders) -> Result<(Database, Database), batch_core::Error> {
    let rows = Database::open(&orders.server).await?;
    let progress = match &orders.file {
        Some(file) => Database::open(file).await?,
        None => rows.clone(),
    };
    Ok((progress, rows))
}

#[derive(Serialize)]
struct Moved {
    k: i64,
    v: i64,
}

fn check(kind: Kind, n: i64) -> Result<Moved> {
    if kind.is_unlucky(n) { Err(format!("{n} is unlucky").into()) } else { Ok(Moved { k: kind.key(n), v: 3 * n }) }
}

impl Kind {
    pub(super) fn flies(self) -> bool {
        matches!(self, Self::Flight | Self::FlightElsewhere | Self::Relaxed)
    }

    pub(super) fn is_elsewhere(self) -> bool {
        matches!(self, Self::Elsewhere | Self::FlightElsewhere)
    }

    /// Whether the rows are added up in the end.
    pub(super) fn has_total(self) -> bool {
        matches!(self, Self::Load | Self::Flight | Self::Relaxed)
    }

    /// Chunks with bad rows are done one at a time, so those that fly have few.
    fn is_unlucky(self, n: i64) -> bool {
        if self.flies() { n % 61 == 60 } else { n % 13 == 12 }
    }

    /// Some have the key of the one before, which the table refuses.
    fn key(self, n: i64) -> i64 {
        let doubled = if self.flies() { n % 83 == 82 } else { n % 17 == 16 };
        n - i64::from(doubled)
    }

    fn in_flight(self) -> usize {
        if self.flies() { 3 } else { 1 }
    }

    /// The chunks that are processed at once.
    fn workers(self) -> usize {
        if self == Self::Flight { 2 } else { 1 }
    }

    fn durability(self) -> Durability {
        if self == Self::Relaxed { Durability::Step } else { Durability::Chunk }
    }
}

/// The keys that must be in the table at the end.
pub(super) fn expected(kind: Kind) -> Vec<i64> {
    if kind == Kind::Units {
        return (0..ROWS).collect();
    }
    let mut keys: Vec<i64> = (0..ROWS).filter(|n| n % 11 != 10 && !kind.is_unlucky(*n)).map(|n| kind.key(n)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn job(orders: &Orders, progress: &Database, rows: Database) -> Job<Database> {
    let job = Job::new("kill", progress).lease(orders.lease);
    let (chunk, kind) = (orders.chunk, orders.kind);
    match kind {
        Kind::Load | Kind::Flight | Kind::Relaxed => job
            .step("load", move |s| {
                let step = s.chunk(chunk, iter(0..ROWS)).filter(|n| n % 11 != 10).map(move |n| check(kind, n));
                let step = step.writer(SqlInsert::into("moved")).skip(10_000);
                Ok(step.in_flight(kind.in_flight()).workers(kind.workers()).durability(kind.durability()))
            })
            .step("total", |s| Ok(s.tasklet(total))),
        Kind::Units => {
            let marker = orders.marker.clone();
            job.step("units", move |s| {
                let marker = marker.clone();
                let work = async move |conn: &mut Connection, key: i64| unit(conn, key, &marker).await;
                Ok(s.units(iter(0..ROWS), work))
            })
        }
        Kind::Elsewhere | Kind::FlightElsewhere => job.step("load", move |s| {
            let step = s.chunk(chunk, iter(0..ROWS)).filter(|n| n % 11 != 10).map(move |n| check(kind, n));
            Ok(step.transaction(&rows).writer(SqlInsert::into("moved")).skip(10_000).in_flight(kind.in_flight()))
        }),
    }
}

async fn total(conn: &mut Connection, _: &mut Context) -> Result<()> {
    conn.execute("INSERT INTO total (n) SELECT count(*) FROM moved").await?;
    Ok(())
}

/// One fails the first time, and with it the run; the next run does it again.
async fn unit(conn: &mut Connection, key: i64, marker: &Path) -> Result<()> {
    if key == 7 && !marker.exists() {
        fs::write(marker, [])?;
        return Err("the first time it fails".into());
    }
    conn.execute(&format!("INSERT INTO moved (k, v) VALUES ({key}, 1)")).await?;
    Ok(())
}
