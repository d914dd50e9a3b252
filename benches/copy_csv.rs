//! CSV to CSV: a chunk step with its checkpoints in SQLite against loops of the csv crate, interleaved in one run.
//!
//! `cargo bench --bench copy_csv [-- ROWS ROUNDS]`. Three kinds of copies: structs that are read, checked as in
//! `examples/import_products` and written; records as they are; and records of which three fields are parsed and the name is put into
//! upper case, by hand in one record that is used again and again. Three comparisons, by what a power cut leaves:
//!
//! - `at the end`: the loop flushes each thousand rows; the step has [`Fsync::AtEnd`] and commits without waiting for the disk.
//! - `each chunk`: the loop syncs its file each thousand rows, but could not restart; the step has its defaults, so that it syncs the
//!   file and then its checkpoint.
//! - `restartable`: the loop also saves its place in SQLite with `synchronous = FULL`, as the step does: what both keep is equal.
//!
//! Every run ends with a sync of the file. Prints medians of wall time and processor time, and their ratios.

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
use batch_csv::{Column, CsvReader, CsvWriter, Fsync, RecordRow};
use batch_sql::{Sqlite, SqliteOptions};
use chrono::DateTime;
use measure::argument;
use product::{Row, check};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    fs::{self, File},
    hint::black_box,
    path::Path,
};
use timed::Times;

const CHUNK: u64 = 1000;
const BUFFER: usize = 128 * 1024;
const TABLE: &str = "CREATE TABLE checkpoint (id INTEGER PRIMARY KEY, byte INTEGER, line INTEGER, record INTEGER, length INTEGER)";
const SAVE: &str = "INSERT INTO checkpoint VALUES (1, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE \
    SET byte = excluded.byte, line = excluded.line, record = excluded.record, length = excluded.length";

#[derive(Clone, Copy, PartialEq)]
enum Items {
    Structs,
    Records,
    Changed,
}

/// How often the output is brought to the disk.
#[derive(Clone, Copy, PartialEq)]
enum Synced {
    AtEnd,
    EachChunk,
    /// And the place with it.
    Restartable,
}

/// The output of a loop by hand.
struct Output {
    writer: csv::Writer<File>,
    synced: Synced,
    checkpoint: Option<SqliteConnection>,
}

impl Output {
    async fn create(path: &Path, database: &Path, synced: Synced) -> Result<Self> {
        let writer = csv::WriterBuilder::new().buffer_capacity(BUFFER).from_writer(File::create(path)?);
        let checkpoint = if synced == Synced::Restartable { Some(connect(database).await?) } else { None };
        Ok(Self { writer, synced, checkpoint })
    }

    async fn end_chunk(&mut self, place: &csv::Position) -> Result<()> {
        self.writer.flush()?;
        if self.synced != Synced::AtEnd {
            self.writer.get_ref().sync_data()?;
        }
        if let Some(conn) = &mut self.checkpoint {
            let length = self.writer.get_ref().metadata()?.len();
            let [byte, line, record, length] = [place.byte(), place.line(), place.record(), length].map(|n| n as i64);
            sqlx::query(SAVE).bind(byte).bind(line).bind(record).bind(length).execute(conn).await?;
        }
        Ok(())
    }

    async fn end(mut self, place: &csv::Position) -> Result<()> {
        self.end_chunk(place).await?;
        self.writer.get_ref().sync_all()?;
        if let Some(conn) = self.checkpoint {
            conn.close().await?;
        }
        Ok(())
    }
}

async fn connect(database: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut conn = options.disable_statement_logging().connect().await?;
    sqlx::query(TABLE).execute(&mut conn).await?;
    Ok(conn)
}

async fn by_hand(items: Items, input: &str, mut output: Output) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(BUFFER).from_path(input)?;
    let header = reader.headers()?.clone();
    let mut record = csv::StringRecord::new();
    if items != Items::Structs {
        output.writer.write_record(&header)?;
    }
    while reader.read_record(&mut record)? {
        match items {
            Items::Structs => output.writer.serialize(check(record.deserialize::<Row>(Some(&header))?)?)?,
            Items::Records => output.writer.write_record(&record)?,
            Items::Changed => change_by_hand(&record, &mut output.writer)?,
        }
        if reader.position().record() % CHUNK == 0 {
            output.end_chunk(reader.position()).await?;
        }
    }
    output.end(reader.position()).await
}

/// The fields by their numbers, as a loop by hand would have them.
fn change_by_hand(record: &csv::StringRecord, writer: &mut csv::Writer<File>) -> Result<()> {
    parsed(&record[0], &record[5], &record[6])?;
    for (index, field) in record.iter().enumerate() {
        match index {
            2 => writer.write_field(field.to_uppercase())?,
            _ => writer.write_field(field)?,
        }
    }
    Ok(writer.write_record(None::<&[u8]>)?)
}

fn change(mut row: RecordRow) -> Result<RecordRow> {
    static ID: Column = Column::new("id");
    static NAME: Column = Column::new("name");
    static STOCK: Column = Column::new("stock");
    static UPDATED_AT: Column = Column::new("updated_at");
    parsed(row.field(&ID)?, row.field(&STOCK)?, row.field(&UPDATED_AT)?)?;
    row.rewrite(&NAME, |name, new| new.push_uppercase(name))?;
    Ok(row)
}

fn parsed(id: &str, stock: &str, updated_at: &str) -> Result<()> {
    black_box((id.parse::<i64>()?, stock.parse::<i32>()?, DateTime::parse_from_rfc3339(updated_at)?));
    Ok(())
}

fn job(items: Items, fsync: Fsync, database: &Sqlite) -> Job<Sqlite> {
    let job = Job::new("copy", database);
    match items {
        Items::Structs => job.step("structs", move |s| {
            Ok(s.chunk(CHUNK as usize, CsvReader::<Row>::open(s.parameter::<String>("input")?))
                .without_transaction()
                .map(check)
                .writer(CsvWriter::create(s.parameter::<String>("output")?).fsync(fsync)))
        }),
        Items::Records => job.step("records", move |s| {
            Ok(s.chunk(CHUNK as usize, CsvReader::rows(s.parameter::<String>("input")?))
                .without_transaction()
                .writer(CsvWriter::<RecordRow>::create(s.parameter::<String>("output")?).fsync(fsync)))
        }),
        Items::Changed => job.step("changed", move |s| {
            Ok(s.chunk(CHUNK as usize, CsvReader::rows(s.parameter::<String>("input")?))
                .without_transaction()
                .map(change)
                .writer(CsvWriter::create(s.parameter::<String>("output")?).fsync(fsync)))
        }),
    }
}

async fn by_framework(items: Items, synced: Synced, input: &str, output: &Path, database: &Path, times: &mut Times) -> Result<()> {
    let (fsync, options) = match synced {
        Synced::AtEnd => (Fsync::AtEnd, SqliteOptions::new().power_cut_may_lose_last_commits()),
        _ => (Fsync::EachChunk, SqliteOptions::new()),
    };
    let database = options.open(&format!("sqlite://{}", database.display())).await?;
    let parameters = Parameters::new().set("input", input).set("output", output.to_string_lossy().as_ref());
    let job = job(items, fsync, &database);
    let execution = times.note(async { Ok(job.run(parameters).await?) }).await?;
    assert_eq!(execution.status, BatchStatus::Completed, "{:?}", execution.exit_status);
    database.close().await;
    Ok(())
}

/// One comparison: the loop, then the step, in a folder that is removed with what they wrote.
async fn compare(items: Items, synced: Synced, input: &str, times: &mut [Times; 2]) -> Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let [one, other, hand_db, framework_db] =
        ["hand.csv", "framework.csv", "hand.db", "framework.db"].map(|n| folder.path().join(n));
    let [hand, framework] = times;
    let output = Output::create(&one, &hand_db, synced).await?;
    hand.note(by_hand(items, input, output)).await?;
    by_framework(items, synced, input, &other, &framework_db, framework).await?;
    assert!(fs::read(one)? == fs::read(other)?, "both wrote the same");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let (rows, rounds) = (argument(0, 500_000), argument(1, 7));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (input, rows) = products::clean(folder.path(), rows)?;
    let mut cases = Vec::new();
    for (items, kind) in [(Items::Structs, "structs"), (Items::Records, "records"), (Items::Changed, "changed")] {
        for (synced, when) in
            [(Synced::AtEnd, "at the end"), (Synced::EachChunk, "each chunk"), (Synced::Restartable, "restartable")]
        {
            cases.push((items, synced, format!("{kind}, {when}"), <[Times; 2]>::default()));
        }
    }
    for _ in 0..rounds {
        for (items, synced, _, times) in &mut cases {
            compare(*items, *synced, &input, times).await?;
        }
    }
    println!("{rows} rows, chunks of {CHUNK}, medians of {rounds} interleaved rounds");
    println!("{:>24} {:>10} {:>12} {:>8} {:>11} {:>8}", "synced", "by hand", "framework", "ratio", "processor", "rows/s");
    for (_, _, name, [hand, framework]) in &cases {
        let ((hand, hand_used), (framework, framework_used)) = (hand.medians(), framework.medians());
        let (ratio, used) = (framework / hand, framework_used / hand_used);
        println!("{name:>24} {hand:>8.2} s {framework:>10.2} s {ratio:>8.2} {used:>11.2} {:>8.0}", rows as f64 / framework);
    }
    Ok(())
}
