//! Rows a second of `SqlInsert` with its checkpoint, against a loop written by hand on sqlx: 500,000 rows of seven columns, 1,000 a
//! chunk, WAL and `synchronous = FULL` on both sides, in turns.
//!
//! `cargo bench -p batch-sql --bench insert [-- rounds]`

use batch_core::{
    Checkpoint, Chunk, Counts, Owner, Parameters, Result, Transactions, Writer,
    repository::{Commit, Guard, Launch, Lease, StepStart, StepStarted},
};
use batch_sql::{SqlInsert, Sqlite};
use serde::Serialize;
use sqlx::{Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    path::Path,
    time::{Duration, Instant},
};

const ROWS: i64 = 500_000;
const CHUNK: usize = 1_000;
const TABLE: &str = "CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, name TEXT NOT NULL, category TEXT NOT NULL,
    price_cents INTEGER NOT NULL, stock INTEGER NOT NULL, updated_at TEXT NOT NULL)";

#[derive(Serialize)]
struct Product {
    id: i64,
    sku: String,
    name: String,
    category: String,
    price_cents: i64,
    stock: i64,
    updated_at: String,
}

fn products() -> Vec<Product> {
    (1..=ROWS)
        .map(|id| Product {
            id,
            sku: format!("SKU-{id:08}"),
            name: format!("Product number {id} of the catalogue"),
            category: format!("category-{}", id % 40),
            price_cents: id * 7 % 100_000,
            stock: id % 500,
            updated_at: format!("2026-01-{:02}T{:02}:00:00Z", id % 28 + 1, id % 24),
        })
        .collect()
}

#[tokio::main]
async fn main() -> Result<()> {
    let rounds: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(5);
    let products = products();
    let mut times: Vec<(Cost, Cost)> = Vec::new();
    for round in 0..rounds {
        let dir = tempfile::tempdir()?;
        let (by_hand, ours) = (dir.path().join("hand.db"), dir.path().join("ours.db"));
        let pair = if round % 2 == 0 {
            let a = hand_written(&by_hand, &products).await?;
            (a, framework(&ours, &products).await?)
        } else {
            let b = framework(&ours, &products).await?;
            (hand_written(&by_hand, &products).await?, b)
        };
        let (hand, ours) = pair;
        println!("by hand {:.3} s ({:.3} s cpu)  SqlInsert {:.3} s ({:.3} s cpu)", hand.wall, hand.cpu, ours.wall, ours.cpu);
        times.push(pair);
    }
    println!("median of SqlInsert by hand-written: wall {:.3}, cpu {:.3}", median(&times, |c| c.wall), median(&times, |c| c.cpu));
    Ok(())
}

/// Seconds on the clock, and of all threads on processors: the second does not move with what else the machine does.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

struct Meter(Instant, f64);

impl Meter {
    fn start() -> Self {
        Self(Instant::now(), cpu())
    }

    fn cost(&self) -> Cost {
        Cost { wall: self.0.elapsed().as_secs_f64(), cpu: cpu() - self.1 }
    }
}

fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(times: &[(Cost, Cost)], of: impl Fn(&Cost) -> f64) -> f64 {
    let mut ratios: Vec<f64> = times.iter().map(|(hand, ours)| of(ours) / of(hand)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

/// What a careful engineer writes: one prepared statement for a whole chunk, and the position in the same transaction.
async fn hand_written(path: &Path, products: &[Product]) -> Result<Cost> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let options = options.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal).synchronous(sqlx::sqlite::SqliteSynchronous::Full);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    conn.execute(TABLE).await?;
    conn.execute("CREATE TABLE position (id INTEGER PRIMARY KEY, done INTEGER NOT NULL); INSERT INTO position VALUES (1, 0)")
        .await?;
    let sql: &'static str = format!("INSERT INTO product VALUES {}", vec!["(?,?,?,?,?,?,?)"; CHUNK].join(",")).leak();
    let meter = Meter::start();
    let mut done = 0i64;
    for chunk in products.chunks_exact(CHUNK) {
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
        let mut query = sqlx::query(sql);
        for p in chunk {
            query = query.bind(p.id).bind(&p.sku).bind(&p.name).bind(&p.category);
            query = query.bind(p.price_cents).bind(p.stock).bind(&p.updated_at);
        }
        query.execute(&mut *tx).await?;
        done += CHUNK as i64;
        sqlx::query("UPDATE position SET done = ? WHERE id = 1").bind(done).execute(&mut *tx).await?;
        tx.commit().await?;
    }
    Ok(meter.cost())
}

/// What a chunk step does with its writer and its checkpoint.
async fn framework(path: &Path, products: &[Product]) -> Result<Cost> {
    let db = Sqlite::open(&format!("sqlite://{}", path.display())).await?;
    db.pool().execute(TABLE).await?;
    let mut commit = started(&db).await?;
    let mut writer = SqlInsert::into("product");
    let meter = Meter::start();
    for chunk in products.chunks_exact(CHUNK) {
        let mut tx = db.begin().await?;
        writer.write(Sqlite::conn(&mut tx), Chunk::from(chunk)).await?;
        commit.counts.read += CHUNK as u64;
        commit.counts.written += CHUNK as u64;
        commit.counts.commits += 1;
        commit.checkpoint.read = commit.counts.read;
        commit.checkpoint.reader = serde_json::json!({"byte": commit.counts.read * 100, "line": commit.counts.read});
        db.commit(tx, &commit).await?;
        commit.guard.commit_no += 1;
    }
    Ok(meter.cost())
}

async fn started(db: &Sqlite) -> Result<Commit> {
    let owner = Owner::current();
    let (ttl, token) = (Duration::from_secs(30), owner.token.clone());
    let parameters = Parameters::new();
    let launch = Launch { job_name: "bench".into(), job_key: parameters.key(), parameters, owner, ttl, restartable: true };
    let execution = db.repository().launch(&launch).await?.execution;
    let lease = Lease { execution: execution.id, token, ttl };
    let start =
        StepStart { lease: lease.clone(), instance: execution.instance.id, name: "load".into(), start_limit: None, rerun: false };
    let StepStarted::Started(step) = db.repository().start_step(&start).await? else { return Err("the step did not begin".into()) };
    Ok(Commit {
        guard: Guard { step: step.id, epoch: step.epoch, commit_no: step.commit_no, lease },
        counts: Counts::default(),
        added: Counts::default(),
        checkpoint: Checkpoint { version: Checkpoint::VERSION, ..Checkpoint::default() },
        context: None,
        skips: Vec::new(),
        units: Vec::new(),
        at: chrono::Utc::now(),
    })
}
