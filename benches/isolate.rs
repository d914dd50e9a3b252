//! What bad rows cost: a chunk of 1,000 on SQLite with k rows that the database refuses, against a clean chunk.
//!
//! `cargo bench --bench isolate [-- CHUNKS ROUNDS]`. The bad rows are spread evenly, so that they share few halves. Prints the write calls
//! of a chunk beside their promised limit, and the median time from its begin to its commit with the ratio to the clean one.

#[path = "shared/measure.rs"]
mod measure;

use async_trait::async_trait;
use batch_core::{BatchStatus, Chunk, ChunkReport, Job, Listener, Parameters, Result, Undo, Writer, iter};
use batch_sql::{SqlInsert, Sqlite};
use measure::{argument, median};
use parking_lot::Mutex;
use serde::Serialize;
use sqlx::SqliteConnection;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

const N: u64 = 1000;
const BAD: [u64; 5] = [0, 1, 2, 5, 10];

#[derive(Clone, Serialize)]
struct Row {
    id: i64,
    name: String,
    /// Refused by the table where it is negative.
    stock: i64,
}

/// Row `i` of all, where `k` rows of each chunk are bad.
fn row(i: u64, k: u64) -> Row {
    let place = i % N;
    let bad = (0..k).any(|b| place == (2 * b + 1) * N / (2 * k));
    Row { id: i as i64, name: format!("Product {i}"), stock: if bad { -1 } else { place as i64 } }
}

/// Counts the calls of another writer.
struct Counted {
    writer: SqlInsert<Row>,
    calls: Arc<AtomicU64>,
}

impl Writer<Row, SqliteConnection> for Counted {
    async fn write(&mut self, conn: &mut SqliteConnection, items: Chunk<'_, Row>) -> Result<()> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.writer.write(conn, items).await
    }

    fn undo(&self) -> Undo {
        Writer::<Row, SqliteConnection>::undo(&self.writer)
    }
}

/// Notes how long each chunk took to write, in milliseconds.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<f64>>>);

#[async_trait]
impl Listener for Noted {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        self.0.lock().push(report.write_time.as_secs_f64() * 1e3);
        Ok(())
    }
}

/// Writes so many chunks with `k` bad rows each; returns the write calls.
async fn run(database: &Path, chunks: u64, k: u64, noted: &Noted) -> Result<u64> {
    let database = Sqlite::open(&format!("sqlite://{}", database.display())).await?;
    sqlx::query("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, stock INTEGER CHECK (stock >= 0))")
        .execute(database.pool())
        .await?;
    let calls = Arc::new(AtomicU64::new(0));
    let (counting, noted) = (calls.clone(), noted.clone());
    let job = Job::new("isolate", &database).step("write", move |s| {
        let writer = Counted { writer: SqlInsert::into("item"), calls: counting.clone() };
        Ok(s.chunk(N as usize, iter((0..chunks * N).map(move |i| row(i, k)))).writer(writer).skip(u64::MAX).listener(noted.clone()))
    });
    let execution = job.run(Parameters::new()).await?;
    assert_eq!(execution.status, BatchStatus::Completed, "{:?}", execution.exit_status);
    assert_eq!(execution.steps[0].counts.write_skips, chunks * k);
    database.close().await;
    Ok(calls.load(Ordering::Relaxed))
}

#[tokio::main]
async fn main() -> Result<()> {
    let (chunks, rounds) = (argument(0, 20), argument(1, 9));
    let mut times = BAD.map(|k| (k, 0, Noted::default()));
    for _ in 0..rounds {
        for (k, calls, noted) in &mut times {
            let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
            *calls = run(&folder.path().join("isolate.db"), chunks, *k, noted).await? / chunks;
        }
    }
    println!("chunks of {N}, medians of {} chunks each, interleaved", chunks * rounds);
    println!("{:>8} {:>12} {:>12} {:>14} {:>8}", "bad", "write calls", "at most", "a chunk", "ratio");
    let clean = median(times[0].2.0.lock().clone());
    for (k, calls, noted) in &times {
        let most = 2 * k * u64::from(N.ilog2() + 1) + 1;
        let time = median(noted.0.lock().clone());
        println!("{k:>8} {calls:>12} {most:>12} {time:>11.2} ms {:>8.2}", time / clean);
        assert!(*calls <= most);
    }
    Ok(())
}
