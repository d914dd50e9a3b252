//! CSV to SQLite: the step of `examples/import_products` against a loop written by hand, interleaved in one run.
//!
//! `cargo bench --bench import_sqlite [-- ROWS ROUNDS BLOCK]`. Both read, filter and check the same rows, insert them and save where they
//! stand in one transaction for a thousand rows, in WAL mode with `synchronous = FULL`, and would skip bad rows. The rows are clean:
//! skipping is measured by `isolate`. Prints medians of wall time and processor time, and their ratios.

#[path = "../examples/import_products/generate.rs"]
mod generate;
#[path = "shared/measure.rs"]
mod measure;
#[expect(dead_code, unused_imports, reason = "its tests run with the example")]
#[path = "../examples/import_products/product.rs"]
mod product;
#[path = "shared/products.rs"]
mod products;
#[path = "shared/timed.rs"]
mod timed;

use batch_core::{BatchStatus, Job, Parameters, Result};
use batch_csv::CsvReader;
use batch_sql::{SqlInsert, Sqlite};
use measure::argument;
use product::{Product, Row, check};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{fs, path::Path, sync::Arc};
use timed::Times;

const CHUNK: usize = 1000;
const SKIPS: u64 = 1000;
const PRODUCT: &str = "CREATE TABLE product (\
    id INTEGER PRIMARY KEY, sku, name, category, price_cents INTEGER, stock INTEGER, updated_at)";
const CHECKPOINT: &str =
    "CREATE TABLE checkpoint (id INTEGER PRIMARY KEY, byte INTEGER, line INTEGER, record INTEGER, skipped INTEGER)";
const SAVE: &str = "INSERT INTO checkpoint VALUES (1, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE \
    SET byte = excluded.byte, line = excluded.line, record = excluded.record, skipped = excluded.skipped";

/// The loop, its statements and its place in the file.
struct Hand {
    conn: SqliteConnection,
    /// Rows of one statement, and that statement.
    block: usize,
    full: Arc<str>,
    skipped: u64,
}

impl Hand {
    async fn open(database: &Path, block: usize) -> Result<Self> {
        let options = SqliteConnectOptions::new().filename(database).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let mut conn = options.disable_statement_logging().connect().await?;
        sqlx::query(PRODUCT).execute(&mut conn).await?;
        sqlx::query(CHECKPOINT).execute(&mut conn).await?;
        Ok(Self { conn, block, full: insert(block).into(), skipped: 0 })
    }

    async fn import(&mut self, input: &str) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(128 * 1024).from_path(input)?;
        let header = reader.headers()?.clone();
        let mut record = csv::StringRecord::new();
        let mut products = Vec::with_capacity(CHUNK);
        while reader.read_record(&mut record)? {
            match record.deserialize::<Row>(Some(&header)) {
                Ok(row) if row.category == "discontinued" => {}
                Ok(row) => match check(row) {
                    Ok(product) => products.push(product),
                    Err(error) => self.skip(error.to_string())?,
                },
                Err(error) => self.skip(error.to_string())?,
            }
            if products.len() == CHUNK {
                self.write(&mut products, reader.position()).await?;
            }
        }
        self.write(&mut products, reader.position()).await
    }

    fn skip(&mut self, reason: String) -> Result<()> {
        self.skipped += 1;
        if self.skipped > SKIPS { Err(reason.into()) } else { Ok(()) }
    }

    async fn write(&mut self, products: &mut Vec<Product>, place: &csv::Position) -> Result<()> {
        let mut tx = self.conn.begin_with("BEGIN IMMEDIATE").await?;
        let mut rest = products.drain(..);
        while rest.len() > 0 {
            let rows = rest.len().min(self.block);
            let sql = if rows == self.block { self.full.clone() } else { insert(rows).into() };
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for p in rest.by_ref().take(rows) {
                query =
                    query.bind(p.id).bind(p.sku).bind(p.name).bind(p.category).bind(p.price_cents).bind(p.stock).bind(p.updated_at);
            }
            query.execute(&mut *tx).await?;
        }
        let [byte, line, record] = [place.byte(), place.line(), place.record()].map(|n| n as i64);
        sqlx::query(SAVE).bind(byte).bind(line).bind(record).bind(self.skipped as i64).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

fn insert(rows: usize) -> String {
    format!("INSERT INTO product VALUES {}", vec!["(?,?,?,?,?,?,?)"; rows].join(","))
}

async fn by_hand(database: &Path, block: usize, input: &str, times: &mut Times) -> Result<i64> {
    let mut hand = Hand::open(database, block).await?;
    times.note(hand.import(input)).await?;
    let sum = sqlx::query_scalar(SUM).fetch_one(&mut hand.conn).await?;
    hand.conn.close().await?;
    Ok(sum)
}

async fn by_framework(database: &Path, input: &str, times: &mut Times) -> Result<i64> {
    let database = Sqlite::open(&format!("sqlite://{}", database.display())).await?;
    sqlx::query(PRODUCT).execute(database.pool()).await?;
    let job = Job::new("import", &database).step("load", |s| {
        Ok(s.chunk(CHUNK, CsvReader::<Row>::open(s.parameter::<String>("input")?))
            .filter(|row| row.category != "discontinued")
            .map(check)
            .writer(SqlInsert::into("product"))
            .skip(SKIPS))
    });
    let execution = times.note(async { Ok(job.run(Parameters::new().set("input", input)).await?) }).await?;
    assert_eq!(execution.status, BatchStatus::Completed, "{:?}", execution.exit_status);
    let sum = sqlx::query_scalar(SUM).fetch_one(database.pool()).await?;
    database.close().await;
    Ok(sum)
}

/// Tells whether both wrote the same.
const SUM: &str = "SELECT sum(id * 31 + price_cents * 7 + stock + length(name) + unicode(updated_at)) FROM product";

#[tokio::main]
async fn main() -> Result<()> {
    let (rows, rounds, block) = (argument(0, 500_000), argument(1, 7), usize::try_from(argument(2, 250))?);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (input, rows) = products::clean(folder.path(), rows)?;
    println!("{rows} rows, chunks of {CHUNK}, medians of {rounds} interleaved rounds");
    let (mut hand, mut framework) = (Times::default(), Times::default());
    for round in 0..rounds {
        let [one, other] = ["hand", "framework"].map(|name| folder.path().join(format!("{name}-{round}.db")));
        // Whoever comes second finds the disk busier: they take turns.
        let (expected, found) = if round % 2 == 0 {
            let expected = by_hand(&one, block, &input, &mut hand).await?;
            (expected, by_framework(&other, &input, &mut framework).await?)
        } else {
            let found = by_framework(&other, &input, &mut framework).await?;
            (by_hand(&one, block, &input, &mut hand).await?, found)
        };
        assert_eq!(expected, found);
        fs::remove_file(one)?;
        fs::remove_file(other)?;
    }
    let ((hand, hand_used), (framework, framework_used)) = (hand.medians(), framework.medians());
    println!("{:>12} {:>10} {:>12} {:>8}", "", "by hand", "framework", "ratio");
    println!("{:>12} {hand:>8.2} s {framework:>10.2} s {:>8.2}", "wall", framework / hand);
    println!("{:>12} {hand_used:>8.2} s {framework_used:>10.2} s {:>8.2}", "processor", framework_used / hand_used);
    println!("{:>12} {:>10.0} {:>12.0} {:>8.2}", "rows/s", rows as f64 / hand, rows as f64 / framework, hand / framework);
    Ok(())
}
